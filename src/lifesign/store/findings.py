"""Findings: what equal observations have in common, and the observations of one check as columns beside them.

Equal findings in a row cost next to nothing, for each different one stands in its block once; what differs from beat to
beat, the timestamp, the progress and a message that only repeats it, has columns of its own. Metrics and data of an
observation decide nothing, and are not kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from lifesign.core.model import CheckId, Identity, Observation, Verdict, WorkSignal
from lifesign.store.columns import unpack

RANK_BITS = 12
IN_COLUMN = 1 << 62  # larger numbers stand in the finding itself; nanoseconds are smaller until the year 2116
_NS_PER_US = 1_000
_NONE: Mapping[str, Any] = {}


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """What equal observations have in common. `timestamp_ns`, `progress`: where they do not stand in a column.

    `is_large`: the progress is a number of more than 64 bits, in decimal. `repeats`: the message goes on with the
    progress that stands in the column.
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
    repeats: bool = False

    @property
    def is_stamped(self) -> bool:
        """Whether its timestamp stands in a column."""
        return self.has_signal and self.timestamp_ns is None


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


def taken_apart(seen: Observation) -> tuple[Finding, int, int]:
    """The finding of an observation, and its timestamp and progress; 0 for what stands in no column."""
    signal, who, message = seen.signal, seen.identity, seen.message
    pid, started_at = (None, None) if who is None else (who.pid, who.started_at)
    more = seen.several, seen.stopped
    if signal is None:
        return Finding(seen.verdict, message, pid, started_at, False, None, False, None, None, False, *more), 0, 0
    timestamp_ns, timestamp = signal.timestamp_ns, None
    if abs(timestamp_ns) >= IN_COLUMN:
        timestamp_ns, timestamp = 0, str(timestamp_ns)
    count, progress = 0, signal.progress
    counts = is_large = repeats = False
    if type(progress) is int:
        counts = abs(progress) < IN_COLUMN
        is_large = not counts
        digits = str(progress)
        if counts:
            count, repeats = progress, message.endswith(digits)
            message = message[: -len(digits)] if repeats else message
        progress = digits if is_large else None
    rest = (signal.busy, counts, timestamp, progress, is_large, *more, repeats)
    return Finding(seen.verdict, message, pid, started_at, True, *rest), timestamp_ns, count


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
    message = f"{finding.message}{signal.progress}" if finding.repeats and signal is not None else finding.message
    more = (finding.several, finding.stopped)
    return Observation(finding.verdict, message, 0.0, _NONE, _NONE, signal, identity, *more)
