"""An independent judge of a simulated life: it keeps its own books and compares after every step.

It knows the inputs (what looks found, when they began, when nobody ran) and the contract. It reads
what the monitor shows, and asks the monitor's own code for nothing else.
"""

from collections import deque

from lifesign.core.effects import Look
from lifesign.core.events import Event, EventName
from lifesign.core.model import CheckId, CheckState, ComponentState, Identity, Instant, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.spec import ComponentSpec
from tests.simulation.books import Held, WorkBook
from tests.simulation.faults import S

_BAD = (CheckState.FAILED, CheckState.UNKNOWN, CheckState.FAILING, CheckState.WARNING)
SAMPLE = 24  # every so many calls, everything is looked through


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

    def sees(self, look: Look, observation: Observation, began_ns: int, now: Instant) -> None:
        """A look has ended with this, and the monitor is about to be told."""
        self._under_way.pop(look.check, None)
        self._answered[look.check] = now.mono_ns
        if observation.identity is not None:
            self._see_identity(look.check, observation.identity, now.mono_ns)
        held = self._held[look.check]
        work = self._works.get(look.check)
        if work is None or observation.signal is None:
            held.observe({observation.verdict}, began_ns, now.mono_ns)
            return
        work.read(observation.signal, now.mono_ns)
        found = {observation.verdict if judged is Verdict.OK else judged for judged in work.verdicts(now.mono_ns)}
        held.observe(found, began_ns, now.mono_ns)

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
            if other in self._works:
                self._works[other].new_process(seen_ns, now_ns, now_ns + held.spec.grace_ns)

    def stalled(self, before: Instant, after: Instant, *, suspended: bool) -> None:
        """Nobody ran between."""
        gap_ns = after.mono_ns - before.mono_ns
        self._stalls.append(after.mono_ns)
        for at, held in self._held.items():
            long = suspended or gap_ns > max(S, held.spec.interval_ns // 2)
            held.stalled(before.mono_ns, after.mono_ns, long=long)
            if long and at in self._works:
                self._works[at].stalled(before.mono_ns, gap_ns)
            self._answered[at] += gap_ns

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

    def after_observation(self, monitor: Monitor, look: Look, now: Instant) -> None:
        """What the monitor holds of the check that was just seen, and of its component."""
        self._compare(monitor, look.check, now)
        self._component(monitor, look.check.component)

    def after(self, monitor: Monitor, now: Instant) -> None:
        """Looks everything through, every so often."""
        self._calls += 1
        if self._calls % SAMPLE:
            return
        for at in self._held:
            self._compare(monitor, at, now)
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
        self._whole(view.overall, {c.spec.name: c.state for c in view.components}, now.mono_ns)

    def _whole(self, overall: ComponentState, states: dict[str, ComponentState], now_ns: int) -> None:
        required = {state for name, state in states.items() if not self._components[name].optional}
        often = len(self._stalls) == 3 and now_ns - self._stalls[0] < 300 * S
        if (overall is ComponentState.DOWN) is not (ComponentState.DOWN in required):
            self.fails("overall", f"{overall} of {states}")
        if often and overall not in (ComponentState.DOWN, ComponentState.UNKNOWN):
            self.fails("T3", f"three stalls in five minutes, and the whole is {overall}")
        if overall is ComponentState.HEALTHY and set(states.values()) != {ComponentState.HEALTHY}:
            self.fails("overall", f"healthy of {states}")

    def _compare(self, monitor: Monitor, at: CheckId, now: Instant) -> None:
        tracked = monitor.components[at.component].checks[at.check]
        held = self._held[at]
        held.was_failed = held.was_failed or tracked.state is CheckState.FAILED
        if not held.sure:
            return
        if tracked.state not in held.states(now.mono_ns):
            allowed = ", ".join(sorted(held.states(now.mono_ns)))
            self.fails("S1-S4", f"{at.component}/{at.check} is {tracked.state}, its history says {allowed}")
        if tracked.flaps.flapping is not held.is_flapping_at(now.mono_ns) and held.flaps_sure:
            self.fails("S6", f"{at.component}/{at.check} flapping is {tracked.flaps.flapping}")

    def _component(self, monitor: Monitor, name: str) -> None:
        component = monitor.components[name]
        checks = component.checks.values()
        required = {check.state for check in checks if not check.spec.optional}
        states = {check.state for check in checks}
        if CheckState.FAILED in required:
            expected = ComponentState.DOWN
        elif CheckState.UNKNOWN in required:
            expected = ComponentState.UNKNOWN
        elif states & set(_BAD) or any(check.flaps.flapping for check in checks) or component.crash_loop:
            expected = ComponentState.DEGRADED
        else:
            expected = ComponentState.STARTING if CheckState.PENDING in states else ComponentState.HEALTHY
        if component.state is not expected:
            self.fails("roll-up", f"{name} is {component.state} of {sorted(states)}")
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
