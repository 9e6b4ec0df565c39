"""Tapes without a history: of a script (one letter an interval), and of JSON Lines (one observation a line).

In a script p passes, w warns, f fails, u finds nothing out, and . brings nothing new: no look or, of a work signal, the
old one. Before it everything passed for as long as the longest grace; its first letter comes one interval after that.
Nobody ticked here: what changes by time alone does so exactly when it is due.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import msgspec

from lifesign.core.memory import MonitorMemory
from lifesign.core.model import NS_PER_S, CheckId, Identity, Instant, Observation, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec, MonitorSpec
from lifesign.replay.tape import Item, Stretch, TapeLife, key_of
from lifesign.text import parse_timestamp

_BASE = Instant(1_000 * NS_PER_S, 1_767_225_600 * NS_PER_S, 1_000 * NS_PER_S)  # 2026-01-01
_VERDICTS = {"p": Verdict.OK, "w": Verdict.WARN, "f": Verdict.FAIL, "u": Verdict.UNKNOWN}
_AFTER_NS = 24 * 3_600 * NS_PER_S


class Scripted(NamedTuple):
    """A tape, and when its script begins on the wall clock."""

    life: TapeLife
    begins_wall_ns: int


def letters(text: str) -> str:
    """The letters of a script. Raises ValueError for any other."""
    wrong = sorted(set(text) - {*_VERDICTS, "."})
    if wrong or not text:
        raise ValueError(f"a script is made of p, w, f, u and ., not of {', '.join(wrong) or 'nothing'}")
    return text


def scripted(spec: MonitorSpec, scripts: Mapping[CheckId, str]) -> Scripted:
    """Each check's script; checks without one pass all the time."""
    checks = {CheckId(c.name, check.name): check for c in spec.components for check in c.checks}
    lead_ns = max([check.grace_ns for check in checks.values()], default=0) + NS_PER_S
    lasts_ns = max(len(scripts.get(at, "")) * check.interval_ns for at, check in checks.items())
    items: list[Item] = []
    for at, check in checks.items():
        items += _looks(at, check, scripts.get(at, "p" * (lasts_ns // check.interval_ns)), lead_ns)
    life = _life(spec, _BASE, [sorted(items, key=itemgetter(0))], lead_ns + lasts_ns)
    return Scripted(life, _BASE.wall_ns + lead_ns)


def _looks(at: CheckId, check: CheckSpec, script: str, lead_ns: int) -> Iterator[Item]:
    """Passing up to the beginning of the script, then as it says."""
    moments = [(lead_ns - back * check.interval_ns, "p") for back in range(lead_ns // check.interval_ns, -1, -1)]
    moments += [(lead_ns + number * check.interval_ns, letter) for number, letter in enumerate(script, 1)]
    work_ns = 0
    for moment_ns, letter in moments:
        now = _BASE.after(moment_ns)
        if check.signal is None and letter == ".":
            continue
        verdict = _VERDICTS.get(letter, Verdict.OK)
        work_ns = now.wall_ns if letter in "pw" else work_ns
        signal = WorkSignal(work_ns, work_ns // NS_PER_S) if check.signal is not None and letter in "pw." else None
        words = "" if verdict is Verdict.OK else f"the script says {verdict}"
        yield key_of(now.mono_ns), at, now.mono_ns, Observation(verdict, words, signal=signal)


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    ts: float | str
    component: str
    check: str
    verdict: Verdict
    message: str = ""
    work_at: float | str | None = None
    progress: int | float | str | None = None
    busy: bool | None = None
    pid: int | None = None
    started_at: float | None = None


def from_lines(spec: MonitorSpec, lines: Iterable[bytes]) -> TapeLife:
    """One observation a line, as `lifesign replay --help` says. Raises ValueError with the number of a wrong line."""
    found: list[tuple[int, CheckId, Observation]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_observation(msgspec.json.decode(line, type=_Line)))
        except (msgspec.MsgspecError, ValueError) as error:
            raise ValueError(f"line {number}: {error}") from None
    if not found:
        raise ValueError("there is no observation in it")
    found.sort(key=itemgetter(0))
    wall_ns = found[0][0]
    start = Instant(_BASE.mono_ns, wall_ns, _BASE.boot_ns)
    items: list[Item] = []
    for at_ns, check, seen in found:
        mono_ns = start.mono_ns + at_ns - wall_ns
        rank = len(items) & 0xFFF
        items.append((key_of(mono_ns) | rank, check, mono_ns, seen))
    items.sort(key=itemgetter(0))
    return _life(spec, start, [items], found[-1][0] - wall_ns)


def _observation(line: _Line) -> tuple[int, CheckId, Observation]:
    signal = None if line.work_at is None else WorkSignal(_nanoseconds(line.work_at), line.progress, line.busy)
    identity = None if line.pid is None else Identity(line.pid, line.started_at)
    seen = Observation(line.verdict, line.message, signal=signal, identity=identity)
    return _nanoseconds(line.ts), CheckId(line.component, line.check), seen


def _nanoseconds(moment: float | str) -> int:
    return parse_timestamp(moment) if isinstance(moment, str) else round(moment * NS_PER_S)


def _life(spec: MonitorSpec, start: Instant, chunks: Sequence[list[Item]], lasts_ns: int) -> TapeLife:
    clock = (0, start.wall_ns - start.mono_ns, start.boot_ns - start.mono_ns)
    end_key = key_of(start.mono_ns + lasts_ns + 1)

    def stretches() -> Iterator[Stretch]:
        return (Stretch(items, None, (), (clock,), {}, end_key) for items in chunks)

    return TapeLife(start, spec, MonitorMemory(), (), (), stretches)
