"""The monitor: everything the core decides, behind four calls that take the time and return effects.

`observe`, `command` and `tick` each return what is to be done; `deadline` says when to come back.
Call them with readings of the clocks in order. The same calls give the same effects, byte for byte
(S5): that makes replay, dry runs and simulation one and the same thing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from lifesign.core.commands import OperatorCommand, Resume
from lifesign.core.component import overall_state
from lifesign.core.effects import Effect, Look, Record
from lifesign.core.events import Event, EventName
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import MonitorMemory, removed
from lifesign.core.model import NS_PER_S, CheckId, ComponentState, Identity, Instant, Observation, ObserverState
from lifesign.core.observer import TICK_NS, Finding, Observer
from lifesign.core.spec import ComponentSpec, MonitorSpec
from lifesign.core.supervision import Supervision
from lifesign.core.tracked import NEVER_PLANNED, TrackedCheck
from lifesign.core.view import MonitorView
from lifesign.text import format_duration

COMMON_CAUSE_COMPONENTS = 3  # reliability.md, R7: at least so many and over half of all, within 10 s
COMMON_CAUSE_NS = 10 * NS_PER_S
COMMON_CAUSE_HOLDS_NS = 600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class LookNow:
    """Look at once: at one component, at one check of it, or at everything."""

    component: str | None = None
    check: str | None = None


class Monitor:
    """Holds the state of all components. Raises KeyError for a name that does not exist."""

    def __init__(self, spec: MonitorSpec, now: Instant, memory: MonitorMemory | None = None) -> None:
        self.spec = spec
        self.components = {
            c.name: TrackedComponent(c, now, seed=spec.seed, one_shot=spec.one_shot) for c in spec.components
        }
        for name, remembered in memory.components.items() if memory else ():
            if name in self.components:
                self.components[name].recall(remembered, now)
        self._supervision = Supervision(self.components)
        self._observer = Observer(now)
        self._observer_state = ObserverState.OK
        self._common_cause_until_ns = now.mono_ns
        self._went_down: dict[str, int] = {}
        self._now = now
        self._follow_checks()

    def _follow_checks(self) -> None:
        """Numbers the checks of all components, and plans each."""
        self._checks = [check for component in self.components.values() for check in component.checks.values()]
        self._number = {check.id: number for number, check in enumerate(self._checks)}
        self._wakes: list[tuple[int, int]] = []
        for check in self._checks:
            wake_ns, check.wake_ns = check.wake_ns, NEVER_PLANNED
            self._plan(check, check.schedule.due_ns if wake_ns == NEVER_PLANNED else wake_ns)

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
        self._supervision = Supervision(self.components)
        self._went_down = {name: moment for name, moment in self._went_down.items() if name in names}
        self._follow_checks()
        return (*effects, *map(Record, removed(MonitorMemory(gone), names, now)))

    def _followed(self, spec: ComponentSpec, changed: Collection[CheckId], now: Instant) -> TrackedComponent:
        held = self.components.get(spec.name)
        if held is None:
            return TrackedComponent(spec, now, seed=self.spec.seed, one_shot=self.spec.one_shot)
        held.reconfigure(spec, {c.check for c in changed if c.component == spec.name}, now, seed=self.spec.seed)
        return held

    def observe(
        self, check: CheckId, observation: Observation, now: Instant, run: int | None = None
    ) -> tuple[Effect, ...]:
        """Takes what a look found. `run` is that of the `Look`; None for what came by itself (a push).

        An answer that comes after its check is gone, or after another run has begun, is not taken.
        """
        effects, now = self._notice(now)
        if run is not None and check not in self._number:
            return tuple(effects)
        tracked = self._checks[self._number[check]]
        if not tracked.schedule.is_current(run):
            return tuple(effects)
        component = self.components[check.component]
        if tracked.paused:
            tracked.schedule.finish(run, now.mono_ns)
            return tuple(effects)
        began_ns = tracked.schedule.began_ns if run is not None else None
        if observation.identity is not None:
            effects += self._see_identity(component, tracked, observation.identity, now)
        tracked.observe(observation, now, began_ns if began_ns is not None else now.mono_ns)
        if tracked.schedule.finish(run, now.mono_ns):
            effects.append(Look(tracked.id, tracked.schedule.run))
        effects += self._refresh(component, now)
        self._plan(tracked, tracked.next_wake_ns(now.mono_ns))
        return tuple(effects)

    def _see_identity(
        self, component: TrackedComponent, tracked: TrackedCheck, identity: Identity, now: Instant
    ) -> list[Effect]:
        events = component.see_identity(tracked, identity, now)
        if events:  # a grace has begun for every check of it
            for other in component.checks.values():
                self._plan(other, other.next_wake_ns(now.mono_ns))
        return [Record(event) for event in events]

    def command(self, command: LookNow | OperatorCommand, now: Instant) -> tuple[Effect, ...]:
        """Carries out what an operator or the shell asks for. NotPossibleError: it cannot be done now, and why.

        Nobody looks at a paused component.
        """
        done = [] if isinstance(command, LookNow) else self._supervision.command(command, now)
        effects, now = self._notice(now)
        if not isinstance(command, LookNow):
            effects += done
            if isinstance(command, Resume):
                for tracked in self.components[command.component].checks.values():
                    self._plan(tracked, tracked.next_wake_ns(now.mono_ns))
            return tuple(effects)
        for tracked in self._named(command):
            if not tracked.paused and tracked.schedule.wake(now.mono_ns):
                effects.append(Look(tracked.id, tracked.schedule.run))
        return tuple(effects)

    def _named(self, command: LookNow) -> Iterable[TrackedCheck]:
        if command.component is None:
            return self._checks
        checks = self.components[command.component].checks
        return checks.values() if command.check is None else [checks[command.check]]

    def tick(self, now: Instant) -> tuple[Effect, ...]:
        """Lets time pass: looks that are due, states that change by time alone."""
        effects, now = self._notice(now)
        touched: dict[str, None] = {}
        while self._wakes and self._wakes[0][0] <= now.mono_ns:
            wake_ns, number = heappop(self._wakes)
            tracked = self._checks[number]
            if wake_ns != tracked.wake_ns or tracked.paused:
                continue
            if tracked.advance(now.mono_ns):
                effects.append(Look(tracked.id, tracked.schedule.run))
            touched[tracked.id.component] = None
            self._plan(tracked, tracked.next_wake_ns(now.mono_ns))
        for name in touched:
            effects += self._refresh(self.components[name], now)
        effects += self._supervision.advance(now)
        return tuple(effects)

    def deadline(self) -> int:
        """When `tick` must be called next, on the monotonic clock: at least every quarter of a second."""
        ceiling = self._now.mono_ns + TICK_NS
        return min(self._wakes[0][0], ceiling) if self._wakes else ceiling

    def quiet_until(self) -> int:
        """Up to when ticks in time decide nothing, on the monotonic clock, if nothing is observed or commanded.

        A replay or a simulation may leave those ticks out and say so by `rest`; an engine never does.
        """
        now_ns = self._now.mono_ns
        moments = [self._observer.next_change_ns(now_ns), self._wakes[0][0] if self._wakes else None]
        moments.append(self._supervision.next_ns(self._now))
        if now_ns < self._common_cause_until_ns:
            moments.append(self._common_cause_until_ns)
        return min((moment for moment in moments if moment is not None), default=now_ns + NS_PER_S * 3600)

    def rest(self, now: Instant) -> None:
        """Stands for all the ticks in time up to `now`. ValueError where one of them would decide something."""
        if now.mono_ns >= self.quiet_until():
            raise ValueError("something is due before that: a tick must be called")
        self._now = now
        self._observer.rest(now)

    def attend(self, now: Instant) -> tuple[Effect, ...]:
        """Reads the clocks and starts nothing: for one round of looks, in which nobody calls `tick`."""
        effects, _ = self._notice(now)
        return tuple(effects)

    def memory(self, now: Instant) -> MonitorMemory:
        """What must survive of it: give it to the next `Monitor`."""
        return MonitorMemory({name: component.memory(now) for name, component in self.components.items()})

    def _plan(self, check: TrackedCheck, wake_ns: int) -> None:
        if wake_ns != check.wake_ns:
            check.wake_ns = wake_ns
            heappush(self._wakes, (wake_ns, self._number[check.id]))

    def _refresh(self, component: TrackedComponent, now: Instant) -> list[Effect]:
        was_open = component.incident is not None
        events = component.refresh(now)
        if component.incident is not None and not was_open:
            events += self._notice_common_cause(component, now)
        if was_open and component.incident is None:  # one recovery ends the common cause (R7)
            self._common_cause_until_ns = now.mono_ns
        return [Record(event) for event in events]

    def _notice_common_cause(self, component: TrackedComponent, now: Instant) -> list[Event]:
        self._went_down[component.spec.name] = now.mono_ns
        together = {name for name, moment in self._went_down.items() if now.mono_ns - moment <= COMMON_CAUSE_NS}
        if len(together) < COMMON_CAUSE_COMPONENTS or 2 * len(together) <= len(self.components):
            return []
        if now.mono_ns < self._common_cause_until_ns:
            return []
        self._common_cause_until_ns = now.mono_ns + COMMON_CAUSE_HOLDS_NS
        words = f"{len(together)} of {len(self.components)} components went down within 10 s: one common cause"
        self._observer_state = ObserverState.SUSPECT
        return [Event(EventName.OBSERVER_SUSPECT, now.wall_ns, message=words, data={"components": [*sorted(together)]})]

    def _notice(self, now: Instant) -> tuple[list[Effect], Instant]:
        """Reads the clocks first of all, so that a stall is known before what it let through is judged."""
        if now.mono_ns < self._now.mono_ns:
            now = Instant(self._now.mono_ns, now.wall_ns, max(now.boot_ns, self._now.boot_ns))
        self._now = now
        finding = self._observer.read(now)
        effects: list[Effect] = []
        if finding is not None:
            effects += map(Record, _tell(finding, now))
            if finding.gap_ns:
                for check in self._checks:
                    check.excuse(finding)
        effects += self._tell_observer(now)
        return effects, now

    def _tell_observer(self, now: Instant) -> list[Effect]:
        suspect = self._observer.is_suspect(now.mono_ns) or now.mono_ns < self._common_cause_until_ns
        state = ObserverState.SUSPECT if suspect else ObserverState.OK
        if state is self._observer_state:
            return []
        self._observer_state = state
        if suspect:
            return [
                Record(
                    Event(EventName.OBSERVER_SUSPECT, now.wall_ns, message="we had stalled: failures are not evidence")
                )
            ]
        return [Record(Event(EventName.OBSERVER_OK, now.wall_ns, message="failures are evidence again"))]

    def suppressed_by(self, component: TrackedComponent) -> str | None:
        """The dependency that is down, the first by the config's order. It never changes a state (S10)."""
        for parent in component.spec.depends_on:
            if self.components[parent].state is ComponentState.DOWN:
                return parent
        return None

    @property
    def observer(self) -> ObserverState:
        """Whether we may trust our own eyes, as of the last call."""
        return self._observer_state

    def overall(self, now: Instant) -> ComponentState:
        """The state of the whole."""
        states = ((c.state, c.spec.optional) for c in self.components.values())
        blinded = any(check.machine.is_blinded_again_and_again(now.mono_ns) for check in self._checks)
        return overall_state(states, monitor_works=not blinded and not self._observer.fails_to_work(now.mono_ns))

    def view(self, now: Instant) -> MonitorView:
        """Everything as it stands."""
        return MonitorView(
            at=now,
            overall=self.overall(now),
            observer=self._observer_state,
            components=tuple(c.view(now, self.suppressed_by(c)) for c in self.components.values()),
        )


def _tell(finding: Finding, now: Instant) -> list[Event]:
    events = []
    if finding.gap_ns:
        what = "the machine was suspended" if finding.suspended_ns else "the monitor did not run"
        words = f"{what} for {format_duration(finding.gap_ns / NS_PER_S)}"
        data = {
            "stalled_s": round(finding.gap_ns / NS_PER_S, 3),
            "suspended_s": round(finding.suspended_ns / NS_PER_S, 3),
        }
        events.append(Event(EventName.MONITOR_STALLED, now.wall_ns, message=words, data={**data}))
    if finding.step_ns:
        step_s = finding.step_ns / NS_PER_S
        words = f"the wall clock was stepped by {step_s:+.1f} s; nothing is judged by it"
        events.append(Event(EventName.CLOCK_JUMPED, now.wall_ns, message=words, data={"step_s": round(step_s, 3)}))
    return events
