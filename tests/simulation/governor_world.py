"""Workers that hang, a shell that restarts them or cannot, and a monitor that is killed in between: in virtual time.

Calm is counted and not lived through, as in the simulator of states. The same seed gives the same life.
"""

from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from random import Random

from lifesign.core.commands import Hold, NotPossibleError, Rearm, Release, RestartNow
from lifesign.core.effects import Effect, Look, Record, Restart
from lifesign.core.model import CheckId, ComponentState, Identity, Instant, Layer, Observation, Verdict, WorkSignal
from lifesign.core.monitor import Monitor
from lifesign.core.restart import Failed, Phase, RestartReport, Sent, Withheld
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, RestartSpec, SignalPolicy
from tests.simulation.governor_judge import Judge

S = 1_000_000_000
START = Instant(10_000 * S, 1_790_000_000 * S, 10_000 * S)
GRACE_NS = 20 * S
NAMES = ("gateway", "mind", "feed", "tools")
FAULTS = ("hang", "hang", "for good", "for good", "all", "all", "replaced", "blind", "stall", "step")
DEEDS = ("sent", "sent", "sent", "sent", "slow", "same", "withheld", "failed", "killed")


@dataclass
class Worker:
    """The truth of one component."""

    identity: Identity
    hangs: bool = False
    hopeless_until_ns: int = 0
    works_from_ns: int = 0
    blind_until_ns: int = 0
    work: Instant = field(default=START.after(-S))


class Life:
    """One life of a monitor and four workers."""

    def __init__(self, seed: int, *, dry_run: bool = False, chance: Random | None = None) -> None:
        """`chance`: where its chances come from, if not from the seed."""
        self.random = Random(seed) if chance is None else chance
        self.now = START
        spec = RestartSpec(
            "signal",
            automatic=True,
            max_unproductive=self.random.choice((2, 3)),
            max_restarts=self.random.choice((3, 5)),
            after_ns=self.random.choice((5, 60)) * S,
            grace_ns=self.random.choice((60, 120)) * S,
            backoff_initial_ns=self.random.choice((10, 30)) * S,
            backoff_max_ns=600 * S,
            window_ns=self.random.choice((3_600, 14_400)) * S,
        )
        parents = {"mind": "gateway"}
        components = tuple(_component(name, spec, parents.get(name)) for name in NAMES)
        self.spec = MonitorSpec(components, seed=seed, dry_run=dry_run)
        self.monitor = Monitor(self.spec, START)
        self.judge = Judge(dict.fromkeys(NAMES, spec), GRACE_NS, parents)
        self.judge.dry_run = dry_run
        self.workers = {name: Worker(Identity(1_000 + n, 1.0)) for n, name in enumerate(NAMES)}
        for name, worker in self.workers.items():
            self.judge.books[name].identity = worker.identity
        self.service_ns = 0
        self.faults = self.deaths = 0
        self.busyness = 0.0005  # of operators, at every step
        self.told: set[str] = set()
        self._todo: list[tuple[int, int, Look | tuple[Restart, str]]] = []
        self._count = 0

    @property
    def now_ns(self) -> int:
        return self.now.boot_ns

    def run(self, faults: int) -> "Life":
        """So many faults, many days apart."""
        for _ in range(faults):
            pause_s = self.random.expovariate(1 / 1_000_000)
            self.strike(self.random.choice(FAULTS), self.random.choice(NAMES))
            self.faults += 1
            self._live(pause_s)
            if self.judge.violations:
                break
        return self

    def _live(self, pause_s: float) -> None:
        """Until all is well again and a while longer; what is left of the pause is calm that only counts."""
        began_ns, longest_ns = self.now_ns, self.now.mono_ns + 3 * 3_600 * S
        calm_ns: int | None = None
        while self.now.mono_ns < longest_ns and not self.judge.violations:
            self._step()
            shown = self.monitor.components.values()
            if all(c.state is ComponentState.HEALTHY for c in shown):
                calm_ns = calm_ns or self.now.mono_ns
                if self.now.mono_ns - calm_ns > 200 * S:
                    break
            else:
                calm_ns = None
            if self.random.random() < self.busyness:
                self.operate(self.random.choice(("hold", "restart", "rearm", "kill")), self.random.choice(NAMES))
        self.service_ns += max(self.now_ns - began_ns, round(pause_s * S)) * len(NAMES)

    def _step(self) -> None:
        todo_ns = self._todo[0][0] if self._todo else 2**63
        next_ns = max(self.now.mono_ns, min(todo_ns, self.monitor.quiet_until()))
        gap_ns = next_ns - self.now.mono_ns
        if gap_ns > 0:
            self.monitor.rest(self.now.after(gap_ns - 1))
            self.now = self.now.after(gap_ns)
        self.judge.calms(self.now_ns)
        if todo_ns <= next_ns:
            _, _, what = heappop(self._todo)
            if isinstance(what, Look):
                self._take(self.monitor.observe(what.check, self._look(what.check), self.now, what.run))
            else:
                self._do(*what)
        else:
            self._take(self.monitor.tick(self.now))

    def _later(self, seconds: float, what: Look | tuple[Restart, str]) -> None:
        self._count += 1
        heappush(self._todo, (self.now.mono_ns + round(seconds * S), self._count, what))

    def _take(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Record(event):
                    self.told.add(event.name)
                    self.judge.told(event, self.now_ns)
                case Look():
                    self._later(0.01, effect)
                case Restart():
                    self.judge.asked(effect, self.now_ns)
                    deed = self.random.choice(DEEDS)
                    self._later(self.random.uniform(5, 40) if deed == "slow" else 0.5, (effect, deed))

    def _do(self, wanted: Restart, deed: str) -> None:
        """The shell at work. What it did is reported, unless we are killed right after it."""
        worker = self.workers[wanted.component]
        report: RestartReport = Sent("done", wanted.identity)
        if deed in ("withheld", "failed"):
            report = Withheld("hands off") if deed == "withheld" else Failed("no such unit")
        elif deed != "same":
            self._renew(wanted.component, ours=True)
        elif self.random.random() < 0.5:  # nothing was restarted, and it works again by itself
            worker.hangs, worker.works_from_ns = False, self.now.mono_ns + 5 * S
        if deed == "killed":
            self.judge.reported(wanted, report, self.now_ns)
            self._die()
            return
        self.judge.reported(wanted, report, self.now_ns)
        self._take(self.monitor.restart_reported(wanted.component, wanted.attempt, report, self.now))

    def _renew(self, name: str, *, ours: bool) -> None:
        worker = self.workers[name]
        worker.identity = Identity(worker.identity.pid + 10, self.now.wall_ns / S)
        worker.hangs = self.now.mono_ns < worker.hopeless_until_ns
        worker.works_from_ns = self.now.mono_ns + self.random.choice((1, 15, 50)) * S
        self.judge.renewed(name, worker.identity, ours=ours)

    def _look(self, check: CheckId) -> Observation:
        name, worker = check.component, self.workers[check.component]
        if self.now.mono_ns < worker.blind_until_ns:
            if check.check == "beat":
                self.judge.looked(name, self.now_ns, failed=False)
            return Observation(Verdict.UNKNOWN, "no permission")
        if check.check == "process":
            book = self.judge.books[name]
            book.seen = worker.identity
            book.renewed = book.renewed or (book.in_flight and worker.identity.started_at != 1.0)
            return Observation(Verdict.OK, "one", identity=worker.identity)
        if not worker.hangs and self.now.mono_ns >= worker.works_from_ns:
            worker.work = self.now
            self.judge.worked(name, self.now_ns)
        stale = self.now.mono_ns - worker.work.mono_ns >= 60 * S
        decided_ns = self.judge.books[name].decided_ns
        self.judge.looked(name, self.now_ns, failed=stale or worker.work.boot_ns < decided_ns)
        return Observation(Verdict.OK, "", signal=WorkSignal(worker.work.wall_ns))

    def live_for(self, seconds: float) -> None:
        """So long, or until a law is broken."""
        ends_ns = self.now.mono_ns + round(seconds * S)
        while self.now.mono_ns < ends_ns and not self.judge.violations:
            self._step()

    def strike(self, fault: str, name: str) -> None:
        """Something breaks."""
        worker, long_ns = self.workers[name], self.random.randint(600, 9_000) * S
        match fault:
            case "hang":
                worker.hangs = True
            case "for good":
                worker.hangs, worker.hopeless_until_ns = True, self.now.mono_ns + long_ns
            case "all":
                for each in self.workers.values():
                    each.hangs = True
            case "mend":
                worker.hangs, worker.hopeless_until_ns = False, 0
            case "replaced":
                self._renew(name, ours=False)
            case "blind":
                worker.blind_until_ns = self.now.mono_ns + long_ns
            case "stall":
                self.now = self.now.after(self.random.choice((2, 30, 300)) * S)
                self.judge.stalled(self.now_ns)
                self._take(self.monitor.tick(self.now))
            case "step":
                self.now = replace(self.now, wall_ns=self.now.wall_ns + self.random.choice((-7_200, 90_000)) * S)
                self._take(self.monitor.tick(self.now))

    def operate(self, action: str, name: str) -> None:
        """An operator does something, or kills the monitor; refused where it cannot be done now."""
        book = self.judge.books[name]
        if action == "kill":
            self._die()
            return
        try:
            if action == "hold":
                self._take(self.monitor.command(Hold(name, "root", 900 * S, "deploy"), self.now))
                book.held_until_ns = self.now_ns + 900 * S
            elif action == "release":
                self._take(self.monitor.command(Release(name, "root"), self.now))
                book.held_until_ns = self.now_ns
            elif action == "rearm":
                self._take(self.monitor.command(Rearm(name, "root"), self.now))
                self.judge.rearmed(name)
            else:
                governor = self.monitor.components[name].governor
                exhausted = governor is not None and governor.phase is Phase.EXHAUSTED
                effects = self.monitor.command(RestartNow(name, "root"), self.now)
                if exhausted:
                    self.judge.rearmed(name)
                self._take(effects)
        except NotPossibleError:
            return

    def _die(self) -> None:
        """kill -9: the deeds under way are done or not, the looks are lost, and the record is all that is left."""
        self.deaths += 1
        memory = self.monitor.memory(self.now)
        self.judge.died()
        undone = [what for _, _, what in self._todo if not isinstance(what, Look)]
        self._todo = []
        for wanted, deed in undone:
            if deed in ("sent", "slow", "killed") and self.random.random() < 0.5:
                self.judge.reported(wanted, Sent("done"), self.now_ns)
                self._renew(wanted.component, ours=True)
        self.now = self.now.after(self.random.choice((1, 30, 4_000)) * S)
        self.judge.stalled(self.now_ns)
        self.monitor = Monitor(self.spec, self.now, memory)


def _component(name: str, restart: RestartSpec, parent: str | None) -> ComponentSpec:
    once = {"interval_ns": 20 * S, "failure_threshold": 1, "success_threshold": 1, "grace_ns": GRACE_NS}
    checks = (
        CheckSpec("process", "process", Layer.ALIVE, **once),  # type: ignore[arg-type]
        CheckSpec("beat", "heartbeat", Layer.WORKING, signal=SignalPolicy(60 * S), **once),  # type: ignore[arg-type]
    )
    return ComponentSpec(name, checks, depends_on=(parent,) if parent else (), restart=restart)
