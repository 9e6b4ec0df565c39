"""A drill of one sink: a component that does not exist goes down, gets worse and works again, for that sink alone.

It takes the way of every alert: an incident of the core, alerting, an outbox with a store of its own, the sink. So it
needs no component that is down and no daemon, and touches nothing of one that runs. What it made is removed again.
"""

import asyncio
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from lifesign.alerts.ping import ping_once
from lifesign.alerts.sink import SinkError
from lifesign.alerts.tracker import Tracker
from lifesign.bootstrap.alerting import Alerter
from lifesign.bootstrap.run_alerts import Held
from lifesign.config import Config
from lifesign.config.alert_types import PingAlert
from lifesign.config.values import Delay
from lifesign.core.events import EventName
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import CheckId, Instant, JsonValue, Layer, Observation, Verdict
from lifesign.core.rounds import take_round
from lifesign.core.spec import CheckSpec, ComponentSpec
from lifesign.engine.clock import read_clocks
from lifesign.store.database import Database
from lifesign.text import format_timestamp, redact

STEP_S = 40.0  # for one alert, which is tried once
_MESSAGES = {"opened": "this is a drill: nothing is wrong", "updated": "the drill goes on: nothing is wrong"}
_CHECK = CheckSpec("drill", "command", Layer.WORKING, failure_threshold=1, success_threshold=1, grace_ns=0)


@dataclass(frozen=True, slots=True)
class Drilled:
    """How it went: what was done, what is to be known besides, and what went wrong ("": nothing)."""

    done: tuple[str, ...]
    notes: tuple[str, ...] = ()
    trouble: str = ""


async def drill(config: Config, sink: str) -> Drilled:
    """Drills that sink of `config`, which is there."""
    options = config.alerts[sink]
    if isinstance(options, PingAlert):
        trouble = await ping_once(options.url.reveal())
        return Drilled(() if trouble else ("pinged",), (), trouble)
    heard = msgspec.structs.replace(options, notify_after=Delay(0.0), min_update=Delay(0.0), only=("*",), except_=())
    with tempfile.TemporaryDirectory(prefix="lifesign-drill-") as folder:
        database = Database(Path(folder) / "state.db")
        try:
            database.open()
            return await _Drill(replace(config, alerts={sink: heard}), sink, database).run()
        finally:
            database.close()


@dataclass
class _Drill:
    """One under way. `failures` and `notes`: what the alerter told of the drill, and of the sink."""

    config: Config
    sink: str
    database: Database
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    known: dict[str, TrackedComponent] = field(default_factory=dict)
    begun: Instant = field(default_factory=read_clocks)

    def __post_init__(self) -> None:
        self.spec = ComponentSpec(f"drill-{secrets.token_hex(4)}", (_CHECK,), title="a drill: nothing is wrong")
        self.alerter = Alerter(
            self.config,
            Held(self.known),
            keep=self._keep,
            tell=self._tell,
            works=lambda: True,
            secrets=self._secrets,
            drill=True,
        )
        self.tracker = self.alerter.outbox.sinks[self.sink]

    def _secrets(self) -> list[str]:
        return [secret.reveal() for secret in self.config.secrets]

    def _keep(self, changes: Mapping[str, str | None], then: Callable[[], None] | None = None) -> None:
        self.database.write([], changes)
        if then is not None:
            then()

    def _tell(self, name: EventName, message: str, component: str | None, data: dict[str, JsonValue]) -> None:
        del data
        if name is EventName.ALERT_FAILED:
            words = redact(message, self._secrets()).removeprefix(f"{self.sink}: ")
            (self.notes if component is None else self.failures).append(words)

    async def run(self) -> Drilled:
        """Every step until one fails; whatever happens, what was made is removed."""
        steps = ["opened", "updated", "closed"] if isinstance(self.tracker, Tracker) else ["opened", "recovered"]
        done: list[str] = []
        try:
            for step in steps:
                await self._step(step)
                if self.failures:
                    break
                done.append(f"opened {self._address()}".strip() if step == "opened" else step)
            done += await self._remove()
        finally:
            await self.alerter.outbox.close()
        return Drilled(tuple(done), tuple(dict.fromkeys(self.notes)), "; ".join(self.failures))

    async def _step(self, step: str) -> None:
        now = read_clocks()
        message = _MESSAGES.get(step)
        found = Observation(Verdict.FAIL, message) if message else Observation(Verdict.OK, "the drill is over")
        before = self.known.get(self.spec.name)
        memory = None if before is None else before.memory(now)
        component, events = take_round(self.spec, memory, {CheckId(self.spec.name, _CHECK.name): found}, now)
        self.known[self.spec.name] = component
        for event in events:
            self.alerter.hear(event, now)
        self.alerter.review(now, at_once=True)
        if not await self.alerter.outbox.flush(STEP_S) and not self.failures:
            self.failures.append(f"no answer within {STEP_S:g} s")

    def _address(self) -> str:
        incident = self.known[self.spec.name].incident
        return (incident and self.alerter.outbox.address(self.spec.name, incident.id)) or ""

    async def _remove(self) -> list[str]:
        if not isinstance(self.tracker, Tracker):
            return []
        begun, now = format_timestamp(self.begun.wall_ns), format_timestamp(read_clocks().wall_ns)
        try:
            async with asyncio.timeout(STEP_S):
                words = await self.tracker.remove_drill(self.spec.name, begun, now)
        except (SinkError, TimeoutError) as error:
            self.failures += [] if self.failures else [f"an issue of the drill may be left: {error or 'no answer'}"]
            return []
        return [words] if words else []
