"""The line under each component: why, and what next. Words only; it decides nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from lifesign.core.component import layers
from lifesign.core.model import NS_PER_S, CheckState, ComponentState, Layer, Verdict
from lifesign.core.tracked import TrackedCheck
from lifesign.text import format_duration

_PROVEN = (CheckState.PASSING, CheckState.WARNING)
_PRAISE = (Layer.ALIVE, Layer.READY, Layer.WORKING)


Said: TypeAlias = Mapping[TrackedCheck, str]
"""The checks of a component in their order, each with what it says now."""


def what_they_say(checks: Iterable[TrackedCheck], now_ns: int, age: str = "") -> Said:
    """Each of `checks` with its message of `now_ns`, or of such an `age`."""
    return {check: check.message(now_ns, age) for check in checks}


def diagnose(state: ComponentState, said: Said, *, crash_loop: bool) -> str:
    """Why the component is in `state`, naming the layer: "alive and ready, but not working: …"."""
    match state:
        case ComponentState.HEALTHY:
            return _healthy(said)
        case ComponentState.DOWN:
            return _down(said)
        case ComponentState.UNKNOWN:
            return (
                _named(said, CheckState.UNKNOWN, "nobody could find out") or "nobody looks: no check of it can be run"
            )
        case ComponentState.DEGRADED:
            return _degraded(said, crash_loop=crash_loop)
        case ComponentState.STARTING:
            return _starting(said)
        case ComponentState.PAUSED:
            return "paused by the operator"


def _down(said: Said) -> str:
    failed = [c for c in said if c.state is CheckState.FAILED and not c.spec.optional]
    broken = [layer for layer in Layer if any(c.spec.layer is layer for c in failed)]
    held = layers(said)
    praised = [layer for layer in _PRAISE if held[layer] in _PROVEN and layer not in broken]
    if Layer.ALIVE in broken:  # what a dead process left behind is no proof
        praised = []
    blame = _listed([f"not {layer}" for layer in broken])
    words = f"{_listed(praised)}, but {blame}" if praised else blame
    reasons = [_reason(c, said) for c in sorted(failed, key=_by_layer)]
    if any(check.last and check.last.stopped for check in said):  # that is why it hangs
        reasons.insert(1, "its process is stopped by a signal")
    return f"{words}: {'; '.join(dict.fromkeys(reasons[:2]))}" if reasons else words


def _reason(check: TrackedCheck, said: Said) -> str:
    """What its last look found; a good one that is not yet enough is told as that."""
    seen, asked = check.machine.consecutive_successes, check.spec.success_threshold
    words = said[check]
    return f"recovering ({seen} of {asked}): {words}" if 0 < seen < asked else words


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _by_layer(check: TrackedCheck) -> int:
    return list(Layer).index(check.spec.layer)


def _named(said: Said, state: CheckState, words: str) -> str:
    for check in said:
        if check.state is state and not check.spec.optional:
            return f"{words}: {check.spec.name}: {said[check]}"
    return ""


def _degraded(said: Said, *, crash_loop: bool) -> str:
    if crash_loop:
        return "crash loop: its process is replaced again and again"
    for check in said:
        if check.flaps.flapping:
            window = format_duration(check.spec.flap_window_ns / NS_PER_S)
            return f"flapping: {check.spec.name} changed {check.spec.flap_changes} times or more within {window}"
    failing = [c for c in said if c.state is CheckState.FAILING]
    if failing:
        check = failing[0]
        return f"suspect, not {check.spec.layer}: {check.spec.name} failed ({_count(check)}): {said[check]}"
    for check in said:
        if check.state in (CheckState.FAILED, CheckState.UNKNOWN, CheckState.WARNING):
            kind = "optional " if check.spec.optional else ""
            return f"{kind}{check.spec.name} is {check.state}: {said[check]}"
    return "degraded"


def _count(check: TrackedCheck) -> str:
    counted, threshold = check.machine.counted_failures, check.spec.failure_threshold
    if not counted:
        return "in its grace"
    before = " before this look" if check.is_blinded else ""  # which is told not to count
    if counted < threshold or check.spec.failure_for_ns is None:
        return f"{min(counted, threshold)} of {threshold}{before}"
    return f"{counted} times, not yet for {format_duration(check.spec.failure_for_ns / NS_PER_S)}{before}"


def _starting(said: Said) -> str:
    waiting = [c for c in said if c.state is CheckState.PENDING]
    words = f"starting: waiting for {', '.join(c.spec.name for c in waiting)}"
    reasons = [said[c] for c in waiting if c.last]
    return f"{words} ({reasons[0]})" if reasons else words


def _healthy(said: Said) -> str:
    for check in said:
        if _is_excused(check):
            return f"{check.spec.name}: {said[check]}"  # green by excuse alone, which is told
    for check in said:
        if check.spec.layer is Layer.WORKING and check.judge is not None and check.is_sound:
            return f"working: {said[check]}" if check.judge.has_worked else said[check]
    return "every check passes"


def next_step(state: ComponentState, checks: Collection[TrackedCheck], now_ns: int) -> str:
    """What happens next and in how long, where something will; else empty."""
    if state is ComponentState.STARTING:
        graces = [c.machine.grace_ends_ns - now_ns for c in checks if c.state is CheckState.PENDING]
        return f"grace ends in {format_duration(max(graces) // NS_PER_S)}" if graces and max(graces) > 0 else ""
    if state is ComponentState.DOWN:
        ahead_ns = [c.schedule.due_ns - now_ns for c in checks if c.state is CheckState.FAILED]
        return _again(min(ahead_ns)) if ahead_ns else ""
    excused_ns = [c.machine.blind_left_ns(now_ns) for c in checks if _is_excused(c)]
    if state is ComponentState.HEALTHY and excused_ns and max(excused_ns) > 0:
        return f"grace ends in {format_duration(max(1, max(excused_ns) // NS_PER_S))}: failures count from then on"
    failing = [c for c in checks if c.state is CheckState.FAILING] if state is ComponentState.DEGRADED else []
    return _until_down(failing, now_ns) if failing else ""


def _again(ahead_ns: int) -> str:
    """In whole seconds begun, as whoever waits counts them."""
    return f"looked at again in {format_duration(-(-ahead_ns // NS_PER_S))}" if ahead_ns > 0 else "looked at again now"


def _is_excused(check: TrackedCheck) -> bool:
    """Whether its last look found a failure that does not count."""
    return check.last is not None and check.last.verdict is not Verdict.UNKNOWN and not check.is_sound


def _until_down(failing: Sequence[TrackedCheck], now_ns: int) -> str:
    required = [c for c in failing if not c.spec.optional]
    if not required:
        return ""
    wait_ns = min(_wait_ns(check, now_ns) for check in required)
    return f"down in {format_duration(max(1, wait_ns // NS_PER_S))} if it goes on"


def _wait_ns(check: TrackedCheck, now_ns: int) -> int:
    first_ns = check.schedule.due_ns - now_ns
    if (blind_ns := check.machine.blind_left_ns(now_ns) - first_ns) >= 0:  # no look that begins till then counts
        first_ns += (blind_ns // check.spec.interval_ns + 1) * check.spec.interval_ns
    by_count = first_ns + (check.machine.observations_until_failed() - 1) * check.spec.interval_ns
    by_grace = check.machine.grace_ends_ns - now_ns
    return max(by_count, check.machine.time_until_failed_ns(now_ns), by_grace)
