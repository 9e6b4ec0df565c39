"""Hindsight: how a component stood at a moment of the past, from what was told until then and what was seen last.

Theory of operation. Events tell most changes, not all: a warning, a grace, a second going down within one incident are
never told. So a state stands only where what was told proves it, or the looks that are kept do; whatever else may have
been is None, which means that nobody can tell any more, never that it was as now. Pure, as all of the core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from lifesign.core.events import Event
from lifesign.core.model import WORST_CHECK_FIRST, CheckState, ComponentState, Layer, Verdict
from lifesign.core.retold import Held, Told
from lifesign.core.spec import CheckSpec, ComponentSpec
from lifesign.records import dataclass

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class PastLook:
    """The newest look of a check until a moment, Unix nanoseconds.

    In a row until then, and as far as looks are kept, `failures` failed, `successes` were ok, `not_failed` ok or warn;
    a look that found nothing out counts in none. `failures` is None where the first of them may not be kept.
    `signal_ns`: the work signal that it read.
    """

    at_ns: int
    verdict: Verdict
    message: str = ""
    latency_s: float | None = None
    failures: int | None = None
    successes: int = 0
    not_failed: int = 0
    signal_ns: int | None = None


@dataclass(frozen=True, slots=True)
class PastCheck:
    """One check as it stood. `spec`: as it is configured now, None where it is no more."""

    name: str
    spec: CheckSpec | None
    state: CheckState | None
    message: str
    look: PastLook | None


@dataclass(frozen=True, slots=True)
class Hindsight:
    """One component as it stood. `told`: what laid its state open, empty where nothing did.

    `since_ns`: since when it was in that state. `restart`: what was told last of restarts in the incident of then.
    `notices`: what operators had laid upon it, as it was told.
    """

    state: ComponentState | None = None
    since_ns: int | None = None
    diagnosis: str = ""
    incident: str | None = None
    opened_ns: int | None = None
    restart: str = ""
    notices: tuple[str, ...] = ()
    layers: Mapping[Layer, CheckState | None] = field(default_factory=dict)
    last_work_ns: int | None = None
    checks: tuple[PastCheck, ...] = ()


def hindsight(events: Sequence[Event], looks: Mapping[str, PastLook], spec: ComponentSpec, at_ns: int) -> Hindsight:
    """How the component of `spec`, as it is configured now, stood at `at_ns`.

    `events`: what was told of it until then, in order, from as far back as is kept; of the monitor: starts, reloads and
    holds of everything. `looks`: by check.
    """
    specs = {check.name: check for check in spec.checks}
    told = Told([*specs, *(name for name in looks if name not in specs)])
    for event in events:
        told.hear(event)
    checks = tuple(_check(name, specs.get(name), looks.get(name), told, at_ns) for name in told.checks if name)
    state = _state(checks, told, at_ns)
    known = state is told.state and state is not None
    return Hindsight(
        state=state,
        since_ns=told.state_ns if known else None,
        diagnosis=told.words if known else "",
        incident=told.incident,
        opened_ns=told.opened_ns,
        restart=told.restart,
        notices=tuple(told.notices.values()),
        layers=_layers(checks),
        last_work_ns=max((c.look.signal_ns for c in checks if c.look and c.look.signal_ns is not None), default=None),
        checks=checks,
    )


def _check(name: str, spec: CheckSpec | None, look: PastLook | None, told: Told, at_ns: int) -> PastCheck:
    held = told.checks[name]
    if look is not None and look.at_ns > at_ns + NS_PER_MS:
        look = None
    later = look is not None and look.at_ns > held.told_ns + NS_PER_MS
    if not later and look is not None and look.verdict is Verdict.WARN and look.at_ns >= held.told_ns:
        later = held.state is CheckState.PASSING  # told and seen in one millisecond: that was told first
    message = held.message if held.message and not later else look.message if look is not None else ""
    if spec is not None and spec.signal is not None and look is not None:
        look = replace(look, failures=None)  # what it read is not what was judged of it
    return PastCheck(name, spec, _check_state(held, spec, look if later else None, told, at_ns), message, look)


def _check_state(
    held: Held, spec: CheckSpec | None, look: PastLook | None, told: Told, at_ns: int
) -> CheckState | None:
    """`look`: one that is newer than what was told."""
    state = held.state
    if told.state is ComponentState.PAUSED:
        return state
    doubted_ns = told.begun_ns if held.told_ns <= told.begun_ns else 0
    if held.told_ns <= told.renewed_ns and (state is CheckState.UNKNOWN or (spec and spec.signal)):
        doubted_ns = max(doubted_ns, told.renewed_ns)
    if state is None or doubted_ns:
        if spec is not None and spec.signal is not None and state is not CheckState.PASSING:
            return None  # how often in a row what it read was good enough is not kept
        return CheckState.PASSING if _proves_passing(look, spec, doubted_ns, at_ns) else None
    if look is None or spec is None:
        return state
    return state if _still_stands(state, spec, look, told) else _warning(state, look)


def _still_stands(state: CheckState, spec: CheckSpec, look: PastLook, told: Told) -> bool:
    """Whether newer looks leave what was told as it was: a warning is never told, nor what one ended."""
    match state:
        case CheckState.PASSING:
            calm = told.state is ComponentState.HEALTHY or look.successes >= spec.success_threshold
            return calm and look.verdict is not Verdict.WARN
        case CheckState.FAILING:
            return look.not_failed == 0
        case CheckState.FAILED if spec.signal is None:
            return look.not_failed < spec.success_threshold
        case CheckState.FAILED:  # what it read is not what was judged of it
            return look.successes == look.not_failed
        case _:
            return look.verdict is Verdict.UNKNOWN


def _warning(state: CheckState, look: PastLook) -> CheckState | None:
    """What a check was that was in no state of which is told: it warned, if that can be seen."""
    may_be = state in (CheckState.PASSING, CheckState.FAILING) and look.verdict is Verdict.WARN
    return CheckState.WARNING if may_be else None


def _proves_passing(look: PastLook | None, spec: CheckSpec | None, since_ns: int, at_ns: int) -> bool:
    """Whether what was seen since then leaves nothing but passing."""
    if look is None or spec is None or look.verdict is not Verdict.OK or look.at_ns <= since_ns:
        return False
    if look.successes < spec.success_threshold:
        return False
    if spec.signal is None:
        return True
    fresh = look.signal_ns is not None and 0 <= at_ns - look.signal_ns < spec.signal.stale_after_ns
    return fresh and 0 < since_ns < (look.signal_ns or 0)  # a progress that rested before is told of anew after it


def _state(checks: Sequence[PastCheck], told: Told, at_ns: int) -> ComponentState | None:
    if told.state is ComponentState.PAUSED or (told.state is not None and told.state_ns == at_ns):
        return told.state
    seen = {check.state for check in checks}
    required = {check.state for check in checks if check.spec is None or not check.spec.optional}
    if any(check.spec is None and check.state is not CheckState.PASSING for check in checks):
        return None  # nobody knows whether it was optional
    if CheckState.FAILED in required:
        return ComponentState.DOWN
    if not checks or None in seen:
        return None
    if CheckState.UNKNOWN in required:
        return ComponentState.UNKNOWN
    if seen != {CheckState.PASSING} or told.state is ComponentState.DEGRADED:  # flapping, a crash loop
        return ComponentState.DEGRADED
    return ComponentState.HEALTHY


def _layers(checks: Sequence[PastCheck]) -> Mapping[Layer, CheckState | None]:
    """The worst of each layer that has checks; None where it cannot be told."""
    found: dict[Layer, CheckState | None] = {}
    for layer in Layer:
        states = {check.state for check in checks if check.spec is not None and check.spec.layer is layer}
        if not states:
            continue
        known = [state for state in WORST_CHECK_FIRST if state in states]
        worst = known[0] if known else None
        found[layer] = None if None in states and worst is not CheckState.FAILED else worst
    return found
