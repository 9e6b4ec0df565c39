"""What survives us: the events that were told and the memory of what is held, in one SQLite file."""
