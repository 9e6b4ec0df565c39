"""Rows: the observations of many checks as columns, in the order in which they were taken, and from there by check.

Two seconds of a thousand checks are a look or two of each: columns a check would cost more than what stands in them. So
a fresh block keeps one column of each kind for all of them, and only merging sorts them by check. An observation that
was taken before costs no more than its place. Not here: files, keys, and what is counted.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from lifesign.core.model import CheckId, Observation, Verdict
from lifesign.records import dataclass
from lifesign.store.columns import pack, unpack
from lifesign.store.findings import IN_COLUMN, Columns, Finding, taken_apart

AT_ONCE = 250  # observations: half a millisecond
_MOST_KNOWN = 20_000  # findings that are kept to be found again

_Part: TypeAlias = tuple[Observation, Finding, int, int, int]
"""An observation, its finding, timestamp and progress, and the number of its check."""


class Rows(msgspec.Struct, array_like=True):
    """Packed. `of` and `numbers`: which check and which finding; a timestamp or progress that is in no column is 0."""

    checks: list[tuple[int, str, str]]
    findings: list[Finding]
    of: bytes
    keys: bytes
    began_ages_us: bytes
    latencies_us: bytes
    numbers: bytes
    timestamps_ns: bytes
    progress: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found at which checks, the oldest first, with its key and the age of the look's beginning in µs."""

    keys: list[int]
    began_ages_us: list[int]
    checks: list[CheckId]
    found: list[Observation]


class Writing:
    """Makes rows; what it has met before it knows again."""

    __slots__ = ("_known", "_last", "_numbered")

    def __init__(self) -> None:
        self._last: dict[CheckId, _Part] = {}
        self._known: dict[Finding, Finding] = {}
        self._numbered = 0

    def rows(self, seen: Seen, breathe: Callable[[], object] = int) -> Rows:
        """Of these. `breathe`: as `Drafting.draft` has it."""
        if len(self._last) > _MOST_KNOWN:
            self._last.clear()
        parts: list[_Part] = []
        for first in range(0, len(seen.checks), AT_ONCE):
            parts += self._parts(seen.checks[first : first + AT_ONCE], seen.found[first : first + AT_ONCE])
            breathe()
        places: dict[int, int] = {}
        numbers = [places.setdefault(id(part[1]), len(places)) for part in parts]
        findings = {id(part[1]): part[1] for part in parts}
        of = [part[4] for part in parts]
        columns: list[tuple[Sequence[int], int]] = [
            (of, 0),
            (seen.keys, 1),
            (seen.began_ages_us, 0),
            ([_latency_us(part[0].latency_s) for part in parts], 0),
            (numbers, 0),
            ([part[2] for part in parts], 0),
            ([part[3] for part in parts], 0),
        ]
        packed = []
        for values, order in columns:
            packed.append(pack(values, order))
            breathe()
        checks = [(number, *check) for number, check in dict(zip(of, seen.checks, strict=True)).items()]
        return Rows(checks, [findings[place] for place in places], *packed)

    def _parts(self, checks: Iterable[CheckId], found: Iterable[Observation]) -> list[_Part]:
        """Each taken apart, if it was not the last time."""
        parts, last = [], self._last
        for check, seen in zip(checks, found, strict=True):
            part = last.get(check)
            if part is None or part[0] is not seen:
                part = last[check] = self._part(seen, part)
            parts.append(part)
        return parts

    def _part(self, found: Observation, before: _Part | None) -> _Part:
        if before is not None and _tells_the_same(found, before[0]):
            return found, before[1], 0, 0, before[4]
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        finding, timestamp_ns, progress = taken_apart(found)
        if before is None:
            self._numbered += 1
        number = self._numbered - 1 if before is None else before[4]
        return found, self._known.setdefault(finding, finding), timestamp_ns, progress, number


def _tells_the_same(one: Observation, other: Observation) -> bool:
    """Whether both have the same finding, and no column beside it: nearly all that pass do."""
    return (
        one.message == other.message
        and one.verdict is other.verdict
        and one.signal is other.signal is None
        and one.identity == other.identity
        and one.several is other.several
        and one.stopped is other.stopped
    )


def _latency_us(latency_s: float) -> int:
    return min(int(latency_s * 1e6), IN_COLUMN) if latency_s > 0 else 0


class Outcomes(NamedTuple):
    """What the looks of one check came to, the oldest first: key, verdict and latency of each."""

    component: str
    check: str
    keys: list[int]
    verdicts: list[Verdict]
    latencies_us: list[int]


class Gathering:
    """Takes rows and columns, the oldest first, and gives them by check."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], array[int]] = {}  # which of all rows are of that check
        self._findings: dict[Finding, int] = {}
        self._keys, self._began_ages_us, self._latencies_us = array("q"), array("q"), array("q")
        self._numbers, self._timestamps_ns, self._progress = array("q"), array("q"), array("q")

    def __len__(self) -> int:
        """How many checks."""
        return len(self._rows)

    def add(self, rows: Rows) -> None:
        """Fresh rows."""
        held = {number: self._rows_of(component, check) for number, component, check in rows.checks}
        for row, number in enumerate(unpack(rows.of), len(self._keys)):
            held[number].append(row)
        self._add(rows.keys, rows.began_ages_us, rows.latencies_us, rows.findings, rows.numbers)
        self._timestamps_ns.extend(unpack(rows.timestamps_ns))
        self._progress.extend(unpack(rows.progress))

    def add_columns(self, columns: Columns) -> None:
        """One check of a block that was sorted before."""
        first = len(self._keys)
        self._add(columns.keys, columns.began_ages_us, columns.latencies_us, columns.findings, columns.numbers)
        self._rows_of(columns.component, columns.check).extend(range(first, len(self._keys)))
        found = [columns.findings[number] for number in unpack(columns.numbers)]
        timestamps_ns, progress = iter(unpack(columns.timestamps_ns)), iter(unpack(columns.progress))
        self._timestamps_ns.extend(next(timestamps_ns) if finding.is_stamped else 0 for finding in found)
        self._progress.extend(next(progress) if finding.counts else 0 for finding in found)

    def _rows_of(self, component: str, check: str) -> "array[int]":
        held = self._rows.get((component, check))
        if held is None:
            held = self._rows[component, check] = array("i")
        return held

    def _add(
        self, keys: bytes, began_ages_us: bytes, latencies_us: bytes, findings: Sequence[Finding], numbers: bytes
    ) -> None:
        known = self._findings
        anew = [known.setdefault(finding, len(known)) for finding in findings]
        self._keys.extend(unpack(keys))
        self._began_ages_us.extend(unpack(began_ages_us))
        self._latencies_us.extend(unpack(latencies_us))
        self._numbers.extend(map(anew.__getitem__, unpack(numbers)))

    def by_check(self) -> Iterator[Columns]:
        """A column of each kind for each check, made when it is asked for."""
        findings = list(self._findings)
        for (component, check), rows in self._rows.items():
            yield self._columns(component, check, rows, findings)

    def outcomes(self) -> Iterator[Outcomes]:
        """The same, but for what is not counted: to pack columns and unpack them again takes three times as long."""
        keys, latencies_us, numbers = self._keys, self._latencies_us, self._numbers
        verdicts = [finding.verdict for finding in self._findings]
        for (component, check), rows in self._rows.items():
            of_rows = [keys[row] for row in rows], [verdicts[numbers[row]] for row in rows]
            yield Outcomes(component, check, *of_rows, [latencies_us[row] for row in rows])

    def _columns(self, component: str, check: str, rows: Sequence[int], findings: Sequence[Finding]) -> Columns:
        """Packed; a timestamp or progress that stands in no column has no place."""
        own: dict[int, int] = {}
        numbers = [own.setdefault(self._numbers[row], len(own)) for row in rows]
        held = [findings[number] for number in own]
        stamped = [row for row, number in zip(rows, numbers, strict=True) if held[number].is_stamped]
        counting = [row for row, number in zip(rows, numbers, strict=True) if held[number].counts]
        return Columns(
            component,
            check,
            pack([self._keys[row] for row in rows], 1),
            pack([self._began_ages_us[row] for row in rows]),
            pack([self._latencies_us[row] for row in rows]),
            held,
            pack(numbers),
            pack([self._timestamps_ns[row] for row in stamped], 1),
            pack([self._progress[row] for row in counting], 1),
        )
