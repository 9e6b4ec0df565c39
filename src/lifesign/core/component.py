"""Roll-up: what the states of checks make of a component, and components of the whole (contract, section 3)."""

from collections.abc import Iterable, Mapping, Sequence

from lifesign.core.model import NS_PER_S, WORST_CHECK_FIRST, CheckState, ComponentState, Layer
from lifesign.core.tracked import TrackedCheck

_NO_LAYER: dict[Layer, CheckState | None] = dict.fromkeys(Layer)
_BAD = (CheckState.FAILED, CheckState.UNKNOWN, CheckState.FAILING, CheckState.WARNING)


def component_state(checks: Iterable[TrackedCheck], *, crash_loop: bool) -> ComponentState:
    """The worst that is true of a component. `down` and `unknown` come from checks that are not optional.

    A component without any check is unknown: nobody looks.
    """
    required = set()
    states = set()
    flapping = crash_loop
    for check in checks:
        states.add(check.state)
        flapping = flapping or check.flaps.flapping
        if not check.spec.optional:
            required.add(check.state)
    if CheckState.FAILED in required:
        return ComponentState.DOWN
    if CheckState.UNKNOWN in required or not states:
        return ComponentState.UNKNOWN
    if flapping or not states.isdisjoint(_BAD):
        return ComponentState.DEGRADED
    return ComponentState.STARTING if CheckState.PENDING in states else ComponentState.HEALTHY


def stand_as_before(checks: Iterable[TrackedCheck], now_ns: int, *, flapping: bool) -> bool:
    """Whether every check is in the state it was in, and any flaps if `flapping`: then there is nothing to tell."""
    flaps = False
    for check in checks:
        if check.state is not check.machine.state(now_ns):
            return False
        flaps = flaps or check.flaps.flapping
    return flaps is flapping


def is_seen(state: ComponentState, checks: Iterable[TrackedCheck], *, crash_loop: bool) -> bool:
    """Whether that state is what looks make of it: what has no grace is unknown until its first look, as of right."""
    seen = [check for check in checks if check.last is not None or check.spec.grace_ns]
    return bool(seen) and component_state(seen, crash_loop=crash_loop) is state


def failed_checks(checks: Iterable[TrackedCheck]) -> set[str]:
    """The names of those that take their component down."""
    return {check.spec.name for check in checks if check.state is CheckState.FAILED and not check.spec.optional}


def unseen_s(checks: Iterable[TrackedCheck], now_ns: int) -> float:
    """How long ago it began, in seconds, that a component is down: the last work, or the first failure in a row."""
    blamed = [check for check in checks if check.state is CheckState.FAILED and not check.spec.optional]
    return max((_unseen_s(check, now_ns) for check in blamed), default=0.0)


def _unseen_s(check: TrackedCheck, now_ns: int) -> float:
    rested_s, _ = check.staleness_s(now_ns)
    return (now_ns - check.machine.failing_since_ns) / NS_PER_S if rested_s is None else rested_s


def layers(checks: Iterable[TrackedCheck]) -> Mapping[Layer, CheckState | None]:
    """The worst state of each layer's checks; None where a layer has none."""
    worst: dict[Layer, CheckState | None] = _NO_LAYER.copy()
    for check in checks:
        held = worst[check.spec.layer]
        if held is None or WORST_CHECK_FIRST.index(check.state) < WORST_CHECK_FIRST.index(held):
            worst[check.spec.layer] = check.state
    return worst


def overall_state(components: Iterable[tuple[ComponentState, bool]], *, monitor_works: bool) -> ComponentState:
    """The whole from (state, optional) of each component.

    An optional component counts as degraded at most, a paused one not at all; with every one paused,
    or none at all, it is unknown.
    """
    states = set()
    for state, optional in components:
        if state is ComponentState.PAUSED:
            continue
        if optional and state in (ComponentState.DOWN, ComponentState.UNKNOWN):
            states.add(ComponentState.DEGRADED)
        else:
            states.add(state)
    if ComponentState.DOWN in states:
        return ComponentState.DOWN
    if ComponentState.UNKNOWN in states or not states or not monitor_works:
        return ComponentState.UNKNOWN
    for state in (ComponentState.DEGRADED, ComponentState.STARTING):
        if state in states:
            return state
    return ComponentState.HEALTHY


def worst_check(checks: Sequence[TrackedCheck]) -> TrackedCheck:
    """The check that speaks for the component: required before optional, then by state, then by its failures."""

    def rank(check: TrackedCheck) -> tuple[bool, int, int]:
        state = WORST_CHECK_FIRST.index(check.state)
        return (
            check.spec.optional and check.state is not CheckState.PASSING,
            state,
            -check.machine.consecutive_failures,
        )

    return min(checks, key=rank) if len(checks) > 1 else checks[0]


def nearest_to_its_limit(checks: Iterable[TrackedCheck], now_ns: int) -> TrackedCheck | None:
    """The check whose work signal has used the largest part of its limit; one that was never read comes last."""
    signals = [check for check in checks if check.spec.signal is not None]
    if len(signals) < 2:
        return signals[0] if signals else None

    def used(check: TrackedCheck) -> float:
        staleness_s, limit_s = check.staleness_s(now_ns)
        return -1.0 if staleness_s is None or limit_s is None else staleness_s / limit_s

    return max(signals, key=used)
