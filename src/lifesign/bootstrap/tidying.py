"""Collecting the garbage that runs in circles: by the clock, and by count only where there is very much of it.

A transport of asyncio holds itself: each connection that somebody has made to us is a kilobyte that no count of
references frees. By count alone the youngest of it waits for most of a minute, and the oldest, that was in use when
somebody collected, for longer than an hour: a daemon would creep by megabytes. What thousands of looks have found lives
for a second or two, and is no garbage. Not here: what the looks make.
"""

import asyncio
import gc

AT_ONCE = 10_000  # objects: so many more than were freed are collected without waiting for the clock
EVERY_S = 10.0
MIDDLE_EVERY, OLD_EVERY = 6, 60  # so many times: a minute, ten minutes


def begin() -> None:
    """What the config has made stays for good: no collection need walk it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(AT_ONCE)


async def tidy() -> None:
    """Collects for ever: the young every ten seconds, which takes a millisecond or two, older ones less often."""
    times = 0
    while True:
        await asyncio.sleep(EVERY_S)
        times += 1
        gc.collect(generation(times))


def generation(times: int) -> int:
    """Up to which one is collected at that time, 1 being the first."""
    return 2 if times % OLD_EVERY == 0 else 1 if times % MIDDLE_EVERY == 0 else 0
