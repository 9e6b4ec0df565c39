"""Taking turns: of those who want the same thing from a disposable child, one asks at a time (one job per path)."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class BusyError(Exception):
    """The turn did not come in time."""


@dataclass(slots=True)
class _Line:
    """Those who wait for one thing."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Turns:
    """Lines by name, each kept for as long as somebody stands in it."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, name: str, within_s: float | None = None) -> "AsyncIterator[None]":
        """Waits until nobody else is inside under `name`, for at most `within_s`; then raises BusyError."""
        line = self._lines.setdefault(name, _Line())
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
