"""A backend made by hand: the seam between the API and the daemon, with every view written out."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lifesign.api.documents import EventDocument, MonitorInfo
from lifesign.api.tally import Tallies
from lifesign.core.commands import OperatorCommand
from lifesign.core.hindsight import PastLook
from lifesign.core.known import Known
from lifesign.core.model import CheckState, ComponentState, Instant, Layer, Observation, ObserverState
from lifesign.core.spec import CheckSpec, ComponentSpec, RestartSpec
from lifesign.core.view import (
    Changes,
    CheckView,
    ComponentGlance,
    ComponentView,
    Fresh,
    IncidentView,
    MonitorView,
    Standing,
)

# 2026-11-21T14:03:22.123Z, worked out with GNU date, not with the code under test.
AT_WALL_NS = 1_795_269_802_123_000_000
AT = Instant(mono_ns=10_000_000_000, wall_ns=AT_WALL_NS, boot_ns=10_000_000_000)


def info(last_round_age_s: float = 0.1) -> MonitorInfo:
    return MonitorInfo(
        name="test-monitor",
        host="host.example",
        version="0.1.0",
        pid=4321,
        mode="daemon",
        started_at="2026-11-21T14:00:00.000Z",
        uptime_s=202.1,
        loop_lag_ms=0.3,
        last_round_age_s=last_round_age_s,
        observer="ok",
        state_writable=True,
    )


def check(name: str = "port", kind: str = "tcp", layer: Layer = Layer.READY) -> CheckView:
    return CheckView(
        spec=CheckSpec(name=name, type=kind, layer=layer),
        state=CheckState.PASSING,
        consecutive_failures=0,
        consecutive_successes=7,
        last_at_wall_ns=AT_WALL_NS - 1_000_000_000,
        next_at_wall_ns=AT_WALL_NS + 9_000_000_000,
        latency_s=0.0123456789,
        message="connected",
        metrics={},
        data={},
        overdue=False,
        flapping=False,
    )


def component(
    name: str = "gateway",
    state: ComponentState = ComponentState.HEALTHY,
    *,
    optional: bool = False,
    checks: tuple[CheckView, ...] | None = None,
) -> ComponentView:
    views = (check(),) if checks is None else checks
    return ComponentView(
        spec=ComponentSpec(name=name, checks=tuple(view.spec for view in views), optional=optional),
        state=state,
        since_wall_ns=AT_WALL_NS - 60_000_000_000,
        diagnosis=f"{name} is {state}",
        next_step="",
        layers={Layer.STARTABLE: None, Layer.ALIVE: None, Layer.READY: CheckState.PASSING, Layer.WORKING: None},
        last_work_wall_ns=None,
        staleness_s=None,
        stale_after_s=None,
        consecutive_failures=0,
        flapping=False,
        suppressed_by=None,
        incident=None,
        incarnation=1,
        checks=views,
    )


def mind_down() -> ComponentView:
    """The component of the contract's example."""
    beat = replace(
        check("heartbeat", "heartbeat", Layer.WORKING),
        state=CheckState.FAILED,
        consecutive_failures=61,
        consecutive_successes=0,
        message="no new work for 612 s",
        data={"model": "m"},
        metrics={"age_s": 612.0},
    )
    plain = component("mind", ComponentState.DOWN, checks=(beat,))
    return replace(
        plain,
        spec=replace(plain.spec, title="Consciousness loop", tags=("nexus",), restart=RestartSpec("signal", True)),
        diagnosis="alive and ready, but not working: no new work for 612 s (limit 300 s)",
        next_step="restart in 41 s (1 of 3)",
        layers=dict(plain.layers) | {Layer.READY: None, Layer.WORKING: CheckState.FAILED},
        last_work_wall_ns=AT_WALL_NS - 612_000_000_000,
        staleness_s=612.0004,
        stale_after_s=300.0,
        consecutive_failures=61,
        incident=IncidentView(id="inc-1", opened_at_wall_ns=AT_WALL_NS - 300_000_000_000),
    )


def monitor(*components: ComponentView, overall: ComponentState = ComponentState.HEALTHY) -> MonitorView:
    return MonitorView(at=AT, overall=overall, observer=ObserverState.OK, components=components)


@dataclass
class FakeArchive:
    """What is kept, as the test laid it down."""

    told: list[EventDocument] = field(default_factory=list)
    looked: dict[str, PastLook] = field(default_factory=dict)

    def told_of(self, component: str | None, moment: str, *, later: bool, most: int) -> list[EventDocument]:
        mine = [event for event in self.told if component is None or event.component in (component, None)]
        if later:
            return [event for event in mine if event.ts > moment][:most]
        return [event for event in reversed(mine) if event.ts < moment][:most]

    def looks(self, component: str, until_ns: int) -> dict[str, PastLook]:
        return {check: look for check, look in self.looked.items() if look.at_ns <= until_ns}


@dataclass
class FakeBackend:
    """Answers with what the test put in, and writes down what it was asked."""

    shown: MonitorView = field(default_factory=lambda: monitor(component()))
    last_round_age_s: float = 0.1
    push_token: str | None = None
    push_component: str = "gateway"
    probed: list[tuple[str, str]] = field(default_factory=list)
    pushed: list[tuple[str, Observation]] = field(default_factory=list)
    acted: list[OperatorCommand] = field(default_factory=list)
    refusal: Exception | None = None
    begun: list[str] = field(default_factory=list)
    view_takes_s: float = 0.0
    view_failure: Exception | None = None
    glances: int = 0
    counted: Tallies = field(default_factory=Tallies)
    past: list[EventDocument] = field(default_factory=list)
    archive: FakeArchive = field(default_factory=FakeArchive)
    probing: asyncio.Event = field(default_factory=asyncio.Event)
    probe_gate: asyncio.Event | None = None

    def view(self, names: Iterable[str] | None = None) -> MonitorView:
        if self.view_failure is not None:
            raise self.view_failure
        time.sleep(self.view_takes_s)
        if names is None:
            return self.shown
        chosen = set(names)
        return replace(self.shown, components=tuple(c for c in self.shown.components if c.spec.name in chosen))

    def changes(self, known: Known, names: Iterable[str] | None = None, *, ages: bool = True) -> Changes:
        view = self.view(names)
        stands = Standing(0, 0, 0, 0, None, ages=False)
        fresh = {c.spec.name: Fresh(c, stands) for c in view.components}
        return Changes(view.at, view.overall, view.observer, fresh)

    def outdated(self, known: Known, *, ages: bool = True) -> Sequence[str]:
        return [component.spec.name for component in self.shown.components]

    def glance(self) -> list[ComponentGlance]:
        self.glances += 1
        shown = self.shown.components
        return [ComponentGlance(c.spec, c.state, c.since_wall_ns, c.diagnosis) for c in shown]

    def states(self) -> dict[str, ComponentState]:
        if self.view_failure is not None:
            raise self.view_failure
        return {c.spec.name: c.state for c in self.shown.components}

    def info(self) -> MonitorInfo:
        return info(self.last_round_age_s)

    def told(self, kinds: Sequence[str]) -> list[EventDocument]:
        return [event for event in self.past if event.event.startswith(tuple(kinds))]

    def tallies(self) -> Tallies:
        return self.counted

    async def probe(self, component: str, author: str) -> None:
        self.probed.append((component, author))
        self.probing.set()
        if self.probe_gate is not None:
            await self.probe_gate.wait()

    def act(self, command: OperatorCommand) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.acted.append(command)

    def push(self, component: str, token: str | None, observation: Observation) -> bool:
        if component != self.push_component or (token is not None and token != self.push_token):
            return False
        self.pushed.append((component, observation))
        return True

    def started(self, component: str, token: str | None) -> bool:
        if component != self.push_component or (token is not None and token != self.push_token):
            return False
        self.begun.append(component)
        return True
