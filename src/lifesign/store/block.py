"""A block: a stretch of the transcript as one compressed document, a column a check. Blocks in a row merge into one.

A key is a moment of the monotonic clock in microseconds, and which of that moment's entries it is: keys order all
entries of one life of ours. Equal findings in a row cost next to nothing, for each different one stands in the block
once. Metrics and data of an observation decide nothing, and are not kept. Not here: files, and what is counted of it.
"""

import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from lifesign.core.model import CheckId, Identity, Observation, Verdict, WorkSignal
from lifesign.store.columns import pack, unpack

RANK_BITS = 12
MOST_RANK = (1 << RANK_BITS) - 1
_NS_PER_US = 1_000
_NONE: Mapping[str, Any] = {}
_IN_COLUMN = 1 << 60  # larger numbers stand in the finding itself


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """What equal observations have in common. `timestamp_ns`, `progress`: where they do not stand in a column.

    `is_large`: the progress is a number of more than 64 bits, in decimal.
    """

    verdict: Verdict
    message: str
    pid: int | None = None
    started_at: float | None = None
    has_signal: bool = False
    busy: bool | None = None
    counts: bool = False
    timestamp_ns: str | None = None
    progress: float | str | None = None
    is_large: bool = False
    several: bool = False
    stopped: bool = False


class Columns(msgspec.Struct, array_like=True):
    """The observations of one check; each column packed."""

    component: str
    check: str
    keys: bytes
    began_ages_us: bytes
    latencies_us: bytes
    findings: list[Finding]
    numbers: bytes
    timestamps_ns: bytes
    progress: bytes


class Block(msgspec.Struct, array_like=True):
    """`ticks`, `reviews`: the keys of these. `clocks`: (from which key on, wall, boot: nanoseconds ahead of the
    monotonic clock). `gaps`: (last moment before, key of what ended it) where nobody read the clocks.
    """

    ticks: bytes
    reviews: bytes
    clocks: list[tuple[int, int, int]]
    gaps: list[tuple[int, int]]
    checks: list[Columns]

    def encode(self, level: int = 1) -> bytes:
        """As bytes."""
        return zlib.compress(msgspec.msgpack.encode(self), level)

    @classmethod
    def decode(cls, body: bytes) -> "Block":
        """From bytes. Raises ValueError for what is none."""
        try:
            return msgspec.msgpack.decode(zlib.decompress(body), type=cls)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise ValueError(f"no block: {error}") from error


# Learnt here, once: msgspec 0.22 crashes where two threads, as those of two requests, meet a type for the first time.
msgspec.msgpack.Decoder(Block)


class CheckRows:
    """The observations of one check, while a block is made."""

    __slots__ = ("began_ages_us", "check", "keys", "known", "latencies_us", "numbers", "progress", "timestamps_ns")

    def __init__(self, check: CheckId) -> None:
        self.check = check
        self.keys = array("q")
        self.began_ages_us = array("q")
        self.latencies_us = array("q")
        self.numbers = array("q")
        self.timestamps_ns = array("q")
        self.progress = array("q")
        self.known: dict[Finding, int] = {}

    def add(self, key: int, began_age_us: int, seen: Observation) -> None:
        """One observation."""
        self.keys.append(key)
        self.began_ages_us.append(began_age_us)
        self.latencies_us.append(min(int(seen.latency_s * 1e6), _IN_COLUMN) if seen.latency_s > 0 else 0)
        finding = self._finding(seen)
        number = self.known.get(finding)
        if number is None:
            number = self.known[finding] = len(self.known)
        self.numbers.append(number)

    def _finding(self, seen: Observation) -> Finding:
        signal, who = seen.signal, seen.identity
        pid, started_at = (None, None) if who is None else (who.pid, who.started_at)
        if signal is None:
            more = seen.several or seen.stopped
            kept = Finding(seen.verdict, seen.message, pid, started_at)
            return replace(kept, several=seen.several, stopped=seen.stopped) if more else kept
        timestamp, progress = None, signal.progress
        if abs(signal.timestamp_ns) < _IN_COLUMN:
            self.timestamps_ns.append(signal.timestamp_ns)
        else:
            timestamp = str(signal.timestamp_ns)
        counts = is_large = False
        if type(progress) is int:
            counts = abs(progress) < _IN_COLUMN
            is_large = not counts
            if counts:
                self.progress.append(progress)
            progress = str(progress) if is_large else None
        rest = (signal.busy, counts, timestamp, progress, is_large)
        return Finding(seen.verdict, seen.message, pid, started_at, True, *rest)

    def extend(self, columns: Columns) -> None:
        """All of another block; its findings are numbered anew."""
        self.keys.extend(unpack(columns.keys))
        self.began_ages_us.extend(unpack(columns.began_ages_us))
        self.latencies_us.extend(unpack(columns.latencies_us))
        self.timestamps_ns.extend(unpack(columns.timestamps_ns))
        self.progress.extend(unpack(columns.progress))
        anew = [self.known.setdefault(finding, len(self.known)) for finding in columns.findings]
        self.numbers.extend(anew[number] for number in unpack(columns.numbers))

    def columns(self) -> Columns:
        """Packed."""
        return Columns(
            self.check.component,
            self.check.check,
            pack(self.keys, 1),
            pack(self.began_ages_us),
            pack(self.latencies_us),
            list(self.known),
            pack(self.numbers),
            pack(self.timestamps_ns, 1),
            pack(self.progress, 1),
        )


def merge(blocks: Iterable[Block]) -> Block:
    """One block of several, the oldest first, of one life. It holds one of them at a time."""
    ticks: list[int] = []
    reviews: list[int] = []
    rows: dict[CheckId, CheckRows] = {}
    clocks: list[tuple[int, int, int]] = []
    gaps: list[tuple[int, int]] = []
    for block in blocks:
        ticks += unpack(block.ticks)
        reviews += unpack(block.reviews)
        clocks += [clock for clock in block.clocks if not clocks or clock[1:] != clocks[-1][1:]]
        gaps += block.gaps
        for columns in block.checks:
            check = CheckId(columns.component, columns.check)
            rows.setdefault(check, CheckRows(check)).extend(columns)
    return Block(pack(ticks, 1), pack(reviews, 1), clocks, gaps, [row.columns() for row in rows.values()])


Row: TypeAlias = tuple[int, CheckId, int, Observation]
"""Key, check, when the look began in nanoseconds of the monotonic clock, what was found."""


def rows_of(columns: Columns) -> Iterator[Row]:
    """The observations of one check, the oldest first; equal ones without a signal are the same object."""
    check = CheckId(columns.component, columns.check)
    keys, ages_us = unpack(columns.keys), unpack(columns.began_ages_us)
    began = [((key >> RANK_BITS) - age_us) * _NS_PER_US for key, age_us in zip(keys, ages_us, strict=True)]
    numbers = unpack(columns.numbers)
    if any(finding.has_signal for finding in columns.findings):
        return zip(keys, [check] * len(keys), began, list(_with_signals(columns, numbers)), strict=True)
    same = [_observation(finding, None) for finding in columns.findings]
    return zip(keys, [check] * len(keys), began, [same[number] for number in numbers], strict=True)


def _with_signals(columns: Columns, numbers: Iterable[int]) -> Iterator[Observation]:
    timestamps, progress = iter(unpack(columns.timestamps_ns)), iter(unpack(columns.progress))
    findings, plain = columns.findings, [_observation(finding, None) for finding in columns.findings]
    before: tuple[int, int, int | float | str | None] | None = None
    made = Observation(Verdict.OK)
    for number in numbers:
        finding = findings[number]
        if not finding.has_signal:
            yield plain[number]
            continue
        timestamp_ns = next(timestamps) if finding.timestamp_ns is None else int(finding.timestamp_ns)
        value = next(progress) if finding.counts else _progress(finding)
        if before != (number, timestamp_ns, value):  # looked at twice between two beats: nothing new
            before = (number, timestamp_ns, value)
            made = _observation(finding, WorkSignal(timestamp_ns, value, finding.busy))
        yield made


def _progress(finding: Finding) -> int | float | str | None:
    return int(finding.progress) if finding.is_large and finding.progress is not None else finding.progress


def _observation(finding: Finding, signal: WorkSignal | None) -> Observation:
    identity = None if finding.pid is None else Identity(finding.pid, finding.started_at)
    more = (finding.several, finding.stopped)
    return Observation(finding.verdict, finding.message, 0.0, _NONE, _NONE, signal, identity, *more)
