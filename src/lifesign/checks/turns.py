"""Taking turns: of those who want the same thing from a disposable child, one asks at a time (one job per path)."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator


class BusyError(Exception):
    """The turn did not come in time."""


class _Line:
    """Those who wait for one thing."""

    __slots__ = ("lock", "users")

    def __init__(self, lock: "asyncio.Lock") -> None:
        self.lock = lock
        self.users = 0


class Turns:
    """Lines by name, each kept for as long as somebody stands in it."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, name: str, within_s: float | None = None) -> "AsyncIterator[None]":
        """Waits until nobody else is inside under `name`, for at most `within_s`; then raises BusyError."""
        import asyncio  # not before somebody must wait: it is the heaviest import of a one-shot

        line = self._lines.setdefault(name, _Line(asyncio.Lock()))
        line.users += 1
        try:
            try:
                async with asyncio.timeout(within_s):
                    await line.lock.acquire()
            except TimeoutError:
                raise BusyError(name) from None
            try:
                yield
            finally:
                line.lock.release()
        finally:
            line.users -= 1
            if not line.users:
                self._lines.pop(name, None)
