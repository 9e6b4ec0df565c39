"""The contract's tables of section 3, written once more: from checks to a component, from components to the whole."""

from collections.abc import Iterable, Mapping

from lifesign.core.model import CheckState, ComponentState
from lifesign.core.tracked import TrackedCheck

_BAD = (CheckState.FAILED, CheckState.UNKNOWN, CheckState.FAILING, CheckState.WARNING)


def of_a_component(checks: Iterable[TrackedCheck], *, crash_loop: bool) -> ComponentState:
    """What a component must be by the states that its checks show."""
    required, states, flaps = [], [], crash_loop
    for check in checks:
        states.append(check.state)
        flaps = flaps or check.flaps.flapping
        if not check.spec.optional:
            required.append(check.state)
    if CheckState.FAILED in required:
        return ComponentState.DOWN
    if CheckState.UNKNOWN in required:
        return ComponentState.UNKNOWN
    if flaps or any(state in _BAD for state in states):
        return ComponentState.DEGRADED
    return ComponentState.STARTING if CheckState.PENDING in states else ComponentState.HEALTHY


def wrong_whole(
    overall: ComponentState, states: Mapping[str, ComponentState], optional: Mapping[str, bool], *, stalls_often: bool
) -> str:
    """The law that the whole breaks, with its words; empty for none."""
    required = [state for name, state in states.items() if not optional[name]]
    if (overall is ComponentState.DOWN) is not (ComponentState.DOWN in required):
        return f"roll-up: the whole is {overall} of {dict(states)}"
    if stalls_often and overall not in (ComponentState.DOWN, ComponentState.UNKNOWN):
        return f"T3: three stalls in five minutes, and the whole is {overall}"
    if overall is ComponentState.HEALTHY and any(state is not ComponentState.HEALTHY for state in states.values()):
        return f"roll-up: the whole is healthy of {dict(states)}"
    return ""
