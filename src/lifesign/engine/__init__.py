"""The only event-loop code: it reads the clocks, runs the looks, wakes early on file events, and asks the core."""
