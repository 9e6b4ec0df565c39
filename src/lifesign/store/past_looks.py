"""From the history: the newest look of each check of a component until a moment, and how many in a row were like it.

It reads from that moment backwards, and no further than a bound: what lies beyond it is not known. Not here: what a
look means for the state of then (`core.hindsight`).
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from operator import itemgetter
from pathlib import Path

from lifesign.core.hindsight import NS_PER_MS, PastLook
from lifesign.core.model import Observation, Verdict
from lifesign.records import dataclass
from lifesign.store.block import Block
from lifesign.store.columns import unpack
from lifesign.store.findings import RANK_BITS, Columns, rows_of
from lifesign.store.history_reader import HistoryReader, NoHistoryError

MOST_BLOCKS = 400
MOST_ENTRIES = 300_000
ENOUGH = 100  # so many that did not fail meet every threshold that anybody sets


@dataclass(slots=True)
class _Run:
    """One check, read backwards. `known`: how many looks that found something out were counted."""

    newest: Observation | None = None
    at_ns: int = 0
    latency_s: float = 0.0
    failures: int = 0
    successes: int = 0
    not_failed: int = 0
    known: int = 0

    def take(self, at_ns: int, found: Observation, latency_s: float) -> None:
        """The look before those that were taken."""
        if self.newest is None:
            self.newest, self.at_ns, self.latency_s = found, at_ns, latency_s
        if found.verdict is Verdict.UNKNOWN:
            return
        self.failures += found.verdict is Verdict.FAIL and self.failures == self.known
        self.successes += found.verdict is Verdict.OK and self.successes == self.known
        self.not_failed += found.verdict is not Verdict.FAIL and self.not_failed == self.known
        self.known += 1

    @property
    def is_done(self) -> bool:
        """Whether what came before cannot matter."""
        if self.newest is None or self.known == 0:
            return False
        if self.failures:
            return self.failures < self.known
        return self.not_failed < self.known or self.not_failed >= ENOUGH

    def look(self, *, whole: bool) -> PastLook | None:
        """What came of it. `whole`: nothing is missing between the newest look and the moment that was asked for."""
        if self.newest is None:
            return None
        known = whole and (self.failures < self.known or self.known == 0)
        signal = self.newest.signal
        return PastLook(
            self.at_ns,
            self.newest.verdict,
            self.newest.message,
            self.latency_s,
            self.failures if known else None,
            self.successes,
            self.not_failed,
            None if signal is None else signal.timestamp_ns,
        )


def looks_until(folder: Path, component: str, checks: Collection[str], until_ns: int) -> Mapping[str, PastLook]:
    """By check of `component`, the newest look until `until_ns`; empty where there is no history.

    `checks`: those that there are now; looks of others that are found on the way are told too.
    """
    runs, whole = {check: _Run() for check in checks}, False
    try:
        reader = HistoryReader(folder)
    except NoHistoryError:
        return {}
    try:
        until_ms = until_ns // NS_PER_MS
        for last_ms, block in reader.newest_blocks(until_ms, MOST_BLOCKS, MOST_ENTRIES):
            whole = whole or last_ms >= until_ms
            _read(block, component, runs, until_ns)
            if all(run.is_done for run in runs.values()):
                break
    except NoHistoryError:
        pass
    finally:
        reader.close()
    looks = {check: run.look(whole=whole) for check, run in runs.items()}
    return {check: look for check, look in looks.items() if look is not None}


def _read(block: Block, component: str, runs: dict[str, _Run], until_ns: int) -> None:
    for columns in block.checks:
        if columns.component == component:
            run = runs.setdefault(columns.check, _Run())
            if not run.is_done:
                _read_check(columns, block.clocks, run, until_ns)


def _read_check(columns: Columns, clocks: list[tuple[int, int, int]], run: _Run, until_ns: int) -> None:
    latencies_us = unpack(columns.latencies_us)
    rows = zip(rows_of(columns), latencies_us, strict=True)
    for (key, _, _, found), latency_us in reversed(list(rows)):
        place = bisect_right(clocks, key, key=itemgetter(0))
        wall_ns = (key >> RANK_BITS) * 1_000 + clocks[max(place - 1, 0)][1] if clocks else 0
        if not clocks or wall_ns // NS_PER_MS > until_ns // NS_PER_MS:
            continue
        run.take(wall_ns, found, latency_us / 1e6)
        if run.is_done:
            return
