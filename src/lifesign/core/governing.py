"""Governing: each governor is shown its component whenever that may matter, and what it decides is handed on.

Not here: what a governor decides (`governor`), and what operators ask for besides restarts (`supervision`).
"""

from collections.abc import Mapping
from heapq import heappop, heappush

from lifesign.core.commands import NotPossibleError
from lifesign.core.common_cause import CommonCause
from lifesign.core.doubts import first_doubt
from lifesign.core.effects import Effect, Look, Record
from lifesign.core.evidence import (
    failed,
    grace_left_ns,
    is_calm,
    is_looked_at,
    last_look,
    needs_a_look,
    witnesses,
    works_since,
)
from lifesign.core.governor import Governor
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import NS_PER_S, ComponentState, Identity, Instant
from lifesign.core.observer import Finding
from lifesign.core.reincarnation import begin_restart, lose_restart
from lifesign.core.restart import Phase, RestartReport, Sent
from lifesign.core.showing import notice_words
from lifesign.core.sight import LastLook, Sight

DISTRUST_NS = 2 * NS_PER_S  # at least so long after a step of the wall clock or a stall of ours, else the checks' grace


class Governing:
    """Over the governors of one monitor."""

    def __init__(self, components: Mapping[str, TrackedComponent], common: CommonCause, now: Instant) -> None:
        self._common = common
        self._stalled_ns: int | None = None
        self._jumped_ns: int | None = None
        self._wakes: list[tuple[int, str]] = []
        self.follow(components, now)
        for name, component in components.items():
            governor = component.governor
            if governor is not None and governor.common_until_ns is not None:
                common.recall(name, governor.common_until_ns)

    def follow(self, components: Mapping[str, TrackedComponent], now: Instant) -> None:
        """Governs these from now on."""
        self._components = components
        self._wakes = [(now.mono_ns, name) for name, c in sorted(components.items()) if c.governor is not None]

    def notice(self, finding: Finding) -> None:
        """A stall of ours, or a step of the wall clock: neither is followed by a restart at once (R8)."""
        if finding.step_ns:
            self._jumped_ns = finding.end_ns
        if finding.gap_ns:
            self._stalled_ns = finding.end_ns
            for component in self._components.values():
                if component.governor is not None:
                    component.governor.excuse(finding.end_ns - finding.start_ns, finding.end_ns)

    def distrust(self, now: Instant, *, stalled: bool, jumped: bool) -> None:
        """Since the run before this one the machine slept, or somebody stepped the wall clock (R8)."""
        self._stalled_ns = now.mono_ns if stalled else self._stalled_ns
        self._jumped_ns = now.mono_ns if jumped else self._jumped_ns

    def govern(self, component: TrackedComponent, now: Instant) -> list[Effect]:
        """Shows `component` to its governor; what follows of it."""
        governor = component.governor
        if governor is None or component.operations.paused is not None:
            return []
        if component.incident is None and governor.is_at_rest:
            return []
        self._keep_common_cause(component, governor)
        effects = governor.advance(self._sight(component, governor, now), now)
        effects += self._last_looks(component, governor, now)
        self._plan(component, governor, now)
        component.revision += 1
        return effects

    def _keep_common_cause(self, component: TrackedComponent, governor: Governor) -> None:
        """Each that went down with others has that in its record, the first of them too (R7 over our own death)."""
        if component.spec.name not in self._common.together:
            governor.common_until_ns = None
            return
        for name in self._common.together:
            other = self._components[name].governor
            if other is not None and other.common_until_ns != self._common.until_ns:
                other.revision += other.common_until_ns is None
                other.common_until_ns = self._common.until_ns

    def _plan(self, component: TrackedComponent, governor: Governor, now: Instant) -> None:
        next_ns = governor.next_ns(now.mono_ns)
        if next_ns is not None and next_ns != governor.wake_ns:
            heappush(self._wakes, (next_ns, component.spec.name))
        governor.wake_ns = next_ns

    def _last_looks(self, component: TrackedComponent, governor: Governor, now: Instant) -> list[Effect]:
        if governor.asked_ns is None:
            return []
        looks: list[Effect] = []
        verifying = governor.phase is Phase.VERIFYING
        for check in witnesses(component, governor.attempts.last.blamed) if verifying else failed(component):
            began_ns = check.schedule.began_ns
            under_way = began_ns is not None and began_ns >= governor.asked_ns
            stale = needs_a_look(check, governor.asked_ns, now.mono_ns)
            if stale and not under_way and check.schedule.wake(now.mono_ns):
                looks.append(Look(check.id, check.schedule.run))
        return looks

    def advance(self, now: Instant) -> list[Effect]:
        """Lets time pass: what is due of it."""
        effects: list[Effect] = []
        while self._wakes and self._wakes[0][0] <= now.mono_ns:
            wake_ns, name = heappop(self._wakes)
            component = self._components.get(name)
            if component is None or component.governor is None or wake_ns < (component.governor.wake_ns or 0):
                continue
            effects += self.govern(component, now)
        return effects

    def next_ns(self) -> int | None:
        """When `advance` is due, on the monotonic clock."""
        return self._wakes[0][0] if self._wakes else None

    def order(self, component: TrackedComponent, author: str, reason: str, now: Instant) -> list[Effect]:
        """An operator's restart. NotPossibleError: not now, and why."""
        governor = _governor(component)
        if component.operations.paused is not None:
            raise NotPossibleError(f"{component.spec.name} is paused: nobody would see what comes of it")
        effects = governor.order(author, reason, self._sight(component, governor, now), now)
        self._plan(component, governor, now)
        return effects

    def rearm(self, component: TrackedComponent, now: Instant) -> str:
        """Allows restarts after they were exhausted; words of the budget. NotPossibleError: they are not."""
        governor = _governor(component)
        governor.rearm()
        return governor.budget.words(now)

    def resumed(self, component: TrackedComponent, now: Instant) -> None:
        """Its checks were paused: no verification ended meanwhile."""
        if component.governor is not None:
            component.governor.excuse(0, now.mono_ns)
            self._plan(component, component.governor, now)

    def report(self, component: TrackedComponent, attempt: int, report: RestartReport, now: Instant) -> list[Effect]:
        """What the shell says of the restart `attempt`. One that is not in flight is not taken.

        The caller refreshes the component after it.
        """
        governor = component.governor
        if governor is None or governor.attempts.last.number != attempt:
            return []
        was = governor.phase
        effects = governor.report(report, self._sight(component, governor, now), now)
        if was is Phase.RESTARTING and isinstance(report, Sent):
            begin_restart(component, governor, now)
        elif was is Phase.RESTARTING and governor.phase is not Phase.VERIFYING:
            effects += [Record(event) for event in lose_restart(component, governor, now)]
        return effects

    def doubt(self, component: TrackedComponent, attempt: int, now: Instant) -> str:
        """Why the restart `attempt`, which the shell is about to make, should not be made; empty if it should.

        What an operator asked for is not doubted. An automatic one must find the failure again within two seconds.
        """
        governor = component.governor
        if governor is None or governor.phase is not Phase.RESTARTING or governor.attempts.last.number != attempt:
            return "it is no longer asked for"
        if not governor.attempts.last.automatic:
            return ""
        sight = self._sight(component, governor, now)
        if not sight.down:
            return "it is no longer down"
        doubt = first_doubt(sight)
        if doubt is not None:
            return doubt[1]
        return "" if sight.last_look is LastLook.FAILS else "its last look did not find the failure again"

    def _sight(self, component: TrackedComponent, governor: Governor, now: Instant) -> Sight:
        now_ns, attempt = now.mono_ns, governor.attempts.last
        down = component.state is ComponentState.DOWN
        blamed = failed(component) if down else []
        hold = component.operations.hold
        verifying = governor.phase is Phase.VERIFYING
        asked_ns = attempt.began.mono_ns if governor.phase is Phase.RESTARTING else governor.asked_ns
        distrust_ns = max([DISTRUST_NS, *(check.spec.grace_ns for check in component.checks.values())])
        return Sight(
            down=down,
            calm=is_calm(component),
            incident=component.incident.id if component.incident else None,
            blamed=tuple(sorted(component.incident.blamed)) if component.incident else (),
            identity=_process_of(component),
            works=verifying and works_since(component, attempt.blamed, attempt.since_ns),
            looked=verifying and is_looked_at(component, attempt.blamed, governor.asked_ns),
            held_by=notice_words(hold, now) if hold is not None else "",
            suppressed_by=self._waits_for(component) if down else None,
            stalled=_is_recent(self._stalled_ns, now_ns, distrust_ns),
            jumped=_is_recent(self._jumped_ns, now_ns, distrust_ns),
            common_cause=self._common_cause(component, now_ns) if down else "",
            grace_left_ns=grace_left_ns(blamed, now_ns),
            flapping=any(check.flaps.flapping for check in blamed),
            last_look=last_look(blamed, asked_ns, now_ns) if down else LastLook.PASSES,
        )

    def suppressed_by(self, component: TrackedComponent) -> str | None:
        """The dependency that is down, the first by the config's order. It never changes a state (S10)."""
        parents = (self._components[parent] for parent in component.spec.depends_on)
        return next((parent.spec.name for parent in parents if parent.state is ComponentState.DOWN), None)

    def _waits_for(self, component: TrackedComponent) -> str | None:
        """The dependency whose incident is open: while it is still being restarted, restarting this one is no cure."""
        parents = (self._components[parent] for parent in component.spec.depends_on)
        return next((parent.spec.name for parent in parents if parent.incident is not None), None)

    def _common_cause(self, component: TrackedComponent, now_ns: int) -> str:
        if self._common.is_suspected(now_ns):
            return "most components went down at once: one common cause"
        if component.spec.name not in self._common.together:
            return ""
        for other in self._common.together - {component.spec.name}:
            governor = self._components[other].governor
            if governor is not None and governor.in_flight:
                return "it went down with others, which are restarted one at a time"
        return ""


def _process_of(component: TrackedComponent) -> Identity | None:
    """Whom a restart would hit; None where the check that tells it sees several: the one of before may be any."""
    source = component.checks.get(component.process.source or "")
    last = source.last if source is not None else None
    return None if last is not None and last.several else component.process.identity


def _governor(component: TrackedComponent) -> Governor:
    if component.governor is None:
        raise NotPossibleError(f"{component.spec.name} has no restart section")
    return component.governor


def _is_recent(moment_ns: int | None, now_ns: int, distrust_ns: int) -> bool:
    return moment_ns is not None and now_ns - moment_ns <= distrust_ns
