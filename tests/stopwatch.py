"""How long something took, without the time in which a busy machine did not let us or it run."""

import asyncio
import time
from pathlib import Path
from types import TracebackType

TICK_S = 0.01


class Stopwatch:
    """`async with`: `s` counts the seconds in which this event loop had its turns, a pause of it as two ticks at most.

    It never counts more than has passed. What blocks the loop it does not see: that is told by a turn that never came.
    """

    def __init__(self) -> None:
        self.s = 0.0

    async def __aenter__(self) -> "Stopwatch":
        self._last_s = time.monotonic()
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ticking.cancel()
        self._take()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._take()

    def _take(self) -> None:
        now_s = time.monotonic()
        self.s += min(now_s - self._last_s, 2 * TICK_S)
        self._last_s = now_s


def kept_waiting_s(pid: int) -> float:
    """Seconds for which the main thread of a process, be it a zombie, was ready to run and had no processor (Linux)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
