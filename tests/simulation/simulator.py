"""A monitor, the engine's contract and a world that breaks, in virtual time; quiet stretches cost nothing.

The engine: it ticks in time, answers each look by its timeout, replaces a worker that never answers
half a second later, and in a stall does nothing at all; what was due meanwhile comes at once after
it, in any order. Ticks that decide nothing are left out (`Monitor.rest`). Once every service is
healthy and the next fault is far, the calm between is not lived through, only counted: a run with
less calm is as good a run.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from heapq import heappop, heappush
from random import Random
from zlib import crc32

from lifesign.core.effects import Effect, Look, Record, Restart
from lifesign.core.model import CheckId, ComponentState, Identity, Instant, Observation, Verdict, WorkSignal
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from tests.simulation.faults import Fault, Kind, S, plan, services
from tests.simulation.invariants import Checker

START = Instant(10_000 * S, 1_790_000_000 * S, 10_000 * S)
WRITES_EVERY_NS = 5 * S
CALM_NS = 90 * S  # calm that is lived through after all is healthy again


class Ends(IntEnum):
    """How a look ends."""

    ANSWERED = 0
    TIMED_OUT = 1
    LOST = 2


@dataclass
class Service:
    """The truth about one component: its process, its work, and the faults that bear upon it."""

    spec: ComponentSpec
    identity: Identity
    writes_from_ns: int = 0  # a new process works only then
    ends: dict[tuple[str, Kind], int] = field(default_factory=dict)
    hung_ns: int = 0
    written_ns: int = 0  # of the newest heartbeat, on the clock that counts no suspend
    written_wall_ns: int = 0
    progress: int = 0
    busy: bool = True


@dataclass
class Result:
    """What one run came to."""

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
        steps: bool = True,
        trace: bool = False,
    ) -> None:
        random = Random(seed)
        self.components = services(random)
        self.plan = plan(random, self.components, count, 3_156 / len(self.components)) if faults is None else faults
        self._seed = seed
        self._steps = steps
        self._tracing = trace
        self.now = START
        self._monitor = Monitor(MonitorSpec(self.components, seed=seed), START)
        self._specs: dict[CheckId, CheckSpec] = {
            CheckId(c.name, check.name): check for c in self.components for check in c.checks
        }
        wall_s = START.wall_ns / S
        self._services = {c.name: Service(c, Identity(1_000, wall_s - 9_000)) for c in self.components}
        self.checker = Checker(self.components, START.mono_ns)
        for service in self._services.values():
            service.written_ns, service.written_wall_ns = START.mono_ns, START.wall_ns
        for at, spec in self._specs.items():
            if spec.signal is not None:
                self.checker.wrote(at, START.mono_ns)
        self.result = Result("")
        self._hash = sha256()
        self._answers: list[tuple[int, int, Look, int, Ends]] = []
        self._asked = 0

    def run(self) -> Result:
        """Lives through the plan and the calm after it."""
        due_ns = START.mono_ns
        for fault in self.plan:
            due_ns += round(fault.pause_s * S)
            skipped_ns = self._live(due_ns)
            due_ns -= skipped_ns
            if self.checker.violations:
                break
            self._strike(fault)
            due_ns = max(due_ns, self.now.mono_ns)
        self._live(self.now.mono_ns + 3_600 * S)
        self.checker.expect_healthy(self._monitor, self.now)
        result = self.result
        result.digest = self._hash.hexdigest()
        result.faults = len(self.plan)
        result.lived_ns = self.now.mono_ns - START.mono_ns
        result.service_ns += result.lived_ns * len(self.components)
        result.violations = self.checker.violations
        return result

    def _live(self, until_ns: int) -> int:
        """Up to then; returns how much calm was skipped, for the plan to come earlier by it."""
        calm_since_ns: int | None = None
        while self.now.mono_ns < until_ns and not self.checker.violations:
            answer_ns = self._answers[0][0] if self._answers else until_ns
            quiet_ns = self._monitor.quiet_until()
            next_ns = min(answer_ns, quiet_ns, until_ns)
            self._pass(next_ns)
            if answer_ns <= next_ns and self._answers:
                self._answer()
            else:
                self._take(self._monitor.tick(self.now))
                self.checker.after(self._monitor, self.now)
            if not self._is_calm():
                calm_since_ns = None
            elif calm_since_ns is None:
                calm_since_ns = self.now.mono_ns
            elif self.now.mono_ns - calm_since_ns > CALM_NS:
                skipped_ns = max(0, until_ns - self.now.mono_ns - 5 * S)
                self.result.service_ns += skipped_ns * len(self.components)
                return skipped_ns
        return 0

    def _is_calm(self) -> bool:
        healthy = all(c.state is ComponentState.HEALTHY for c in self._monitor.components.values())
        return healthy and not any(
            end > self.now.mono_ns for service in self._services.values() for end in service.ends.values()
        )

    def _pass(self, moment_ns: int) -> None:
        gap_ns = moment_ns - self.now.mono_ns
        if gap_ns > 0:
            self._monitor.rest(self.now.after(gap_ns - 1))
            self.now = self.now.after(gap_ns)

    def _note(self, words: str) -> None:
        if self._tracing:
            self.result.trace.append(f"{(self.now.mono_ns - START.mono_ns) / S:12.3f}  {words}")

    def _take(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            self._hash.update(repr(effect).encode())
            if isinstance(effect, Record):
                event = effect.event
                self._note(f"{event.name} {event.component or ''}/{event.check or ''} {event.message}")
                self.result.told.append((event.name, event.component, event.check))
                self.checker.told(event, self.now)
            elif not isinstance(effect, Restart):
                self._begin(effect)

    def _begin(self, look: Look) -> None:
        self.checker.looks(look, self.now)
        spec = self._specs[look.check]
        service = self._services[look.check.component]
        dice = crc32(f"{self._seed}/{look.check}/{look.run}".encode())
        ends, latency_ns = Ends.ANSWERED, dice % (spec.timeout_ns // 4)
        if self._suffers(service, look.check, Kind.SLOW):
            ends, latency_ns = Ends.TIMED_OUT, spec.timeout_ns
        if self._suffers(service, look.check, Kind.LOST):
            ends, latency_ns = Ends.LOST, spec.timeout_ns + S // 2
        self._asked += 1
        heappush(self._answers, (self.now.mono_ns + latency_ns, self._asked, look, self.now.mono_ns, ends))

    def _suffers(self, service: Service, check: CheckId, kind: Kind) -> bool:
        return service.ends.get((check.check, kind), -1) > self.now.mono_ns

    def _answer(self) -> None:
        _, _, look, began_ns, ends = heappop(self._answers)
        if ends is Ends.LOST:
            self.checker.lost(look)
            return
        observation = Observation(Verdict.FAIL, "timed out") if ends is Ends.TIMED_OUT else self._look(look)
        self.result.observations += 1
        if observation.verdict is not Verdict.OK:
            self._note(f"look {look.check.component}/{look.check.check} finds {observation.verdict}")
        self.checker.sees(look, observation, began_ns, self.now)
        self._take(self._monitor.observe(look.check, observation, self.now, look.run))
        self.checker.after_observation(self._monitor, look, self.now)

    def _look(self, look: Look) -> Observation:
        check = look.check
        service, spec = self._services[check.component], self._specs[check]
        verdict, words = Verdict.OK, ""
        if self._suffers(service, check, Kind.BLIND):
            return Observation(Verdict.UNKNOWN, "no permission")
        if self._suffers(service, check, Kind.WARNING):
            verdict, words = Verdict.WARN, "slow"
        if self._suffers(service, check, Kind.ALTERNATE) and look.run % 2:
            verdict, words = Verdict.FAIL, "refused"
        if service.ends.pop((check.check, Kind.BLIP), 0) or self._suffers(service, check, Kind.OUTAGE):
            verdict, words = Verdict.FAIL, "refused"
        if spec.signal is None:
            identity = service.identity if spec.type == "process" and verdict is Verdict.OK else None
            return Observation(verdict, words, identity=identity)
        if self._suffers(service, check, Kind.GARBAGE):
            return Observation(Verdict.FAIL, "malformed")
        self._write(service, spec)
        signal = WorkSignal(service.written_wall_ns, service.progress, service.busy)
        return Observation(verdict, words, signal=signal)

    def _write(self, service: Service, spec: CheckSpec) -> None:
        """What the writer has written by now; it writes every few seconds while it lives and is not hung."""
        now_ns = self.now.mono_ns
        check = CheckId(service.spec.name, spec.name)
        if self._suffers(service, check, Kind.HUNG) or now_ns < service.writes_from_ns:
            return
        ago_ns = min(now_ns % WRITES_EVERY_NS, now_ns - service.writes_from_ns, now_ns - service.hung_ns)
        if now_ns - ago_ns > service.written_ns:
            service.written_ns = now_ns - ago_ns
            service.written_wall_ns = self.now.wall_ns - ago_ns
            resting = self._suffers(service, check, Kind.STUCK) or self._suffers(service, check, Kind.IDLE)
            service.busy = not self._suffers(service, check, Kind.IDLE)
            service.progress += not resting
            self.checker.wrote(check, service.written_ns)

    def _strike(self, fault: Fault) -> None:
        self._note(f"FAULT {fault}")
        duration_ns = round(fault.duration_s * S)
        match fault.kind:
            case Kind.STALL | Kind.FREEZE | Kind.SUSPEND:
                self._stall(fault.kind, duration_ns)
            case Kind.STEP:
                if self._steps:
                    wall_ns = max(S, self.now.wall_ns + round(fault.amount_s * S))
                    self.now = Instant(self.now.mono_ns, wall_ns, self.now.boot_ns)
                    self._take(self._monitor.tick(self.now))
            case Kind.RESTART:
                service = self._services[fault.component]
                self._freeze_writers(service)
                service.identity = Identity(service.identity.pid + 1, self.now.wall_ns / S)
                service.writes_from_ns = self.now.mono_ns + duration_ns // 8
            case _:
                service = self._services[fault.component]
                self._freeze_writers(service)
                key = (fault.check, fault.kind)
                service.ends[key] = max(service.ends.get(key, 0), self.now.mono_ns + duration_ns)
                if fault.kind is Kind.HUNG:
                    service.hung_ns = service.ends[key]

    def _freeze_writers(self, *services: Service) -> None:
        """What was written before a fault is written before it."""
        for service in services:
            for check in service.spec.checks:
                if check.signal is not None:
                    self._write(service, check)

    def _stall(self, kind: Kind, duration_ns: int) -> None:
        """Nobody calls the monitor. Looks under way may time out; in a freeze nobody else lives either."""
        self._freeze_writers(*self._services.values())
        before = self.now
        if kind is Kind.SUSPEND:
            self.now = Instant(before.mono_ns, before.wall_ns + duration_ns, before.boot_ns + duration_ns)
        else:
            self.now = before.after(duration_ns)
        self.checker.stalled(before, self.now, suspended=kind is Kind.SUSPEND)
        late_ns = self.now.mono_ns
        if kind is not Kind.STALL:
            for service in self._services.values():
                service.hung_ns = service.writes_from_ns = max(service.writes_from_ns, late_ns)
        answers, self._answers = self._answers, []
        for answer_ns, asked, look, began_ns, ends in sorted(answers):
            timed_out = ends is Ends.ANSWERED and asked % 2 and late_ns > began_ns + self._specs[look.check].timeout_ns
            # What the engine has to end by its own clock, it ends that much later.
            answered_ns = late_ns + answer_ns - before.mono_ns if ends is Ends.LOST else max(answer_ns, late_ns)
            heappush(self._answers, (answered_ns, asked, look, began_ns, Ends.TIMED_OUT if timed_out else ends))
        if crc32(f"{self._seed}/{late_ns}".encode()) % 2:
            while self._answers and self._answers[0][0] <= late_ns:
                self._answer()
        self._take(self._monitor.tick(self.now))
