"""Between the core and the sinks: incidents become alerts, and alerts become entries of the outbox.

An alert is kept together with the conversation that it belongs to, in one transaction, before it is sent: whatever
kills us, nobody is told twice of what the other side took, and nobody is forgotten. Not here: when somebody is told
(`core.alerting`), and that it arrives (`alerts.outbox`).
"""

import asyncio
import contextlib
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec

from lifesign.alerts.alert import Alert
from lifesign.alerts.outbox import Outbox, Outcome
from lifesign.alerts.ping import Ping
from lifesign.bootstrap.alert_of import alert_of, without_secrets
from lifesign.bootstrap.sinks import build_sinks, pings, sink_specs
from lifesign.config import Config
from lifesign.core.alerting import Alerting, Circumstances, ConversationMemory, Notify
from lifesign.core.events import Event, EventName
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import Instant, JsonValue
from lifesign.core.showing import component_view
from lifesign.core.view import ComponentView, MonitorView
from lifesign.text import redact

PREFIXES = ("alerting/", "outbox/", "sink/")
REVIEW_EVERY_NS = 200_000_000


class Components(Protocol):
    """What is asked of the core: the components as they are held, and who waits for whom."""

    @property
    def components(self) -> Mapping[str, TrackedComponent]:
        """By name."""
        ...

    def suppressed_by(self, component: TrackedComponent) -> str | None:
        """The dependency that is down."""
        ...


class Alerter:
    """Tells the sinks of one config. Everything is called on the event loop.

    `keep` stores texts by key (None: forgets them) and then calls back; `tell` gets what became of an alert; `works`
    says whether the scheduler does its rounds; `dry_run`: it is told what would be sent, and nothing is; `drill`: each
    alert says that it is one.
    """

    def __init__(
        self,
        config: Config,
        monitor: Components,
        *,
        keep: Callable[[Mapping[str, str | None], Callable[[], None] | None], None],
        tell: Callable[[EventName, str, str | None, dict[str, JsonValue]], None],
        works: Callable[[], bool],
        secrets: Callable[[], Sequence[str]] = tuple,
        dry_run: bool = False,
        drill: bool = False,
    ) -> None:
        self._monitor = monitor
        self._keep = keep
        self._tell = tell
        self._works = works
        self._secrets = secrets
        self._dry_run = dry_run
        self._drill = drill
        self._texts: dict[str, str] = {}
        self._together: frozenset[str] = frozenset()
        self._reviewed_ns = 0
        self._changed = asyncio.Event()
        self._take(config)

    def _take(self, config: Config) -> None:
        self._config = config
        self._alerting = Alerting(sink_specs(config))
        self._outbox = Outbox(build_sinks(config, self._told_by), keep=self._put, tell=self._told)
        self._outbox.recall({key: text for key, text in self._texts.items() if not key.startswith(PREFIXES[0])})

    def _put(self, changes: Mapping[str, str | None], then: Callable[[], None] | None = None) -> None:
        for key, text in changes.items():
            if text is None:
                self._texts.pop(key, None)
            else:
                self._texts[key] = text
        if not self._dry_run:
            self._keep(changes, then)

    def recall(self, texts: Mapping[str, str], now: Instant) -> None:
        """Goes on with what was kept, and with the incidents that the core has kept: what they disagree on is ended."""
        self._texts = {key: text for key, text in texts.items() if key.startswith(PREFIXES)}
        self._take(self._config)
        self._recall_conversations(now)

    def _recall_conversations(self, now: Instant) -> None:
        memories = []
        for key, text in self._texts.items():
            if key.startswith(PREFIXES[0]):
                with contextlib.suppress(msgspec.MsgspecError):
                    memories.append(msgspec.json.decode(text, type=ConversationMemory))
        self._alerting.recall(memories, now)
        for name in {conversation.component for conversation in self._alerting.conversations()}:
            component = self._monitor.components.get(name)
            if component is None or component.incident is None:
                self._carry_out(self._alerting.recovered(name), now)
        for name, component in self._monitor.components.items():
            if component.incident is not None:
                notifies = self._alerting.down(name, component.spec.tags, component.incident.id, now)
                self._carry_out(notifies, now)

    def follow(self, config: Config, now: Instant) -> None:
        """Another config: its sinks are built anew, and go on where the former ones were."""
        if config.alerts == self._config.alerts:
            self._config = config
            return
        self._take(config)
        self._recall_conversations(now)
        self._changed.set()

    def hear(self, event: Event, now: Instant) -> None:
        """What happened: the beginning and the end of incidents, and of common causes."""
        match event.name:
            case EventName.COMPONENT_DOWN if event.component and event.incident:
                component = self._monitor.components.get(event.component)
                tags: Iterable[str] = component.spec.tags if component else ()
                self._carry_out(self._alerting.down(event.component, tags, event.incident, now), now)
                self._reviewed_ns = 0
            case EventName.COMPONENT_RECOVERED if event.component:
                self._carry_out(self._alerting.recovered(event.component), now)
            case EventName.RESTART_EXHAUSTED if event.component:
                here = self._circumstances(event.component, now)
                self._carry_out(self._alerting.insist(event.component, here, event.message, now), now)
            case EventName.OBSERVER_SUSPECT:
                named = event.data.get("components")
                self._together = frozenset(map(str, named)) if isinstance(named, list) else frozenset()
            case EventName.OBSERVER_OK:
                self._together = frozenset()
            case _:
                return

    def review(self, now: Instant, *, at_once: bool = False) -> None:
        """After a round: whether something is to be told by now. `at_once`: however short ago that was asked."""
        if self._alerting.is_idle or (not at_once and now.mono_ns - self._reviewed_ns < REVIEW_EVERY_NS):
            return
        self._reviewed_ns = now.mono_ns
        self._carry_out(self._alerting.review(lambda name: self._circumstances(name, now), now), now)

    def _circumstances(self, name: str, now: Instant) -> Circumstances:
        component = self._monitor.components.get(name)
        if component is None:
            return Circumstances("it is no longer in the config")
        operations = component.operations
        return Circumstances(
            diagnosis=component.diagnosis(now),
            suppressed_by=self._monitor.suppressed_by(component),
            silenced=operations.silence is not None,
            held=operations.hold is not None,
            acknowledged=operations.acknowledged is not None,
            spokesman=min(self._together) if name in self._together else "",
        )

    def _carry_out(self, notifies: Iterable[Notify], now: Instant) -> None:
        changes: dict[str, str | None] = {}
        for notify in notifies:
            alert = self._alert(notify, now)
            if self._dry_run:
                self._tell_of("would send", notify.conversation.sink, alert)
            else:
                changes |= self._outbox.put(notify.conversation.sink, alert)
        changes |= self._conversations(now)
        if changes:
            self._put(changes, lambda: self._outbox.release(changes))

    def _conversations(self, now: Instant) -> dict[str, str | None]:
        """What has changed of them since they were last kept."""
        kept = {
            f"{PREFIXES[0]}{c.sink}/{c.component}": msgspec.json.encode(c.memory(now)).decode()
            for c in self._alerting.conversations()
        }
        gone = [key for key in self._texts if key.startswith(PREFIXES[0]) and key not in kept]
        return {**kept, **dict.fromkeys(gone)}

    def _alert(self, notify: Notify, now: Instant) -> Alert:
        monitor, name = self._config.monitor.name, notify.conversation.component
        component = self._monitor.components.get(name)
        view = None if component is None else component_view(component, now, self._monitor.suppressed_by(component))
        note = notify.note
        if name in self._together and min(self._together) == name:
            others = ", ".join(sorted(self._together))
            note = "; ".join(filter(None, (note, f"one common cause: {len(self._together)} went down: {others}")))
        made = alert_of(notify, view, now, monitor=monitor, host=platform.node(), note=note)
        return without_secrets(msgspec.structs.replace(made, drill=self._drill), self._secrets())

    def _told(self, outcome: Outcome) -> None:
        if not outcome.trouble:
            self._tell_of("sent", outcome.sink, outcome.alert)
        elif outcome.is_new:
            words = f"{outcome.sink}: {redact(outcome.trouble, self._secrets())}"
            data: dict[str, JsonValue] = {"sink": outcome.sink, "stage": outcome.alert.stage}
            self._tell(EventName.ALERT_FAILED, words, outcome.alert.component, data)

    def _told_by(self, sink: str, words: str) -> None:
        self._tell(EventName.ALERT_FAILED, f"{sink}: {words}", None, {"sink": sink})

    def _tell_of(self, what: str, sink: str, alert: Alert) -> None:
        data: dict[str, JsonValue] = {"sink": sink, "stage": alert.stage, "incident": alert.incident}
        self._tell(EventName.ALERT_SENT, f"{what} to {sink}: {alert.subject}", alert.component, data)

    def with_addresses(self, view: MonitorView) -> MonitorView:
        """`view` with the issue of every open incident that has one."""
        return replace(view, components=tuple(map(self._with_address, view.components)))

    def _with_address(self, component: ComponentView) -> ComponentView:
        incident = component.incident
        url = None if incident is None else self._outbox.address(component.spec.name, incident.id)
        return component if incident is None or url is None else replace(component, incident=replace(incident, url=url))

    @property
    def outbox(self) -> Outbox:
        """The alerts that are under way."""
        return self._outbox

    async def run(self) -> None:
        """Sends until cancelled; a changed config begins it anew."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._outbox.run(), name="outbox")]
                tasks += [group.create_task(ping.run(), name="ping") for ping in self._pings()]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()

    def _pings(self) -> list[Ping]:
        if self._dry_run:
            return []
        return [
            Ping(
                url=options.url.reveal,
                interval_s=float(options.interval),
                works=self._works,
                tell=lambda words, name=name: self._tell(
                    EventName.ALERT_FAILED, f"{name}: {words}", None, {"sink": name}
                ),  # type: ignore[misc]
            )
            for name, options in pings(self._config).items()
        ]
