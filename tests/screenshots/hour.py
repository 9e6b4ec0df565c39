"""Most of an hour of a small stack, played on the monitor's own core: what is down and why is for the core to say.

Ten components, each with a fate of its own. The clock is the stage's, the dice are seeded, nothing here waits.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from lifesign.api.documents import EventDocument, MonitorInfo, State
from lifesign.api.past import PastState
from lifesign.api.render import event_document, state_document
from lifesign.api.report_documents import Window
from lifesign.api.reporting import Occasion, Subject, report
from lifesign.core.commands import Acknowledge, OperatorCommand, Pause, Resume, Silence
from lifesign.core.model import Identity, Instant, JsonValue, Layer, Observation, WorkSignal
from lifesign.core.restart import Sent
from lifesign.core.spec import CheckSpec, ComponentSpec, RestartSpec, SignalPolicy
from lifesign.text import format_timestamp
from tests.core.stage import FAIL, OK, START, UNKNOWN, S, Stage, check, component
from tests.screenshots.remembered import Remembered

LENGTH_S = 2_712.0
STEP_S = 10.0  # so often a console would have seen it
SEEN_FOR_S = 900.0
NAME = "prod-trader"


def _process() -> CheckSpec:
    return check("process", Layer.ALIVE, "process")


def _heartbeat(stale_after_s: float) -> CheckSpec:
    policy = SignalPolicy(round(stale_after_s * S))
    return check("heartbeat", Layer.WORKING, "heartbeat", failure_threshold=1, success_threshold=1, signal=policy)


def _http(name: str = "health") -> CheckSpec:
    return check(name, kind="http")


MIND = component(
    "mind", check("syntax", Layer.STARTABLE, "syntax", interval_ns=60 * S), _process(), _http(), _heartbeat(300),
    title="Consciousness loop", tags=("nexus",), depends_on=("gateway",),
    restart=RestartSpec("signal", automatic=True, after_ns=353 * S, how="SIGTERM"),
)  # fmt: skip
ORDERS = component(
    "orders", _process(), check("port"), _heartbeat(60), title="Order router", tags=("nexus",),
    restart=RestartSpec(
        "systemd", automatic=True, after_ns=60 * S, grace_ns=60 * S, how="systemctl restart orders.service"
    ),
)  # fmt: skip
WORKER = component(
    "worker", _process(), _heartbeat(120), title="Queue worker",
    restart=RestartSpec("signal", automatic=True, after_ns=60 * S, how="SIGTERM"),
)  # fmt: skip
OTHERS = (
    component("gateway", _process(), check("stream", kind="websocket"), title="Market gateway", tags=("nexus",)),
    component("feed", _process(), _heartbeat(60), title="Market feed", tags=("nexus",), depends_on=("gateway",)),
    component("tools", _http(), title="Tool server", optional=True),
    component("archive", check("disk", Layer.ALIVE, "host"), title="Tick archive"),
    component("mailer", check("log", Layer.WORKING, "log", signal=SignalPolicy(900 * S)), title="Outgoing mail"),
    component("indexer", check("port", interval_ns=5 * S), title="Search index"),
    component("backup", check("push", Layer.WORKING, "push", signal=SignalPolicy(93_600 * S)), title="Nightly backup"),
)
WELL = {"http": "HTTP 200", "websocket": "handshake done", "tcp": "connected"}
STACK: tuple[ComponentSpec, ...] = (MIND, ORDERS, WORKER, *OTHERS)


@dataclass
class Program:
    """One program: its process, and when it works. `works_until_s` and `works_again_s` in seconds of the hour."""

    identity: Identity
    works_until_s: float = float("inf")
    works_again_s: float = float("inf")
    cycle: int = 0
    worked_wall_ns: int = START.wall_ns

    def works(self, elapsed_s: float) -> bool:
        return elapsed_s < self.works_until_s or elapsed_s >= self.works_again_s


@dataclass(frozen=True, slots=True)
class Shown:
    """The end of the hour, and what came before: `past`, oldest first, `state` being its last.

    `moments`: how the worker stood at each of its changes, likewise. `windows`: by component, its uptime.
    """

    state: State
    past: tuple[State, ...]
    history: tuple[EventDocument, ...]
    moments: tuple[PastState, ...]
    windows: dict[str, list[Window]]


class Hour:
    """The stage, and the world on it."""

    def __init__(self) -> None:
        self._stage = Stage(*STACK, seed=7)
        self._stage.rests = True
        self._dice = Random(7)
        self._remembered = Remembered()
        started = START.wall_ns / S
        self._programs = {
            one.name: Program(Identity(3_117 + 211 * number, started - 3_600 * (number + 2)))
            for number, one in enumerate(STACK)
        }
        self._programs["mind"].works_until_s = LENGTH_S - 612
        self._programs["orders"].works_until_s = 1_150
        self._programs["worker"].works_until_s = 700
        self._stage.shell = self._restart
        for one in STACK:
            for each in one.checks:
                self._stage.world[one.name, each.name] = self._answer(one.name, each)

    def _answer(self, name: str, spec: CheckSpec) -> Callable[[Instant], Observation]:
        scale = {"process": 1.8, "syntax": 14.0, "http": 6.0, "websocket": 21.0, "tcp": 0.6}.get(spec.type, 0.12)

        def look(now: Instant) -> Observation:
            latency_s = scale * self._dice.lognormvariate(0.0, 0.35) / 1_000
            found = replace(self._found(name, spec, now), latency_s=latency_s)
            self._remembered.look(name, spec.name, now, found)
            return found

        return look

    def _found(self, name: str, spec: CheckSpec, now: Instant) -> Observation:
        elapsed_s = self._stage.elapsed_s
        program = self._programs[name]
        match name, spec.name:
            case "tools", "health" if elapsed_s > 1_900:
                return Observation(FAIL, "HTTP 503 Service Unavailable")
            case "orders", "port" if not program.works(elapsed_s):
                return Observation(FAIL, "connection refused by 127.0.0.1:7700")
            case "feed", "process" if elapsed_s > LENGTH_S - 15:
                return Observation(FAIL, "no process matches 'feed --live'")
            case "mailer", "log" if elapsed_s > 2_300:
                return Observation(UNKNOWN, "cannot read /var/log/mail.log: permission denied")
            case "indexer", "port" if elapsed_s > LENGTH_S - 60:
                return Observation(FAIL, "connection refused by 127.0.0.1:7711")
            case "backup", "push":
                return Observation(OK, signal=WorkSignal(START.wall_ns - 8_000 * S))
            case _, "process":
                facts = {"cpu": round(3 + self._dice.random(), 1), "fds": 41.0, "threads": 6.0}
                return Observation(OK, f"pid {program.identity.pid}", metrics=facts, identity=program.identity)
            case _ if spec.signal is not None:
                return self._work(program, elapsed_s, now)
        return Observation(OK, WELL.get(spec.type, ""))

    def _work(self, program: Program, elapsed_s: float, now: Instant) -> Observation:
        if program.works(elapsed_s):
            program.cycle, program.worked_wall_ns = round(elapsed_s / 3), now.wall_ns - S
        data: dict[str, JsonValue] = {"cycle": program.cycle, "model": "m-7b"}
        return Observation(OK, signal=WorkSignal(program.worked_wall_ns, program.cycle), data=data)

    def _restart(self) -> Sent:
        """The worker is cured by it, the orders are not."""
        name = self._stage.restarts[-1][1].component
        program = self._programs[name]
        before, program.identity = program.identity, Identity(program.identity.pid + 61, self._stage.now.wall_ns / S)
        if name == "worker":
            program.works_again_s = self._stage.elapsed_s + 12
        how = "systemctl restart orders.service" if name == "orders" else f"SIGTERM to pid {before.pid}"
        return Sent(how, before)

    def _command(self, wanted: OperatorCommand) -> None:
        self._stage.take(self._stage.monitor.command(wanted, self._stage.now))

    def _until(self, elapsed_s: float) -> None:
        self._stage.run(elapsed_s - self._stage.elapsed_s)

    def _seen(self) -> State:
        now = self._stage.now
        info = MonitorInfo(
            name=NAME, host="trader-1", version="0.2.0", pid=812, mode="daemon",
            started_at=format_timestamp(START.wall_ns), uptime_s=self._stage.elapsed_s, loop_lag_ms=0.4,
            last_round_age_s=0.2, observer="ok", state_writable=True,
        )  # fmt: skip
        return state_document(self._stage.monitor.view(now), info)

    def play(self) -> Shown:
        """From the start to the moment of the pictures."""
        deeds: dict[float, OperatorCommand] = {
            300.0: Pause("indexer", "alice", "reindexing"),
            1_700.0: Acknowledge("orders", "alice", "the exchange knows"),
            2_000.0: Pause("archive", "alice", "its disk is being replaced"),
            2_050.0: Silence("tools", "bob", 3_600 * S, "vendor outage, ticket 4711"),
            LENGTH_S - 12: Resume("indexer", "alice"),
        }
        past = []
        at_s = 0.0
        while at_s < LENGTH_S:
            before, at_s = at_s, min(at_s + STEP_S, LENGTH_S)
            for moment in [moment for moment in deeds if before <= moment < at_s]:
                self._until(moment)
                self._command(deeds[moment])
            self._until(at_s)
            if at_s > LENGTH_S - SEEN_FOR_S:
                past.append(self._seen())
        self._remembered.told = [event_document(event, NAME) for event in self._stage.events]
        moments = self._remembered.moments(WORKER, self._stage.now.wall_ns)
        return Shown(past[-1], tuple(past), tuple(self._remembered.told), tuple(moments), self._windows())

    def _windows(self) -> dict[str, list[Window]]:
        now_ns = self._stage.now.wall_ns
        subjects = [Subject(spec) for spec in STACK]
        made = report(self._remembered.told, subjects, Occasion(NAME, now_ns, now_ns))
        return {one.name: one.windows for one in made.components}


@cache
def hour() -> Shown:
    """Played once."""
    return Hour().play()
