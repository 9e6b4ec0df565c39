"""Documents made by hand, and a source that gives them: what a daemon would tell, without one."""

import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from lifesign.api.documents import (
    Check,
    Component,
    Counts,
    EventDocument,
    Events,
    Incident,
    Layers,
    MonitorInfo,
    Restart,
    State,
)
from lifesign.api.failures import ClientError, ProblemAnswer
from lifesign.api.past import Past, PastState, Step
from lifesign.api.past_incidents import IncidentsThen, PastIncidents
from lifesign.api.report_documents import ComponentReport, Report, Window
from lifesign.text import format_timestamp

_Moment = TypeVar("_Moment", PastState, IncidentsThen)
NOON_NS = 1_795_262_400_000_000_000  # 2026-11-21T12:00:00Z
STATES = ("healthy", "degraded", "down", "unknown", "starting", "paused")


def at(seconds: float) -> str:
    """The time so many seconds after noon."""
    return format_timestamp(NOON_NS + int(seconds * 1e9))


def check(name: str = "heartbeat", **changes: Any) -> Check:
    """A passing heartbeat check, changed."""
    whole = Check(
        name=name,
        type="heartbeat",
        layer="working",
        optional=False,
        state="passing",
        consecutive_failures=0,
        consecutive_successes=7,
        last_at=at(-2),
        next_at=at(8),
        latency_ms=0.12,
        message="",
        metrics={},
        data={},
    )
    return msgspec.structs.replace(whole, **changes)


def component(name: str = "mind", state: str = "healthy", **changes: Any) -> Component:
    """A component since noon less ten minutes, changed."""
    whole = Component(
        name=name,
        title="",
        tags=[],
        optional=False,
        state=state,
        since=at(-600),
        diagnosis="",
        next="",
        layers=Layers(working="passing"),
        last_work_at=at(-3),
        staleness_s=3.0,
        stale_after_s=300.0,
        consecutive_failures=0,
        flapping=False,
        suppressed_by=None,
        silence=None,
        hold=None,
        acknowledged=None,
        incident=None,
        restart=None,
        checks=[check()],
    )
    return msgspec.structs.replace(whole, **changes)


def state(
    components: Sequence[Component] = (), *, seconds: float = 0.0, overall: str | None = None, **monitor: Any
) -> State:
    """A state document generated so many seconds after noon."""
    worst = next((word for word in ("down", "unknown", "degraded", "starting") if _count(components, word)), "healthy")
    info = MonitorInfo(
        name="prod-trader",
        host="trader-1",
        version="0.1.0",
        pid=4242,
        mode="daemon",
        started_at=at(-86400),
        uptime_s=86400.0,
        loop_lag_ms=0.4,
        last_round_age_s=0.2,
        observer="ok",
        state_writable=True,
    )
    return State(
        schema="lifesign.state/1",
        generated_at=at(seconds),
        monitor=msgspec.structs.replace(info, **monitor),
        overall=overall or worst,
        counts=Counts(**{word: _count(components, word) for word in STATES}),
        components=list(components),
    )


def _count(components: Sequence[Component], word: str) -> int:
    return sum(1 for component in components if component.state == word)


def down_mind() -> Component:
    """The contract's own example."""
    return component(
        "mind",
        "down",
        title="Consciousness loop",
        tags=["nexus"],
        since=at(-312),
        diagnosis="alive and ready, but not working: no new work for 612 s (limit 300 s)",
        next="restart in 41 s (1 of 3)",
        layers=Layers(startable="passing", alive="passing", ready=None, working="failed"),
        last_work_at=at(-612),
        staleness_s=612.0,
        consecutive_failures=61,
        incident=Incident(id="mind-20261121T115448", opened_at=at(-312)),
        restart=Restart(
            method="signal",
            automatic=True,
            phase="waiting",
            incarnation=1,
            unproductive=0,
            max_unproductive=3,
            budget_left=5,
            last_at=None,
            next_at=at(41),
            how="SIGTERM",
        ),
        checks=[
            check(
                state="failed",
                consecutive_failures=61,
                message="no new work for 612 s",
                data={"cycle": 88, "model": "m-7b"},
            ),
            check("process", type="process", layer="alive", latency_ms=1.9, message="pid 3117"),
            check("syntax", type="syntax", layer="startable", latency_ms=14.2),
        ],
    )


@dataclass(frozen=True)
class Acted:
    """One action that reached the daemon."""

    component: str
    action: str
    author: str | None = None
    reason: str | None = None
    duration_s: float | None = None


class HandSource:
    """A source whose next answers the test lays down. `problem` makes every call fail."""

    def __init__(self, document: State) -> None:
        self.document = document
        self.problem = ""
        self.probed: list[str] = []
        self.acted: list[Acted] = []
        self.refusal = ""
        self.history: list[EventDocument] = []
        self.asked_for_events = 0
        self.news: queue.Queue[EventDocument] = queue.Queue()
        self.moments: list[PastState] = []
        self.turns: list[IncidentsThen] = []
        self.steps: list[Step] = []
        self.windows: list[Window] = []
        self.windows_of: dict[str, list[Window]] = {}
        self.reports = 0
        self.before_past: Callable[[], object] = lambda: None
        self.before_probe: Callable[[], object] = lambda: None

    def state(self) -> State:
        """The document laid down."""
        self._fail()
        return self.document

    def probe(self, component: str) -> Component:
        """Notes who was asked for."""
        self._fail()
        self.before_probe()
        self.probed.append(component)
        return next(one for one in self.document.components if one.name == component)

    def act(
        self,
        component: str,
        action: str,
        *,
        author: str | None = None,
        reason: str | None = None,
        duration_s: float | None = None,
    ) -> Component:
        """Notes what was asked for, by whom and why."""
        self._fail()
        if self.refusal:
            raise ProblemAnswer(409, "Conflict", self.refusal)
        self.acted.append(Acted(component, action, author, reason, duration_s))
        return next(one for one in self.document.components if one.name == component)

    def events(self, since: str | None = None) -> Events:
        """The history; `next` is its length."""
        self.asked_for_events += 1
        self._fail()
        start = int(since or 0)
        return Events(events=self.history[start:], next=str(len(self.history)))

    def follow_events(self) -> Iterator[EventDocument]:
        """What the test lays down, when it does."""
        while True:
            yield self.news.get()

    def report(self, component: str | None = None) -> Report:
        """The windows laid down, of whichever component."""
        self.reports += 1
        self._fail()
        windows = self.windows_of.get(component or "", self.windows)
        one = ComponentReport(name=component or "", title="", optional=False, state=None, windows=windows)
        return Report(schema="lifesign.report/1", generated_at=at(0), monitor="prod-trader", components=[one])

    def past(self, component: str, step: Step) -> Past:
        """Of the moments laid down, oldest first, the one that is asked for."""
        moment = self._moment(self.moments, step)
        return Past(schema="lifesign.past/1", generated_at=at(0), component=component, moment=moment)

    def past_incidents(self, step: Step) -> PastIncidents:
        """Likewise."""
        moment = self._moment(self.turns, step)
        return PastIncidents(schema="lifesign.past_incidents/1", generated_at=at(0), moment=moment)

    def _moment(self, laid: Sequence[_Moment], step: Step) -> _Moment | None:
        self.steps.append(step)
        self.before_past()
        self._fail()
        near = [one for one in laid if (one.at > step.moment if step.later else one.at < step.moment)]
        near = near if step.later else near[::-1]
        return near[step.count - 1] if len(near) >= step.count else None if step.later or not near else near[-1]

    def _fail(self) -> None:
        if self.problem:
            raise ClientError(self.problem)
