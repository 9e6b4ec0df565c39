"""Settling: small blocks of the history become large ones, are counted, and are deleted once they are too old.

Observations are kept as they were for a month, or until the file has grown to `MOST_BYTES`; counts by the minute for
two weeks, counts by the hour for as long as `[monitor] history` says. Each step is a short transaction.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from lifesign.store.block import Block, merge
from lifesign.store.counting import Counts, count
from lifesign.store.history_file import HistoryFile, StoredBlock

RAW_S = 31 * 86_400.0
MINUTES_S = 14 * 86_400.0
MOST_BYTES = 320 * 1024 * 1024
SETTLE_BLOCKS = 300
SETTLE_ENTRIES = 60_000
SETTLE_A_CHECK = 30  # so many more where there are many checks: each costs as much as thirty of its rows
MOST_ENTRIES = 400_000
FORGET_EVERY_MS = 10_000


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _breathing(counted: Iterable[Counts], breathe: Callable[[], object]) -> Iterator[Counts]:
    for counts in counted:
        yield counts
        breathe()


class Settling:
    """Of one file."""

    def __init__(
        self,
        file: HistoryFile,
        *,
        history_s: float,
        raw_s: float = RAW_S,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], int] = _now_ms,
    ) -> None:
        """`now`: milliseconds of the wall clock."""
        self._file = file
        self._now = now
        self._history_ms = int(history_s * 1_000)
        self._raw_ms = int(min(raw_s, history_s) * 1_000)
        self._minutes_ms = int(min(MINUTES_S, history_s) * 1_000)
        self._most_bytes = most_bytes
        self._blocks, self._entries = SETTLE_BLOCKS, 0  # what a life before may have left
        self._enough = SETTLE_ENTRIES
        self._forget_at_ms = 0

    def expect(self, checks: int) -> None:
        """So many checks are watched."""
        self._enough = max(SETTLE_ENTRIES, min(SETTLE_A_CHECK * checks, MOST_ENTRIES))

    def added(self, entries: int) -> None:
        """A fresh block has come."""
        self._blocks += 1
        self._entries += entries

    def advance(self, breathe: Callable[[], object] = int) -> None:
        """Does what is due, one step of each. Raises UnusableError. `breathe`: see `settle`."""
        now_ms = self._now()
        if self._blocks >= SETTLE_BLOCKS or self._entries >= self._enough:
            self.settle(breathe)
        if now_ms >= self._forget_at_ms:
            self.forget(now_ms)

    def settle(self, breathe: Callable[[], object] = int) -> bool:
        """Merges the oldest blocks that are not settled; whether there were any.

        `breathe` is called every few milliseconds: it may make a pause.
        """
        chosen: list[StoredBlock] = []
        for found in self._file.unsettled(2 * SETTLE_BLOCKS):
            chosen.append(found)
            if sum(stored.entries for stored in chosen) >= self._enough:
                break
        self._blocks = self._entries = 0
        if not chosen:
            return False
        block = merge((Block.decode(self._file.body(stored)) for stored in chosen), breathe)
        self.expect(len(block))
        first, last = chosen[0], chosen[-1]
        entries = sum(stored.entries for stored in chosen)
        merged = StoredBlock(0, first.life, first.first_ms, last.last_ms, entries)
        self._file.settle(chosen, merged, block.body, _breathing(count(block), breathe))
        return True

    def forget(self, now_ms: int) -> None:
        """Deletes a little of what is too old or too much; comes back soon where it did."""
        did = self._file.forget(
            now_ms - self._raw_ms, now_ms - self._minutes_ms, now_ms - self._history_ms, self._most_bytes
        )
        self._forget_at_ms = 0 if did else now_ms + FORGET_EVERY_MS
