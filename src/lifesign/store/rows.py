"""Rows: the observations of many checks as columns, in the order in which they were taken, and from there by check.

Two seconds of a thousand checks are a look or two of each: columns a check would cost more than what stands in them. So
a fresh block keeps one column of each kind for all of them, and only merging sorts them by check. An observation that
was taken before costs no more than its place. Not here: files, keys, and what is counted.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec

from lifesign.core.model import CheckId, Observation
from lifesign.store.columns import pack, unpack
from lifesign.store.findings import IN_COLUMN, Columns, Finding, taken_apart

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


class Writing:
    """Makes rows; what it has met before it knows again."""

    __slots__ = ("_known", "_last", "_numbered")

    def __init__(self) -> None:
        self._last: dict[CheckId, _Part] = {}
        self._known: dict[Finding, Finding] = {}
        self._numbered = 0

    def rows(self, seen: Sequence[tuple[int, int, CheckId, Observation]]) -> Rows:
        """Of (key, age of the look's beginning in µs, check, what was found), the oldest first."""
        if len(self._last) > _MOST_KNOWN:
            self._last.clear()
        keys, ages_us, checks, found = zip(*seen, strict=True) if seen else ((), (), (), ())
        parts = self._parts(checks, found)
        places: dict[int, int] = {}
        numbers = [places.setdefault(id(part[1]), len(places)) for part in parts]
        findings = {id(part[1]): part[1] for part in parts}
        of = [part[4] for part in parts]
        return Rows(
            [(number, *check) for number, check in dict(zip(of, checks, strict=True)).items()],
            [findings[place] for place in places],
            pack(of),
            pack(keys, 1),
            pack(ages_us),
            pack([_latency_us(part[0].latency_s) for part in parts]),
            pack(numbers),
            pack([part[2] for part in parts]),
            pack([part[3] for part in parts]),
        )

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
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        finding, timestamp_ns, progress = taken_apart(found)
        if before is None:
            self._numbered += 1
        number = self._numbered - 1 if before is None else before[4]
        return found, self._known.setdefault(finding, finding), timestamp_ns, progress, number


def _latency_us(latency_s: float) -> int:
    return min(int(latency_s * 1e6), IN_COLUMN) if latency_s > 0 else 0


class _Check:
    """The rows of one check: arrays, for there are many. A timestamp or progress in no column has no place."""

    __slots__ = ("began_ages_us", "check", "findings", "keys", "latencies_us", "numbers", "progress", "timestamps_ns")

    def __init__(self, check: CheckId) -> None:
        self.check = check
        self.findings: dict[Finding, int] = {}
        self.keys, self.began_ages_us, self.latencies_us = array("q"), array("q"), array("q")
        self.numbers, self.timestamps_ns, self.progress = array("q"), array("q"), array("q")

    def number(self, finding: Finding) -> int:
        """Which of its findings that is."""
        return self.findings.setdefault(finding, len(self.findings))

    def columns(self) -> Columns:
        """Packed."""
        return Columns(
            self.check.component,
            self.check.check,
            pack(self.keys, 1),
            pack(self.began_ages_us),
            pack(self.latencies_us),
            list(self.findings),
            pack(self.numbers),
            pack(self.timestamps_ns, 1),
            pack(self.progress, 1),
        )


class Gathering:
    """Takes rows and columns, the oldest first, and gives them by check."""

    def __init__(self) -> None:
        self._checks: dict[CheckId, _Check] = {}

    def add(self, rows: Rows) -> None:
        """Fresh rows; a block of them at a time, for what sorts them lets nobody else run."""
        of = unpack(rows.of)
        order = sorted(range(len(of)), key=of.__getitem__)
        of, keys, ages_us, latencies_us, numbers, timestamps_ns, progress = (
            [column[place] for place in order]
            for column in (
                of,
                *map(unpack, (rows.keys, rows.began_ages_us, rows.latencies_us)),
                *map(unpack, (rows.numbers, rows.timestamps_ns, rows.progress)),
            )
        )
        names = {number: CheckId(component, check) for number, component, check in rows.checks}
        first = 0
        while first < len(of):
            chosen = slice(first, bisect_right(of, of[first], first))
            check = self._check(names[of[first]])
            check.keys.extend(keys[chosen])
            check.began_ages_us.extend(ages_us[chosen])
            check.latencies_us.extend(latencies_us[chosen])
            for number, timestamp_ns, count in zip(
                numbers[chosen], timestamps_ns[chosen], progress[chosen], strict=True
            ):
                finding = rows.findings[number]
                check.numbers.append(check.number(finding))
                if finding.has_signal:
                    if finding.is_stamped:
                        check.timestamps_ns.append(timestamp_ns)
                    if finding.counts:
                        check.progress.append(count)
            first = chosen.stop

    def add_columns(self, columns: Columns) -> None:
        """One check of a block that was sorted before; its findings are numbered anew."""
        check = self._check(CheckId(columns.component, columns.check))
        anew = [check.number(finding) for finding in columns.findings]
        check.keys.extend(unpack(columns.keys))
        check.began_ages_us.extend(unpack(columns.began_ages_us))
        check.latencies_us.extend(unpack(columns.latencies_us))
        check.numbers.extend(anew[number] for number in unpack(columns.numbers))
        check.timestamps_ns.extend(unpack(columns.timestamps_ns))
        check.progress.extend(unpack(columns.progress))

    def _check(self, check: CheckId) -> _Check:
        held = self._checks.get(check)
        if held is None:
            held = self._checks[check] = _Check(check)
        return held

    def by_check(self) -> list[Columns]:
        """A column of each kind for each check."""
        return [check.columns() for check in self._checks.values()]
