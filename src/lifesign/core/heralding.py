"""Heralding: what happens becomes alerts that are to go out. It hears the core's events, and reviews what is open.

Not here: when a sink is told of one incident (`alerting`), and the telling (`bootstrap.alerting`).
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from lifesign.core.alerting import Alerting, Circumstances, SinkSpec
from lifesign.core.common_cause import AWAY_NS, WITHIN_NS
from lifesign.core.conversation import Conversation, ConversationMemory, Notify
from lifesign.core.events import Event, EventName
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import CheckState, Instant
from lifesign.core.shared_cause import SharedCause, longest_grace_ns
from lifesign.core.suspicion import Gathering, suspected_parent

REVIEW_EVERY_NS = 200_000_000


class Components(Protocol):
    """What is asked of the core: the components as they are held, and who waits for whom."""

    @property
    def components(self) -> Mapping[str, TrackedComponent]:
        """By name."""
        ...

    def suppressed_by(self, component: TrackedComponent) -> str | None:
        """The dependency that is down."""
        ...


class Herald:
    """For the sinks of one config. What it returns is to be told; None: nothing that it keeps has changed."""

    def __init__(self, sinks: Iterable[SinkSpec], monitor: Components) -> None:
        self._monitor = monitor
        self._alerting = Alerting(sinks)
        self._reviewed_ns = 0
        self._gathering = Gathering()
        self._cause = SharedCause()

    @property
    def together(self) -> frozenset[str]:
        """Who went down by one cause, until one of them recovers."""
        return frozenset(self._cause.together)

    def follow(self, sinks: Iterable[SinkSpec]) -> None:
        """These sinks from now on; `recall` what was open."""
        self._alerting = Alerting(sinks)

    def recall(self, memories: Iterable[ConversationMemory], now: Instant) -> tuple[Notify, ...]:
        """Goes on with these, and with the incidents that the core has kept: what they disagree on is ended."""
        self._alerting.recall(memories, now)
        told: list[Notify] = []
        self._cause.recall(self._alerting.conversations(), self._monitor.components, now)
        self._alerting.share(self.together)
        self._gather_anew(now)
        for name in {conversation.component for conversation in self._alerting.conversations()}:
            component = self._monitor.components.get(name)
            if component is None or component.incident is None:
                told += self._alerting.recovered(name)
        for name, component in self._monitor.components.items():
            if component.incident is not None:
                told += self._alerting.down(name, component.spec.tags, component.incident.id, now)
        return tuple(told)

    def _gather_anew(self, now: Instant) -> None:
        """Who went down just before we died may be the first of many: the others fail only after their grace."""
        since_ns = now.boot_ns - AWAY_NS - WITHIN_NS
        fresh = (c.component for c in self.conversations() if not c.told and c.opened_boot_ns > since_ns)
        held = self._monitor.components
        found = [held[name] for name in sorted(set(fresh)) if name in held and held[name].incident is not None]
        if found:
            until_boot_ns = now.boot_ns + longest_grace_ns(held) + WITHIN_NS
            self._gathering.recall(found, now, until_boot_ns)
            self._alerting.gather_until(until_boot_ns)

    def conversations(self) -> tuple[Conversation, ...]:
        """Those that are not over."""
        return self._alerting.conversations()

    def touched(self) -> dict[tuple[str, str], Conversation | None]:
        """What has changed of them since this was asked last, by sink and component; None: that one is over."""
        return self._alerting.touched()

    def hear(self, event: Event, now: Instant) -> tuple[Notify, ...] | None:
        """What happened: the beginning and the end of incidents, and of common causes."""
        match event.name:
            case EventName.COMPONENT_DOWN if event.component and event.incident:
                component = self._monitor.components.get(event.component)
                tags: Iterable[str] = component.spec.tags if component else ()
                self._reviewed_ns = 0
                if component is not None:
                    self._gathering.went_down(component, now)
                if self._cause.went_down(event.component, now):
                    self._alerting.join(event.component)
                return self._alerting.down(event.component, tags, event.incident, now)
            case EventName.COMPONENT_RECOVERED if event.component:
                self._gathering.recovered(event.component)
                ended = self._alerting.recovered(event.component)
                if self._cause.recovered(event.component, self._monitor.components, now):
                    self._alerting.share(self.together)
                return ended
            case EventName.RESTART_EXHAUSTED if event.component:
                here = self._circumstances(event.component, now)
                if not self._alerting.is_told(event.component):
                    self._cause.leave(event.component)
                    self._alerting.share(self.together)
                return self._alerting.insist(event.component, here, event.message, now)
            case EventName.OBSERVER_SUSPECT:
                named = event.data.get("components")
                if isinstance(named, list):  # else we had stalled ourselves, which is no cause of theirs
                    names = self._gathering.names(now).union(map(str, named))
                    self._cause.begin(names, self._monitor.components, now)
                    self._alerting.share(self.together)
                    return ()
            case _:
                pass
        return None

    def next_review_ns(self) -> int | None:
        """When `review` is due again, on the monotonic clock; None while there is nothing to review."""
        return None if self._alerting.is_idle else self._reviewed_ns + REVIEW_EVERY_NS

    def next_by_time_boot_ns(self, after_boot_ns: int) -> int | None:
        """The first moment after that one, on the clock that counts a suspend, at which a review may tell something
        though nothing has happened; None for none.
        """
        moments = (
            self._alerting.next_boot_ns(after_boot_ns),
            self._gathering.next_boot_ns(),
            self._cause.next_boot_ns(),
        )
        return min((moment for moment in moments if moment is not None and moment > after_boot_ns), default=None)

    def review(self, now: Instant, *, at_once: bool = False) -> tuple[Notify, ...] | None:
        """After a round: whether something is to be told by now. `at_once`: however short ago that was asked."""
        due_ns = self.next_review_ns()
        if due_ns is None or (not at_once and now.mono_ns < due_ns):
            return None
        self._reviewed_ns = now.mono_ns
        held, together = self._monitor.components, self._cause.together
        gathers = self._gathering.is_on(held, now)
        grows = bool(together) and self._gathering.may_grow(held, now)

        def circumstances(name: str) -> Circumstances:
            return self._circumstances(name, now, gathering=grows if name in together else gathers)

        return self._alerting.review(circumstances, now)

    def _circumstances(self, name: str, now: Instant, *, gathering: bool = False) -> Circumstances:
        component = self._monitor.components.get(name)
        if component is None:
            return Circumstances("it is no longer in the config")
        operations = component.operations
        return Circumstances(
            diagnosis=component.diagnosis(now),
            suppressed_by=self._monitor.suppressed_by(component) or self._not_recovered(component),
            silenced=operations.silence is not None,
            held=operations.hold is not None,
            acknowledged=operations.acknowledged is not None,
            suspected_parent=suspected_parent(component, self._monitor.components, now),
            gathering=gathering,
            recovering=_is_recovering(component) or self._cause.may_recover_too(component, now),
        )

    def _not_recovered(self, component: TrackedComponent) -> str | None:
        """A dependency that nobody can see just now, but was down when it was last seen: unknown ends nothing (S4).

        One that is paused is no excuse: an operator has taken it out.
        """
        held = self._monitor.components
        parents = (held[name] for name in component.spec.depends_on if name in held)
        found = (p.spec.name for p in parents if p.incident is not None and p.operations.paused is None)
        return next(found, None)


def _is_recovering(component: TrackedComponent) -> bool:
    """Whether the last look at everything that turned it down was a good one."""
    broken = [c for c in component.checks.values() if c.state is CheckState.FAILED and not c.spec.optional]
    return bool(broken) and all(check.machine.consecutive_successes for check in broken)
