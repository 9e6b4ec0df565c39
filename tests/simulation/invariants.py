"""An independent judge of a simulated life: it keeps its own books and compares after every step.

It knows the inputs (what looks found, when they began, when nobody ran) and the contract. It reads
what the monitor shows, and asks the monitor's own code for nothing else.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from lifesign.core.effects import Effect, Look, Record
from lifesign.core.events import Event, EventName
from lifesign.core.model import CheckId, CheckState, ComponentState, Identity, Instant, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.spec import ComponentSpec
from tests.simulation.books import Held, Outage, WorkBook
from tests.simulation.faults import Fault, S
from tests.simulation.rollup import of_a_component, wrong_whole

SAMPLE = 24  # every so many calls, everything is looked through


@dataclass
class _Remembered:
    """The books of one component as of the time at which the monitor's own memory of it was taken."""

    taken_ns: int
    held: dict[CheckId, Held]
    works: dict[CheckId, WorkBook]
    identity: Identity | None
    seen_ns: int
    replaced: list[int]


class Checker:
    """`violations` names the broken law first."""

    def __init__(self, components: tuple[ComponentSpec, ...], start_ns: int) -> None:
        self.violations: list[str] = []
        self._components = {spec.name: spec for spec in components}
        self._held = {
            CheckId(spec.name, check.name): Held(check, start_ns) for spec in components for check in spec.checks
        }
        self._works = {at: WorkBook(held.spec) for at, held in self._held.items() if held.spec.signal}
        self._open: dict[str, str] = {}
        self._ids: set[str] = set()
        self._under_way: dict[CheckId, int] = {}
        self._answered = dict.fromkeys(self._held, start_ns)
        self._identity: dict[str, Identity] = {}
        self._identity_seen = dict.fromkeys(self._components, start_ns)
        self._replaced: dict[str, deque[int]] = {name: deque(maxlen=3) for name in self._components}
        self._stalls: deque[int] = deque(maxlen=3)
        self._outages = {at: Outage(held.spec, start_ns) for at, held in self._held.items() if not held.spec.signal}
        self._remembered: dict[str, _Remembered] = {}
        self._calls = 0

    def fails(self, law: str, words: str) -> None:
        """Notes a broken law."""
        self.violations.append(f"{law}: {words}")

    def wrote(self, check: CheckId, work_ns: int) -> None:
        """The writer behind a check has finished work."""
        self._works[check].work_ns = work_ns

    def looks(self, look: Look, now: Instant) -> None:
        """T4: a look begins only where none is under way."""
        if look.check in self._under_way:
            self.fails("T4", f"two looks of {look.check} at once")
        self._under_way[look.check] = now.mono_ns

    def lost(self, look: Look) -> None:
        """The engine has given a look up."""
        self._under_way.pop(look.check, None)

    def sees(self, at: CheckId, observation: Observation, began_ns: int, now: Instant) -> None:
        """A look has ended with this, and the monitor is about to be told."""
        now_ns = now.mono_ns
        self._under_way.pop(at, None)
        self._answered[at] = now_ns
        if observation.identity is not None:
            self._see_identity(at, observation.identity, now_ns)
        held = self._held[at]
        if observation.signal is None:
            held.observe(observation.verdict, began_ns, now_ns)
            return
        work = self._works[at]
        work.read(observation.signal, now_ns)
        judged = {work.verdict(work.work_ns, now_ns)} if work.is_sure() else work.verdicts(now_ns)
        found = {observation.verdict if verdict is Verdict.OK else verdict for verdict in judged}
        held.observe_one_of(found, began_ns, now_ns)

    def _see_identity(self, at: CheckId, identity: Identity, now_ns: int) -> None:
        name = at.component
        known, seen_ns = self._identity.get(name), self._identity_seen[name]
        self._identity[name], self._identity_seen[name] = identity, now_ns
        if known is None or known == identity:
            return
        self._replaced[name].append(now_ns)
        window_ns = self._held[at].spec.flap_window_ns
        if sum(1 for moment in self._replaced[name] if now_ns - moment < window_ns) >= 3:
            return
        for other, held in self._held.items():
            if other.component != name:
                continue
            held.new_process(now_ns)
            if other in self._outages:
                self._outages[other].spoiled(now_ns + held.spec.grace_ns)
            if other in self._works:
                self._works[other].new_process(seen_ns, now_ns, now_ns + held.spec.grace_ns)

    def stalled(self, before: Instant, after: Instant, *, suspended: bool) -> None:
        """Nobody ran between."""
        gap_ns = after.mono_ns - before.mono_ns
        self._stalls.append(after.mono_ns)
        for at, held in self._held.items():
            long = suspended or gap_ns > max(S, held.spec.interval_ns // 2)
            held.stalled(before.mono_ns, after.mono_ns, long=long)
            if at in self._outages:
                self._outages[at].spoiled(after.mono_ns + (held.spec.grace_ns if long else 0))
            if long and at in self._works:
                self._works[at].stalled(before.mono_ns, gap_ns)
            self._answered[at] += gap_ns

    def remember(self, name: str, now_ns: int) -> None:
        """The monitor's memory of a component is taken, and will be what it goes on from after a death."""
        self._remembered[name] = _Remembered(
            now_ns,
            {at: held.remembered() for at, held in self._held.items() if at.component == name},
            {at: work.remembered() for at, work in self._works.items() if at.component == name},
            self._identity.get(name),
            self._identity_seen[name],
            [*self._replaced[name]],
        )

    def recalled(self, now_ns: int) -> None:
        """The monitor has died and begun again. What was told stays told: the books of S7 go on."""
        self._under_way.clear()
        self._stalls.clear()
        for name, known in self._remembered.items():
            for at, work in known.works.items():
                work.recalled(known.taken_ns, now_ns, self._works[at].work_ns, self._held[at].spec.grace_ns)
            self._works |= known.works
            for at, held in known.held.items():
                held.recalled(known.taken_ns, now_ns)
                self._answered[at] = now_ns
                if at in self._outages:
                    self._outages[at].spoiled(now_ns + held.spec.grace_ns)
            self._held |= known.held
            if known.identity is not None:
                self._identity[name], self._identity_seen[name] = known.identity, known.seen_ns
            self._replaced[name] = deque((at + now_ns - known.taken_ns for at in known.replaced), 3)
        self._remembered.clear()

    def struck(self, fault: Fault, now_ns: int) -> None:
        """A fault of one check has begun."""
        outage = self._outages.get(CheckId(fault.component, fault.check))
        if outage is not None:
            outage.struck(fault, now_ns)

    def undisturbed(self, law: str, effects: Iterable[Effect]) -> None:
        """S8, S9: what came of a reload that changes nothing, or of a silence, tells of no check and no component."""
        for effect in effects:
            if isinstance(effect, Record) and effect.event.name.startswith(("check.", "component.")):
                self.fails(law, f"{effect.event.name} of {effect.event.component} is told")

    def told(self, event: Event, now: Instant) -> None:
        """S7: down and recovered alternate, and each incident has an id of its own."""
        name = event.component or ""
        if event.name is EventName.COMPONENT_DOWN:
            if name in self._open:
                self.fails("S7", f"{name} went down twice")
            if not event.incident or event.incident in self._ids:
                self.fails("S7", f"the incident id {event.incident} of {name} is not new")
            self._ids.add(event.incident or "")
            self._open[name] = event.incident or ""
        elif event.name is EventName.COMPONENT_RECOVERED:
            if self._open.pop(name, None) != event.incident:
                self.fails("S7", f"{name} recovered from {event.incident}, which was not open")
            self._expect_calm(name, now.mono_ns)

    def _expect_calm(self, name: str, now_ns: int) -> None:
        for at, held in self._held.items():
            required = at.component == name and not held.spec.optional and held.was_failed
            if required and held.level == 2 and held.sure:
                self.fails("S3", f"{name} recovered while {at.check} has not")
            if required and held.is_flapping_at(now_ns) and held.sure and held.flaps_sure:
                self.fails("S6", f"{name} recovered while {at.check} flaps")
            held.was_failed = held.was_failed and at.component != name

    def after_observation(self, monitor: Monitor, at: CheckId, now: Instant) -> None:
        """What the monitor holds of the check that was just seen, and of its component."""
        self._compare(monitor, at, now.mono_ns)
        self._component(monitor, at.component)

    def after(self, monitor: Monitor, now: Instant) -> None:
        """Looks everything through, every so often."""
        self._calls += 1
        if self._calls % SAMPLE:
            return
        for at in self._held:
            self._compare(monitor, at, now.mono_ns)
        for name in self._components:
            self._component(monitor, name)
        view = monitor.view(now)
        down = {c.spec.name for c in view.components if c.state is ComponentState.DOWN}
        for shown in view.components:
            parents = [parent for parent in shown.spec.depends_on if parent in down]
            if shown.suppressed_by != (parents[0] if parents else None):
                self.fails("S10", f"{shown.spec.name} is suppressed by {shown.suppressed_by}, down are {sorted(down)}")
            for check in shown.checks:
                late_ns = now.mono_ns - self._answered[CheckId(shown.spec.name, check.spec.name)]
                if late_ns >= 2 * check.spec.interval_ns and not check.overdue:
                    self.fails("T5", f"{shown.spec.name}/{check.spec.name} has not run for {late_ns / S:.1f} s")
        often = len(self._stalls) == 3 and now.mono_ns - self._stalls[0] < 300 * S
        optional = {name: spec.optional for name, spec in self._components.items()}
        states = {c.spec.name: c.state for c in view.components}
        wrong = wrong_whole(view.overall, states, optional, stalls_often=often)
        if wrong:
            self.violations.append(wrong)

    def _compare(self, monitor: Monitor, at: CheckId, now_ns: int) -> None:
        tracked = monitor.components[at.component].checks[at.check]
        state, held = tracked.state, self._held[at]
        if state is CheckState.FAILED:
            held.was_failed = True
        else:
            self._expect_failed(at, state, now_ns)
        if not held.sure:
            return
        allowed = held.states(now_ns)
        if state not in allowed:
            words = " or ".join(allowed)
            self.fails("S1-S4", f"{at.component}/{at.check} is {state}, its history says {words}")
        if tracked.flaps.flapping is not held.is_flapping_at(now_ns) and held.flaps_sure:
            self.fails("S6", f"{at.component}/{at.check} flapping is {tracked.flaps.flapping}")

    def _expect_failed(self, at: CheckId, state: CheckState, now_ns: int) -> None:
        """By the truth alone: a target that refuses everybody for long enough is failed, whatever came before it."""
        outage = self._outages.get(at)
        if outage is not None and outage.condemns(now_ns):
            since_s = (now_ns - outage.from_ns) / S
            self.fails("S2", f"{at.component}/{at.check} has refused every look for {since_s:.1f} s and is {state}")

    def _component(self, monitor: Monitor, name: str) -> None:
        component = monitor.components[name]
        expected = of_a_component(component.checks.values(), crash_loop=component.crash_loop)
        if component.state is not expected:
            states = [check.state.value for check in component.checks.values()]
            self.fails("roll-up", f"{name} is {component.state} of {states}")
        if expected is ComponentState.DOWN and name not in self._open:
            self.fails("S7", f"{name} is down without an incident")

    def expect_healthy(self, monitor: Monitor, now: Instant) -> None:
        """After an hour of calm all is well, and every incident has its end."""
        if self.violations:
            return
        view = monitor.view(now)
        for shown in view.components:
            if shown.state is not ComponentState.HEALTHY or shown.incident is not None:
                self.fails("calm", f"{shown.spec.name} is {shown.state} after an hour of calm: {shown.diagnosis}")
        if view.overall is not ComponentState.HEALTHY:
            self.fails("calm", f"the whole is {view.overall} after an hour of calm")
