"""What a component shows its governor: whether it is down, what its last look found, whether work has resumed.

Read off the component and its checks; it decides nothing. Times are of the monotonic clock.
"""

from collections.abc import Iterable, Sequence

from lifesign.core.incident import TrackedComponent
from lifesign.core.model import NS_PER_S, CheckState, ComponentState
from lifesign.core.sight import LastLook
from lifesign.core.tracked import TrackedCheck

FRESH_NS = 2 * NS_PER_S  # a failure must have been found again within it (reliability.md, R1)


def failed(component: TrackedComponent) -> list[TrackedCheck]:
    """The checks that take it down."""
    return [c for c in component.checks.values() if c.state is CheckState.FAILED and not c.spec.optional]


def is_calm(component: TrackedComponent) -> bool:
    """Whether nothing is wrong with it and somebody knows."""
    unsettled = (ComponentState.DOWN, ComponentState.UNKNOWN, ComponentState.STARTING, ComponentState.PAUSED)
    return component.incident is None and component.state not in unsettled


def grace_left_ns(checks: Iterable[TrackedCheck], now_ns: int) -> int:
    """How long nothing may be condemned yet."""
    return max((check.machine.grace_ends_ns - now_ns for check in checks), default=0)


def last_look(checks: Sequence[TrackedCheck], asked_ns: int | None, now_ns: int) -> LastLook:
    """What `checks` found since `asked_ns`. Those that answer at once must have found it within `FRESH_NS` too."""
    if not checks or not all(check.fails_now for check in checks):
        return LastLook.PASSES
    if asked_ns is None or any(needs_a_look(check, asked_ns, now_ns) for check in checks):
        return LastLook.AWAITED
    newest_ns = max(check.observed_ns for check in checks)
    return LastLook.FAILS if now_ns - newest_ns <= FRESH_NS else LastLook.OLD


def needs_a_look(check: TrackedCheck, asked_ns: int, now_ns: int) -> bool:
    """Whether `check` has still to be looked at for a last look that was asked for then."""
    return check.looked_ns < asked_ns or (check.judge is not None and now_ns - check.observed_ns > FRESH_NS)


def witnesses(component: TrackedComponent, blamed: Sequence[str]) -> list[TrackedCheck]:
    """Who can prove that work has resumed: the checks that were to blame and those of work.

    Without any of these, all that are not optional.
    """
    checks = component.checks.values()
    required = [check for check in checks if not check.spec.optional] or list(checks)
    return [c for c in required if c.judge is not None or c.spec.name in blamed] or required


def works_since(component: TrackedComponent, blamed: Sequence[str], since_ns: int) -> bool:
    """Whether every witness passes by what was done, or looked at, since then."""
    return all(check.has_improved and check.looked_ns >= since_ns for check in witnesses(component, blamed))


def is_looked_at(component: TrackedComponent, blamed: Sequence[str], asked_ns: int | None) -> bool:
    """Whether every witness was looked at since that was asked for."""
    return asked_ns is not None and all(check.looked_ns >= asked_ns for check in witnesses(component, blamed))
