"""The console: a client of one daemon's API that draws what it is told. It decides nothing and keeps nothing."""
