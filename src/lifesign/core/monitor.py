"""The monitor: everything the core decides, behind four calls that take the time and return effects.

`observe`, `command` and `tick` each return what is to be done; `deadline` says when to come back.
Call them with readings of the clocks in order. The same calls give the same effects, byte for byte
(S5): that makes replay, dry runs and simulation one and the same thing.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from lifesign.core.alarms import Alarms
from lifesign.core.commands import LookNow, OperatorCommand, Resume
from lifesign.core.common_cause import AWAY_NS, WITHIN_NS, CommonCause
from lifesign.core.effects import Effect, Look, Record
from lifesign.core.governing import Governing
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import MonitorMemory, removed
from lifesign.core.model import NS_PER_S, CheckId, Identity, Instant, Observation, ObserverState
from lifesign.core.observer import TICK_NS, Finding, Observer, told_of, told_of_doubt
from lifesign.core.operations import Notice
from lifesign.core.overview import Overview
from lifesign.core.restart import RestartReport
from lifesign.core.shared_cause import longest_grace_ns
from lifesign.core.spec import ComponentSpec, MonitorSpec
from lifesign.core.supervision import Supervision
from lifesign.core.tracked import TrackedCheck
from lifesign.core.whole import Whole

NOTHING: tuple[Effect, ...] = ()


class Monitor(Overview):
    """Holds the state of all components. Raises KeyError for a name that does not exist."""

    def __init__(self, spec: MonitorSpec, now: Instant, memory: MonitorMemory | None = None) -> None:
        self.spec = spec
        self.components = {component.name: self._begun(component, now) for component in spec.components}
        self._common = CommonCause(now.mono_ns)
        self._recall(memory or MonitorMemory(), now)
        self._governing = Governing(self.components, self._common, now)
        self._supervision = Supervision(self.components, self._governing)
        self._observer, self._now = Observer(now), now
        self._observer_state = ObserverState.SUSPECT if self._common.is_suspected(now.mono_ns) else ObserverState.OK
        self._checks, self._alarms, self._whole = list[TrackedCheck](), Alarms(), Whole()
        self._follow_checks()

    def _recall(self, memory: MonitorMemory, now: Instant) -> None:
        """Goes on with it. Who was the last to go down may be the first of many, who fail only after their grace."""
        just_down = []
        for name, remembered in memory.components.items():
            if (component := self.components.get(name)) is None:
                continue
            component.recall(remembered, now)
            incident = component.incident
            if incident is not None and remembered.away_ns(now) <= AWAY_NS:
                just_down += [name] if now.mono_ns - incident.opened.mono_ns <= WITHIN_NS else []
        excused_ns = min(longest_grace_ns(self.components), AWAY_NS)
        self._common.recall_downs(just_down, now.mono_ns + excused_ns + WITHIN_NS)

    def _follow_checks(self) -> None:
        """Numbers the checks of all components, and plans each that is new."""
        self._whole.follow(self.components)
        planned = {check: self._alarms.moment_ns(number) for number, check in enumerate(self._checks)}
        self._checks = [check for component in self.components.values() for check in component.checks.values()]
        self._owners = [component for component in self.components.values() for _ in component.checks]
        self._number = {check.id: number for number, check in enumerate(self._checks)}
        self._alarms = Alarms()
        for number, check in enumerate(self._checks):
            moment_ns = planned.get(check, check.schedule.due_ns)
            if moment_ns is not None:
                self._alarms.set(number, moment_ns)

    def reconfigure(self, spec: MonitorSpec, changed: Collection[CheckId], now: Instant) -> tuple[Effect, ...]:
        """Watches what `spec` says from now on. No transition comes of that (S8), but for the ends of what is gone.

        A check that is specified as before goes on as if nothing had happened; `changed` names those that look at
        something else now, though the core is told the same. These, and new ones, begin with a grace. The spec's
        `seed` is that of the start.
        """
        effects, now = self._notice(now)
        names = {component.name for component in spec.components}
        gone = {name: held.memory(now) for name, held in self.components.items() if name not in names}
        self.spec = replace(spec, seed=self.spec.seed)
        self.components = {component.name: self._followed(component, changed, now) for component in spec.components}
        self._common.keep(names)
        self._governing.follow(self.components, now)
        self._supervision = Supervision(self.components, self._governing)
        self._follow_checks()
        self._happened(None)
        return (*effects, *map(Record, removed(MonitorMemory(gone), names, now)))

    def _begun(self, component: ComponentSpec, now: Instant) -> TrackedComponent:
        return TrackedComponent(
            component, now, seed=self.spec.seed, one_shot=self.spec.one_shot, dry_run=self.spec.dry_run
        )

    def _followed(self, spec: ComponentSpec, changed: Collection[CheckId], now: Instant) -> TrackedComponent:
        held = self.components.get(spec.name)
        if held is None:
            return self._begun(spec, now)
        held.reconfigure(spec, {c.check for c in changed if c.component == spec.name}, now, seed=self.spec.seed)
        return held

    def observe(
        self, check: CheckId, observation: Observation, now: Instant, run: int | None = None
    ) -> tuple[Effect, ...]:
        """Takes what a look found. `run` is that of the `Look`; None for what came by itself (a push).

        An answer that comes after its check is gone, or after another run has begun, is not taken.
        """
        effects, now = self._notice(now)
        number = self._number.get(check) if run is not None else self._number[check]
        if number is None:
            return effects
        tracked, now_ns = self._checks[number], now.mono_ns
        schedule = tracked.schedule
        began_ns = schedule.begun(run, now_ns)
        if began_ns is None:
            return effects
        component = self._owners[number]
        component.revision += 1
        if tracked.paused:
            schedule.finish(run, now_ns)
            return effects
        if observation.identity is not None:
            effects += self._see_identity(component, tracked, observation.identity, now)
        as_before = tracked.observe(observation, now, began_ns, self._observer.wall_clock)
        if schedule.finish(run, now_ns):
            effects += (Look(tracked.id, schedule.run),)
        if effects or not as_before or not component.is_calm():
            effects += self._refresh(component, now)
        if not as_before:
            self._alarms.set(number, tracked.next_wake_ns(now_ns))
        elif tracked.judge is not None:
            if schedule.put_off(began_ns):
                self._alarms.put_off(number, tracked.next_wake_ns(now_ns), now_ns)
            else:
                self._alarms.set(number, tracked.judge.next_change_ns(now_ns) or schedule.due_ns)
        return effects

    def _see_identity(
        self, component: TrackedComponent, tracked: TrackedCheck, identity: Identity, now: Instant
    ) -> tuple[Effect, ...]:
        events = component.see_identity(tracked, identity, now)
        if events or component.is_verified:  # a grace may have begun for every check of it
            self._plan_anew(component, now)
        return tuple(map(Record, events))

    def _plan_anew(self, component: TrackedComponent, now: Instant) -> None:
        for tracked in component.checks.values():
            self._alarms.set(self._number[tracked.id], tracked.next_wake_ns(now.mono_ns))

    def restart_reported(self, component: str, attempt: int, report: RestartReport, now: Instant) -> tuple[Effect, ...]:
        """Takes what came of a `Restart` that was asked for. One that is no longer in flight is not taken."""
        effects, now = self._notice(now)
        tracked = self.components.get(component)
        if tracked is None:
            return effects
        effects += (*self._governing.report(tracked, attempt, report, now), *self._refresh(tracked, now))
        self._happened(component)
        self._plan_anew(tracked, now)
        return effects

    def doubt(self, component: str, attempt: int, now: Instant) -> str:
        """Why the restart that the shell is about to make should not be made after all; empty if it should."""
        tracked = self.components.get(component)
        return self._governing.doubt(tracked, attempt, now) if tracked is not None else "it is no longer watched"

    def command(self, command: LookNow | OperatorCommand, now: Instant) -> tuple[Effect, ...]:
        """Carries out what an operator or the shell asks for. NotPossibleError: it cannot be done now, and why.

        Nobody looks at a paused component.
        """
        if isinstance(command, LookNow):
            return self.wake(self._named(command), now)
        done = self._supervision.command(command, now)
        told, now = self._notice(now)
        self._happened(command.component)
        if isinstance(command, Resume):
            self._governing.resumed(self.components[command.component], now)
            self._plan_anew(self.components[command.component], now)
        return (*told, *done)

    def _named(self, command: LookNow) -> Iterable[CheckId]:
        if command.component is None:
            return list(self._number)
        checks = self.components[command.component].checks
        return [CheckId(command.component, name) for name in (checks if command.check is None else (command.check,))]

    def wake(self, checks: Iterable[CheckId], now: Instant) -> tuple[Effect, ...]:
        """Looks at these checks, of which each is there, as soon as may be; at none that is paused."""
        told, now = self._notice(now)
        looks: list[Effect] = []
        for number in [self._number[check] for check in checks]:
            tracked = self._checks[number]
            self._owners[number].revision += 1
            if not tracked.paused and tracked.schedule.wake(now.mono_ns):
                looks.append(Look(tracked.id, tracked.schedule.run))
        return (*told, *looks)

    def tick(self, now: Instant) -> tuple[Effect, ...]:
        """Lets time pass: looks that are due, states that change by time alone."""
        told, now = self._notice(now)
        now_ns, alarms = now.mono_ns, self._alarms
        effects, touched = [*told], dict[TrackedComponent, None]()
        for number in alarms.ring(now_ns):
            tracked, component = self._checks[number], self._owners[number]
            if tracked.paused:
                continue
            if tracked.advance(now_ns):
                effects.append(Look(tracked.id, tracked.schedule.run))
            component.revision += 1
            if tracked.state is not tracked.machine.state(now_ns) or not component.is_calm():
                touched[component] = None
            alarms.set(number, tracked.next_wake_ns(now_ns))
        for component in touched:
            effects += self._refresh(component, now)
        return (*effects, *self._governing.advance(now), *self._supervision.advance(now))

    def deadline(self) -> int:
        """When `tick` must be called next, on the monotonic clock: at least every quarter of a second."""
        ceiling = self._now.mono_ns + TICK_NS
        alarm_ns = self._alarms.next_ns()
        return ceiling if alarm_ns is None else min(alarm_ns, ceiling)

    def quiet_until(self) -> int:
        """Up to when ticks in time decide nothing, on the monotonic clock, if nothing is observed or commanded.

        A replay or a simulation may leave those ticks out and say so by `rest`; an engine never does.
        """
        now_ns = self._now.mono_ns
        moments = [self._observer.next_change_ns(now_ns), self._alarms.next_ns()]
        moments += [self._supervision.next_ns(self._now), self._governing.next_ns()]
        moments += [self._common.until_ns] if self._common.is_suspected(now_ns) else []
        return min((moment for moment in moments if moment is not None), default=now_ns + NS_PER_S * 3600)

    def rest(self, now: Instant) -> None:
        """Stands for all the ticks in time up to `now`. ValueError where one of them would decide something."""
        if now.mono_ns >= self.quiet_until():
            raise ValueError("something is due before that: a tick must be called")
        self._now = now
        self._observer.rest(now)

    def attend(self, now: Instant) -> tuple[Effect, ...]:
        """Reads the clocks and starts nothing: for one round of looks, in which nobody calls `tick`."""
        return self._notice(now)[0]

    def memory(self, now: Instant) -> MonitorMemory:
        """What must survive of it: give it to the next `Monitor`."""
        return MonitorMemory({name: component.memory(now) for name, component in self.components.items()})

    def leave_paused(self, name: str, notice: Notice, now: Instant) -> None:
        """An operator has paused that component before us: nothing is told of it."""
        self.components[name].pause(notice, now)
        self._happened(name)

    def _happened(self, name: str | None) -> None:
        """Something was done to that component, or to all of them."""
        for component in self._shown(None if name is None else (name,)):
            component.revision += 1
            self._whole.note(component)

    def _refresh(self, component: TrackedComponent, now: Instant) -> tuple[Effect, ...]:
        was_open = component.incident is not None
        events = component.refresh(now)
        self._whole.note(component)
        if component.incident is not None and not was_open:
            common = self._common.went_down(component.spec.name, len(self.components), now)
            self._observer_state = ObserverState.SUSPECT if common else self._observer_state
            events = [*events, *common]
        if was_open and component.incident is None:
            self._common.recovered(component.spec.name, now.mono_ns)
        told = tuple(map(Record, events)) if events else NOTHING
        return (*told, *self._governing.govern(component, now)) if component.governor is not None else told

    def _notice(self, now: Instant) -> tuple[tuple[Effect, ...], Instant]:
        """Reads the clocks first of all, so that a stall is known before what it let through is judged."""
        told = NOTHING
        if now is not self._now:  # the same reading tells nothing new
            if now.mono_ns < self._now.mono_ns:
                now = Instant(self._now.mono_ns, now.wall_ns, max(now.boot_ns, self._now.boot_ns))
            self._now = now
            finding = self._observer.read(now)
            if finding is not None:
                told = self._take(finding, now)
        suspect = now.mono_ns < self._observer.suspect_until_ns or self._common.is_suspected(now.mono_ns)
        if suspect is not (self._observer_state is ObserverState.SUSPECT):
            self._observer_state = ObserverState.SUSPECT if suspect else ObserverState.OK
            told += (Record(told_of_doubt(now, suspect=suspect)),)
        return told, now

    def _take(self, finding: Finding, now: Instant) -> tuple[Effect, ...]:
        self._governing.notice(finding)
        if finding.gap_ns:
            for number, check in enumerate(self._checks):
                check.excuse(finding)
                self._alarms.set(number, now.mono_ns)  # what it is excused for may not wait until it is due
            self._whole.excused(self._checks)
        self._happened(None)
        return tuple(map(Record, told_of(finding, now)))
