"""Models of the core as a reader of the contract would write them: slow, from the whole history, by definition.

None of them imports the module that it judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lifesign.core.model import CheckState, Verdict
from lifesign.core.spec import CheckSpec

BADNESS = {Verdict.OK: 0, Verdict.WARN: 1, Verdict.FAIL: 2}


@dataclass
class History:
    """Everything that was ever observed of a check, and every time in which the monitor did not run."""

    spec: CheckSpec
    start_ns: int
    seen: list[tuple[int, Verdict]] = field(default_factory=list)
    stalls: list[tuple[int, int]] = field(default_factory=list)

    def lived_ns(self, start_ns: int, end_ns: int) -> int:
        """Time between, without the time in which the monitor did not run."""
        lost_ns = sum(max(0, min(end, end_ns) - max(begin, start_ns)) for begin, end in self.stalls)
        return end_ns - start_ns - lost_ns

    def graced(self, moment_ns: int) -> bool:
        """Whether the grace after the start is not yet lived through."""
        return self.lived_ns(self.start_ns, moment_ns) < self.spec.grace_ns


def known(history: History, until: int | None = None) -> list[tuple[int, int]]:
    """(when, how bad) of what was found out, in the first `until` observations."""
    return [(at, BADNESS[verdict]) for at, verdict in history.seen[:until] if verdict is not Verdict.UNKNOWN]


def trailing(values: Sequence[tuple[int, int]], *, at_least: int) -> list[tuple[int, int]]:
    """The longest run at the end in which all were at least so bad."""
    run: list[tuple[int, int]] = []
    for entry in reversed(values):
        if entry[1] < at_least:
            break
        run.insert(0, entry)
    return run


def held_level(history: History) -> int:
    """What is held: worsen once the last N, for long enough, were at least so bad; improve once the last M were
    at most so bad; nothing observed in grace worsens."""
    spec, level = history.spec, 0
    seen = known(history)
    for count in range(1, len(seen) + 1):
        so_far = seen[:count]
        now_ns = so_far[-1][0]
        last_few = [badness for _, badness in so_far[-spec.success_threshold :]]
        if len(last_few) == spec.success_threshold:
            level = min(level, max(last_few))
        if history.graced(now_ns):
            continue
        for bad in (1, 2):
            run = [entry for entry in trailing(so_far, at_least=bad) if not history.graced(entry[0])]
            if len(run) < spec.failure_threshold:
                continue
            if spec.failure_for_ns is None or history.lived_ns(run[0][0], now_ns) >= spec.failure_for_ns:
                level = max(level, bad)
    return level


def state(history: History, now_ns: int) -> CheckState:
    """The state by the words of the contract, section 3."""
    seen = known(history)
    settled = [bad for at, bad in seen if bad < 2 or not history.graced(at)]
    last_known_ns = max([history.start_ns, *(at for at, _ in seen)])
    lost = history.lived_ns(last_known_ns, now_ns) >= history.spec.unknown_after_ns
    if not settled:
        if history.graced(now_ns):
            return CheckState.PENDING
        return CheckState.FAILING if seen and not lost else CheckState.UNKNOWN
    if lost:
        return CheckState.UNKNOWN
    level, last = held_level(history), seen[-1][1]
    if level == 2:
        return CheckState.FAILED
    if last == 2:
        return CheckState.FAILING
    return CheckState.WARNING if 1 in (level, last) else CheckState.PASSING


def is_flapping(moments: Sequence[tuple[int, bool]], changes: int, window_ns: int, now_ns: int) -> bool:
    """Begins with `changes` changes within the window, ends when a window holds fewer than half of them.

    Replays second by second would be the definition; it changes only at a change, or a window after one.
    """
    turned = [at for (_, before), (at, ok) in pairwise(moments) if ok is not before]
    instants = sorted({at for at in (*turned, *(at + window_ns for at in turned), now_ns) if at <= now_ns})
    flapping = False
    for instant in instants:
        within = sum(1 for at in turned if instant - window_ns < at <= instant)
        if within >= changes:
            flapping = True
        elif 2 * within < changes:
            flapping = False
    return flapping
