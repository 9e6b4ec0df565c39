"""What is counted of the observations of a check, by the minute and by the hour: verdicts and latencies.

A minute without a row was not watched: it is no health. Times are of the wall clock, UTC. Not here: the file.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import field

import msgspec

from lifesign.core.model import CheckId, Verdict
from lifesign.records import dataclass
from lifesign.store.block import Merged
from lifesign.store.columns import pack, unpack
from lifesign.store.findings import RANK_BITS
from lifesign.store.rows import Outcomes

_VERDICTS = (Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN)
_MINUTE_NS, _HOUR_MINUTES = 60_000_000_000, 60


@dataclass(slots=True)
class Minutes:
    """By the minute since the epoch: how many ok, warn, fail, unknown, and sum and maximum of the latency in µs."""

    counts: dict[int, list[int]] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As bytes."""
        minutes = sorted(self.counts)
        columns = [pack(minutes, 1), *(pack([self.counts[m][n] for m in minutes]) for n in range(6))]
        return zlib.compress(msgspec.msgpack.encode(columns), 1)

    @classmethod
    def decode(cls, body: bytes) -> "Minutes":
        """From bytes."""
        columns = msgspec.msgpack.decode(zlib.decompress(body), type=list[bytes])
        minutes, *counts = map(unpack, columns)
        return cls({minute: list(row) for minute, *row in zip(minutes, *counts, strict=True)})

    def joined(self, other: "Minutes") -> "Minutes":
        """Both together."""
        joined = {minute: list(row) for minute, row in self.counts.items()}
        for minute, row in other.counts.items():
            held = joined.get(minute)
            joined[minute] = list(row) if held is None else _added(held, row)
        return Minutes(joined)


def _added(one: list[int], other: list[int]) -> list[int]:
    return [a + b for a, b in zip(one[:5], other[:5], strict=True)] + [max(one[5], other[5])]


@dataclass(frozen=True, slots=True)
class Counts:
    """One check in one hour (hours since the epoch)."""

    check: CheckId
    hour: int
    minutes: Minutes

    @property
    def total(self) -> list[int]:
        """The six figures of the whole hour."""
        total = [0] * 6
        for row in self.minutes.counts.values():
            total = _added(total, row)
        return total


def count(block: Merged) -> Iterator[Counts]:
    """What is counted of each check in each hour of `block`."""
    for outcomes in block.outcomes:
        hours: dict[int, Minutes] = {}
        for minute, row in _by_minute(outcomes, block.clocks).items():
            hours.setdefault(minute // _HOUR_MINUTES, Minutes()).counts[minute] = row
        for hour, minutes in hours.items():
            yield Counts(CheckId(outcomes.component, outcomes.check), hour, minutes)


def _by_minute(outcomes: Outcomes, clocks: Sequence[tuple[int, int, int]]) -> dict[int, list[int]]:
    """By the minute, each of which is one stretch of rows for as long as the clocks are as they were."""
    keys, verdicts, latencies_us = outcomes.keys, outcomes.verdicts, outcomes.latencies_us
    counts: dict[int, list[int]] = {}
    changes = [clock[0] for clock in clocks]
    first = 0
    while first < len(keys):
        place = bisect_right(changes, keys[first])
        ahead_ns = clocks[max(place - 1, 0)][1] if clocks else 0
        minute = ((keys[first] >> RANK_BITS) * 1_000 + ahead_ns) // _MINUTE_NS
        end_key = -((ahead_ns - (minute + 1) * _MINUTE_NS) // 1_000) << RANK_BITS
        last = bisect_left(keys, min([end_key, *changes[place : place + 1]]), first)
        row = _counted(verdicts[first:last], latencies_us[first:last])
        held = counts.get(minute)
        counts[minute] = row if held is None else _added(held, row)
        first = last
    return counts


def _counted(verdicts: Sequence[Verdict], latencies_us: Sequence[int]) -> list[int]:
    return [*map(verdicts.count, _VERDICTS), sum(latencies_us), max(latencies_us)]
