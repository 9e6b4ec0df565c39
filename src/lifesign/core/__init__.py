"""The pure core: it decides what is healthy, and does nothing.

No clock, no I/O, no asyncio, no logging, no randomness. Time comes in as an argument, effects go
out as data. Everything a monitor ever decided can be replayed from its inputs.
"""
