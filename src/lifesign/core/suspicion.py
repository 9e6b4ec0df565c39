"""Who may be about to go down: what keeps a first word back for a moment, so that it is said of the cause alone.

A dependency that fails an instant after those that depend on it, and many that go down one after the other: whoever
tells the first of them at once tells too much. Both waits are short and bounded, and both end with the look that clears
the others, so that what fails alone is told without delay. What is decided here changes by what is observed, and by
time alone only at `Gathering.next_boot_ns` and the bounds: a replay leaves out every other moment. Not here: what is
told (`alerting`), and what a common cause is (`common_cause`).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lifesign.core.common_cause import COMPONENTS, WITHIN_NS
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import NS_PER_S, CheckState, Instant
from lifesign.core.tracked import TrackedCheck

PARENT_WAIT_NS = 60 * NS_PER_S  # a dependency that is not down by then has nothing to do with it
GROUP_WAIT_NS = WITHIN_NS


def suspected_parent(
    component: TrackedComponent, components: Mapping[str, TrackedComponent], now: Instant
) -> str | None:
    """A dependency that fails already, or has not been seen since `component` began to fail; None for none."""
    incident = component.incident
    if incident is None or now.mono_ns - incident.opened.mono_ns >= PARENT_WAIT_NS:
        return None
    since_ns = onset_ns(component, now)
    parents = (components[name] for name in component.spec.depends_on if name in components)
    found = (parent.spec.name for parent in parents if _may_go_down(parent, since_ns, now, PARENT_WAIT_NS))
    return next(found, None)


def onset_ns(component: TrackedComponent, now: Instant) -> int:
    """Since when, on the monotonic clock, what takes `component` down fails: the last work, or the first failure."""
    checks = component.checks.values()
    blamed = [check for check in checks if check.state is CheckState.FAILED and not check.spec.optional]
    opened_ns = component.incident.opened.mono_ns if component.incident is not None else now.mono_ns
    return min((_onset_ns(check, now.mono_ns) for check in blamed), default=opened_ns)


def _onset_ns(check: TrackedCheck, now_ns: int) -> int:
    if check.judge is not None and check.judge.has_signal:
        return now_ns - check.judge.nearest_limit_ns(now_ns)[0]
    return check.machine.failing_since_ns


def _may_go_down(component: TrackedComponent, since_ns: int, now: Instant, within_ns: int) -> bool:
    """Whether it may be down in `within_ns`, for all that was seen of it since then. One that is down is not."""
    if component.incident is not None or component.operations.paused is not None:
        return False
    checks = component.checks.values()
    return any(_is_suspect(check, since_ns, now.mono_ns, within_ns) for check in checks if not check.spec.optional)


def _is_suspect(check: TrackedCheck, since_ns: int, now_ns: int, within_ns: int) -> bool:
    if check.fails_now or check.is_blinded:
        return True
    if check.judge is None:
        return check.spec.interval_ns <= within_ns and check.looked_ns < since_ns
    if not check.judge.has_signal:
        return False
    rested_ns, limit_ns = check.judge.nearest_limit_ns(now_ns)
    return 2 * rested_ns > limit_ns and limit_ns - rested_ns <= within_ns


class _Down(NamedTuple):
    at_boot_ns: int
    onset_ns: int


class Gathering:
    """Whether those that have just gone down may yet turn out to be most of all: then one of them will speak."""

    def __init__(self) -> None:
        self._downs: dict[str, _Down] = {}  # the oldest first

    def went_down(self, component: TrackedComponent, now: Instant) -> None:
        """An incident of `component` has opened."""
        self._downs.pop(component.spec.name, None)
        self._downs[component.spec.name] = _Down(now.boot_ns, onset_ns(component, now))

    def recall(self, components: Iterable[TrackedComponent], now: Instant, until_boot_ns: int) -> None:
        """These went down just before we died, and were not told of: what the others do is only known by then."""
        for component in components:
            at_boot_ns = until_boot_ns - GROUP_WAIT_NS
            self._downs[component.spec.name] = _Down(at_boot_ns, onset_ns(component, now))

    def names(self, now: Instant) -> frozenset[str]:
        """Who has just gone down."""
        self._forget(now)
        return frozenset(self._downs)

    def _forget(self, now: Instant) -> None:
        downs = self._downs
        while downs and now.boot_ns - downs[oldest := next(iter(downs))].at_boot_ns >= GROUP_WAIT_NS:
            del downs[oldest]

    def recovered(self, name: str) -> None:
        """That incident is over."""
        self._downs.pop(name, None)

    def next_boot_ns(self) -> int | None:
        """When it may change by time alone, on the clock that counts a suspend; None where it cannot."""
        return next((down.at_boot_ns + GROUP_WAIT_NS for down in self._downs.values()), None)

    def is_on(self, components: Mapping[str, TrackedComponent], now: Instant) -> bool:
        """Whether at least three are down or fail, and with those that nobody has seen since they are over half."""
        self._forget(now)
        downs = self._downs
        if not downs:
            return False
        others = [c for name, c in components.items() if name not in downs and c.incident is None]
        failing = sum(c.operations.paused is None and _fails(c, now.mono_ns) for c in others)
        if len(downs) + failing < COMPONENTS:
            return False
        since_ns = min(down.onset_ns for down in downs.values())
        suspects = sum(_may_go_down(c, since_ns, now, GROUP_WAIT_NS) for c in others)
        return 2 * (len(downs) + suspects) > len(components)

    def may_grow(self, components: Mapping[str, TrackedComponent], now: Instant) -> bool:
        """Whether another may be about to go down beside those that have just gone down."""
        self._forget(now)
        if not self._downs:
            return False
        since_ns = min(down.onset_ns for down in self._downs.values())
        return any(_may_go_down(component, since_ns, now, GROUP_WAIT_NS) for component in components.values())


def _fails(component: TrackedComponent, now_ns: int) -> bool:
    """Whether something of it has failed by now, or is all but stale."""
    checks = [check for check in component.checks.values() if not check.spec.optional]
    return any(check.fails_now or check.is_blinded or _is_all_but_stale(check, now_ns) for check in checks)


def _is_all_but_stale(check: TrackedCheck, now_ns: int) -> bool:
    """Whether its work has rested so long that it is stale within the wait, unless the next comes at the last moment.

    A writer in time has beaten well before three quarters of the limit.
    """
    if check.judge is None or not check.judge.has_signal:
        return False
    rested_ns, limit_ns = check.judge.nearest_limit_ns(now_ns)
    return 4 * rested_ns >= 3 * limit_ns and limit_ns - rested_ns <= GROUP_WAIT_NS
