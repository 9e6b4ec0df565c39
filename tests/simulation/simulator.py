"""A monitor, the engine's contract and a world that breaks, in virtual time; quiet stretches cost nothing.

The engine: it ticks in time, answers each look by its timeout, replaces a worker that never answers
half a second later, and in a stall does nothing at all; what was due meanwhile comes at once after
it, in any order. Ticks that decide nothing are left out (`Monitor.rest`). Once every service is
healthy and the next fault is far, the calm between is not lived through, only counted: a run with
less calm is as good a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import heappop, heappush
from random import Random
from zlib import crc32

from lifesign.core.commands import Silence
from lifesign.core.effects import Effect, Look, Record
from lifesign.core.memory import ComponentMemory, MonitorMemory
from lifesign.core.model import ComponentState, Instant, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.spec import MonitorSpec
from tests.simulation.faults import Fault, Kind, S, plan, services
from tests.simulation.invariants import Checker
from tests.simulation.world import TIMED_OUT, Ends, World

START = Instant(10_000 * S, 1_790_000_000 * S, 10_000 * S)
SAVED_EVERY_NS = 5 * S
CALM_NS = 90 * S  # calm that is lived through after all is healthy again
GLANCE_NS = 10 * S  # how often it is asked whether all is calm
YEAR_NS = 31_557_600 * S
SERVICES = 4


@dataclass
class Result:
    """What one run came to. `told`: (event, component, check)."""

    digest: str
    faults: int = 0
    observations: int = 0
    service_ns: int = 0
    lived_ns: int = 0
    violations: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    told: list[tuple[str, str | None, str | None]] = field(default_factory=list)


class Simulator:
    """One life. The same arguments give the same bytes."""

    def __init__(
        self,
        seed: int,
        faults: tuple[Fault, ...] | None = None,
        *,
        count: int = 300,
        intervals_s: tuple[int, ...] = (10, 30, 60),
        steps: bool = True,
        trace: bool = False,
    ) -> None:
        random = Random(seed)
        self.components = services(random, intervals_s)
        self.plan = plan(random, self.components, count, 3_156 / SERVICES) if faults is None else faults
        self._seed = seed
        self._steps = steps
        self._tracing = trace
        self.now = START
        self._monitor = Monitor(MonitorSpec(self.components, seed=seed), START)
        self.judged_by(Checker(self.components, START.mono_ns))
        self._names = {at: f"{at.component}/{at.check}".encode() for at in self._world.targets}
        self.result = Result("")
        self._hash = sha256()
        self._answers: list[tuple[int, int, Look, int, Ends]] = []
        self._asked = 0
        self._saved: dict[str, ComponentMemory] | None = None  # while a death is near

    def judged_by(self, checker: Checker) -> None:
        """Sets the judge, before the life begins."""
        self._checker = checker
        self._world = World(self.components, START, self._seed, checker.wrote)

    def run(self) -> Result:
        """Lives through the plan and the calm after it."""
        due_ns = START.mono_ns
        for fault in self.plan:
            due_ns += round(fault.pause_s * S)
            due_ns -= self._live(due_ns)
            if self._checker.violations:
                break
            self.result.faults += 1
            self._strike(fault)
            due_ns = max(due_ns, self.now.mono_ns)
        self._live(self.now.mono_ns + 3_600 * S)
        self._checker.expect_healthy(self._monitor, self.now)
        result = self.result
        result.digest = self._hash.hexdigest()
        result.lived_ns = self.now.mono_ns - START.mono_ns
        result.service_ns += result.lived_ns * SERVICES
        result.violations = self._checker.violations
        return result

    def _live(self, until_ns: int) -> int:
        """Up to then; returns how much calm was skipped, for the plan to come earlier by it."""
        calm_since_ns: int | None = None
        glance_ns = 0
        monitor, checker, answers = self._monitor, self._checker, self._answers
        while self.now.mono_ns < until_ns and not checker.violations:
            next_ns = min(monitor.quiet_until(), until_ns)
            if answers and answers[0][0] <= next_ns:
                self._pass(answers[0][0])
                self._answer()
            else:
                self._pass(next_ns)
                self._take(monitor.tick(self.now))
                checker.after(monitor, self.now)
            now_ns = self.now.mono_ns
            if now_ns < glance_ns:
                continue
            glance_ns = now_ns + GLANCE_NS
            if not self._is_calm():
                calm_since_ns = None
            elif calm_since_ns is None:
                calm_since_ns = now_ns
            elif now_ns - calm_since_ns > CALM_NS:
                skipped_ns = max(0, until_ns - now_ns - 5 * S)
                self.result.service_ns += skipped_ns * SERVICES
                return skipped_ns
        return 0

    def _is_calm(self) -> bool:
        if self._world.worst_ns > self.now.mono_ns:
            return False
        return all(c.state is ComponentState.HEALTHY for c in self._monitor.components.values())

    def _pass(self, moment_ns: int) -> None:
        gap_ns = moment_ns - self.now.mono_ns
        if gap_ns > 0:
            self._monitor.rest(self.now.after(gap_ns - 1))
            self.now = self.now.after(gap_ns)

    def _note(self, words: str) -> None:
        if self._tracing:
            self.result.trace.append(f"{(self.now.mono_ns - START.mono_ns) / S:12.3f}  {words}")

    def _take(self, effects: tuple[Effect, ...]) -> None:
        told = set()
        for effect in effects:
            if isinstance(effect, Look):
                self._begin(effect)
            elif isinstance(effect, Record):
                event = effect.event
                self._hash.update(repr(event).encode())
                self._note(f"{event.name} {event.component or ''}/{event.check or ''} {event.message}")
                self.result.told.append((event.name, event.component, event.check))
                self._checker.told(event, self.now)
                told.add(event.component)
        if self._saved is not None:
            self._save(name for name in self._monitor.components if name in told)

    def _begin(self, look: Look) -> None:
        self._hash.update(b"%b %d" % (self._names[look.check], look.run))
        self._checker.looks(look, self.now)
        self._asked += 1
        ends_ns, ends = self._world.begin(look.check, self._asked, self.now.mono_ns)
        heappush(self._answers, (ends_ns, self._asked, look, self.now.mono_ns, ends))

    def _answer(self) -> None:
        _, _, look, began_ns, ends = heappop(self._answers)
        if ends is Ends.LOST:
            self._checker.lost(look)
            return
        found = TIMED_OUT if ends is Ends.TIMED_OUT else self._world.look(look.check, look.run, self.now)
        self.result.observations += 1
        if self._tracing and found.verdict is not Verdict.OK:
            self._note(f"look {look.check.component}/{look.check.check} finds {found.verdict}")
        self._checker.sees(look.check, found, began_ns, self.now)
        self._take(self._monitor.observe(look.check, found, self.now, look.run))
        self._checker.after_observation(self._monitor, look.check, self.now)

    def _strike(self, fault: Fault) -> None:
        if self._tracing:
            self._note(f"FAULT {fault}")
        if fault.kind in (Kind.STALL, Kind.FREEZE, Kind.SUSPEND):
            self._stall(fault.kind, round(fault.duration_s * S))
        elif fault.kind is Kind.DEATH:
            self._die(round(fault.duration_s * S))
        elif fault.kind is Kind.RELOAD:
            self._disturb("S8", self._monitor.reconfigure(self._monitor.spec, (), self.now))
        elif fault.kind is Kind.SILENCE:
            silence = Silence(fault.component, "an operator", round(fault.duration_s * S), "a deploy")
            self._disturb("S9", self._monitor.command(silence, self.now))
        elif fault.kind is Kind.STEP:
            self._step(round(fault.amount_s * S))
        else:
            self._world.strike(fault, self.now)
            self._checker.struck(fault, self.now.mono_ns)

    def _disturb(self, law: str, effects: Iterable[Effect]) -> None:
        """What must change nothing: it tells no transition, and the books of the judge go on as if it had not been."""
        self._checker.undisturbed(law, effects)
        self._take(tuple(effects))

    def _die(self, away_ns: int) -> None:
        """Killed some time after a save, as `Keeper` makes them: of all every 5 s, of one component with each event."""
        saved_ago_ns = away_ns % SAVED_EVERY_NS
        self._saved = {}
        self._save(self._monitor.components)
        self._live(self.now.mono_ns + saved_ago_ns)
        self._answers.clear()
        self.now = self.now.after(away_ns)
        self._monitor = Monitor(self._monitor.spec, self.now, MonitorMemory(self._saved))
        self._saved = None
        self._checker.recalled(self.now.mono_ns)
        self._take(self._monitor.tick(self.now))

    def _save(self, names: Iterable[str]) -> None:
        assert self._saved is not None
        for name in names:
            self._saved[name] = self._monitor.components[name].memory(self.now)
            self._checker.remember(name, self.now.mono_ns)

    def _step(self, step_ns: int) -> None:
        hides = self._world.hides_a_beat(self.now)
        if self._steps and not (step_ns < 0 and hides):
            self.now = Instant(self.now.mono_ns, max(S, self.now.wall_ns + step_ns), self.now.boot_ns)
            self._take(self._monitor.tick(self.now))

    def _stall(self, kind: Kind, duration_ns: int) -> None:
        """Nobody calls the monitor. Looks under way may time out; in a freeze nobody else lives either."""
        before = self.now
        self._world.freeze_writers(before)
        if kind is Kind.SUSPEND:
            self.now = Instant(before.mono_ns, before.wall_ns + duration_ns, before.boot_ns + duration_ns)
        else:
            self.now = before.after(duration_ns)
        self._checker.stalled(before, self.now, suspended=kind is Kind.SUSPEND)
        late_ns = self.now.mono_ns
        if kind is not Kind.STALL:
            self._world.slept(late_ns)
        answers = sorted(self._answers)
        self._answers.clear()
        for answer_ns, asked, look, began_ns, ends in answers:
            due_ns = began_ns + self._world.targets[look.check].spec.timeout_ns
            timed_out = ends is Ends.ANSWERED and asked % 2 and late_ns > due_ns
            # What the engine has to end by its own clock, it ends that much later.
            answered_ns = late_ns + answer_ns - before.mono_ns if ends is Ends.LOST else max(answer_ns, late_ns)
            heappush(self._answers, (answered_ns, asked, look, began_ns, Ends.TIMED_OUT if timed_out else ends))
        if crc32(f"{self._seed}/{late_ns}".encode()) % 2:
            while self._answers and self._answers[0][0] <= late_ns:
                self._answer()
        self._take(self._monitor.tick(self.now))
