"""The daemon's own event-loop code on a loop whose time is only counted: months of it in minutes."""
