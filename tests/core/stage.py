"""A stage for the core: clocks that obey, a world that answers looks, and the engine's contract kept.

The monitor's `tick` is called at each deadline, as the engine does; a stall is a time in which
nobody calls, a suspend one that the monotonic clock does not see. Nothing here waits.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lifesign.core.commands import LookNow
from lifesign.core.effects import Effect, Look, Record, Restart
from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, CheckId, CheckState, ComponentState, Instant, Layer, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.restart import RestartReport
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from lifesign.core.view import CheckView, ComponentView

S = NS_PER_S
START = Instant(mono_ns=5_000 * S, wall_ns=1_790_000_000 * S, boot_ns=5_000 * S)
OK, WARN, FAIL, UNKNOWN = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN

World = Callable[[CheckId, Instant], Observation | None]


def seconds(value: float) -> int:
    """Nanoseconds."""
    return round(value * S)


def check(name: str = "port", layer: Layer = Layer.READY, kind: str = "tcp", **changes: Any) -> CheckSpec:
    """A check with the defaults of the contract; `changes` are fields of CheckSpec."""
    return replace(CheckSpec(name=name, type=kind, layer=layer), **changes)


def component(name: str, *checks: CheckSpec, **changes: Any) -> ComponentSpec:
    """A component; `changes` are fields of ComponentSpec."""
    return replace(ComponentSpec(name=name, checks=checks), **changes)


class Stage:
    """A monitor under the engine's contract, in a world that a test sets as it goes.

    `world` holds an Observation, or a function of the instant, for each (component, check); what it
    lacks passes. A look takes `latency_ns`; None as an answer means that it never comes.
    """

    def __init__(
        self, *components: ComponentSpec, seed: int = 0, one_shot: bool = False, dry_run: bool = False
    ) -> None:
        self.now = START
        self.spec = MonitorSpec(components, seed=seed, one_shot=one_shot, dry_run=dry_run)
        self.monitor = Monitor(self.spec, self.now)
        self.world: dict[tuple[str, str], Observation | Callable[[Instant], Observation] | None] = {}
        self.latency_ns: dict[tuple[str, str], int] = {}
        self.looks: list[tuple[float, Look]] = []
        self.restarts: list[tuple[float, Restart]] = []
        self.shell: Callable[[], RestartReport | None] = lambda: None  # does a restart, at once
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.rests = False  # whether ticks that decide nothing are left out
        self._answers: list[tuple[int, Look]] = []

    @property
    def elapsed_s(self) -> float:
        """Seconds of the monotonic clock since the start."""
        return (self.now.mono_ns - START.mono_ns) / S

    def take(self, effects: tuple[Effect, ...]) -> None:
        """Does what the core asks for: notes it, and begins the looks."""
        self.effects += effects
        for effect in effects:
            if isinstance(effect, Record):
                self.events.append(effect.event)
            elif isinstance(effect, Restart):
                self.restarts.append((self.elapsed_s, effect))
                report = self.shell()
                if report is not None:
                    done = self.monitor.restart_reported(effect.component, effect.attempt, report, self.now)
                    self.take(done)
            else:
                self.looks.append((self.elapsed_s, effect))
                latency_ns = self.latency_ns.get(effect.check, 0)
                self._answers.append((self.now.mono_ns + latency_ns, effect))
                self._answers.sort(key=lambda entry: entry[0])

    def run(self, duration_s: float) -> "Stage":
        """Lets time pass as the engine does."""
        end_ns = self.now.mono_ns + seconds(duration_s)
        while True:
            answer_ns = self._answers[0][0] if self._answers else end_ns + 1
            deadline_ns = self.monitor.quiet_until() if self.rests else self.monitor.deadline()
            next_ns = max(self.now.mono_ns, min(answer_ns, deadline_ns))
            if next_ns > end_ns:
                break
            self._pass(next_ns)
            if answer_ns <= deadline_ns:
                self._answer(self._answers.pop(0)[1])
            else:
                self.take(self.monitor.tick(self.now))
        self._pass(end_ns)
        return self.tick()

    def _pass(self, moment_ns: int) -> None:
        before, self.now = self.now, self.now.after(moment_ns - self.now.mono_ns)
        if self.rests and moment_ns > before.mono_ns:
            self.monitor.rest(before.after(moment_ns - before.mono_ns - 1))

    def _answer(self, look: Look) -> None:
        answer = self.world.get(look.check, Observation(OK, "fine"))
        observation = answer(self.now) if callable(answer) else answer
        if observation is not None:
            self.take(self.monitor.observe(look.check, observation, self.now, look.run))

    def tell(self, name: str, check_name: str, observation: Observation) -> "Stage":
        """An observation that comes by itself."""
        self.take(self.monitor.observe(CheckId(name, check_name), observation, self.now))
        return self

    def look_now(self, name: str | None = None, check_name: str | None = None) -> "Stage":
        """The operator asks to look at once."""
        self.take(self.monitor.command(LookNow(name, check_name), self.now))
        return self

    def tick(self) -> "Stage":
        """One call of the engine, now."""
        self.take(self.monitor.tick(self.now))
        return self

    def stall(self, duration_s: float) -> "Stage":
        """Nobody calls the monitor, while the world goes on; then the engine ticks."""
        self.now = self.now.after(seconds(duration_s))
        return self.tick()

    def die(self, away_s: float = 0.0) -> "Stage":
        """The monitor is killed; so long after, the next one goes on from its memory."""
        memory = self.monitor.memory(self.now)
        self._answers = []
        self.now = self.now.after(seconds(away_s))
        self.monitor = Monitor(self.spec, self.now, memory)
        return self

    def suspend(self, duration_s: float) -> "Stage":
        """The machine sleeps: the monotonic clock stands, the two others go on; then the engine ticks."""
        asleep_ns = seconds(duration_s)
        self.now = Instant(self.now.mono_ns, self.now.wall_ns + asleep_ns, self.now.boot_ns + asleep_ns)
        return self.tick()

    def step(self, duration_s: float) -> "Stage":
        """Somebody sets the wall clock; then the engine ticks."""
        self.now = replace(self.now, wall_ns=self.now.wall_ns + seconds(duration_s))
        return self.tick()

    def view(self, name: str) -> ComponentView:
        """A component as it stands."""
        return next(c for c in self.monitor.view(self.now).components if c.spec.name == name)

    def state(self, name: str) -> ComponentState:
        """Its state."""
        return self.view(name).state

    def check_view(self, name: str, check_name: str) -> CheckView:
        """One of its checks."""
        return next(c for c in self.view(name).checks if c.spec.name == check_name)

    def check_state(self, name: str, check_name: str) -> CheckState:
        """The state of one of its checks."""
        return self.check_view(name, check_name).state

    def names(self, component_name: str | None = None) -> list[EventName]:
        """The names of the events so far, of one component or of the monitor itself."""
        return [event.name for event in self.events if event.component == component_name]
