"""Between the core and the sinks: incidents become alerts, and alerts become entries of the outbox.

An alert is kept together with the conversation that it belongs to, in one transaction, before it is sent: whatever
kills us, nobody is told twice of what the other side took, and nobody is forgotten. Not here: when somebody is told
(`core.alerting`), and that it arrives (`alerts.outbox`).
"""

import asyncio
import contextlib
import logging
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from lifesign.alerts.alert import Alert
from lifesign.alerts.entry import Outcome
from lifesign.alerts.outbox import Outbox
from lifesign.alerts.ping import Ping
from lifesign.api.documents import OutboxInfo
from lifesign.bootstrap.alert_of import alert_of, without_secrets
from lifesign.bootstrap.sinks import build_sinks, pings, revealed, sink_specs
from lifesign.bootstrap.spokesmen import Spokesmen
from lifesign.config import Config
from lifesign.core.conversation import Conversation, ConversationMemory, Notify
from lifesign.core.events import Event, EventName
from lifesign.core.heralding import Components, Herald
from lifesign.core.model import NS_PER_S, Instant, JsonValue
from lifesign.core.showing import component_view
from lifesign.core.view import Change, Changes, ComponentView, Fresh, MonitorView
from lifesign.text import redact

PREFIXES = ("alerting/", "outbox/", "sink/")

logger = logging.getLogger(__name__)


class Alerter:
    """Tells the sinks of one config. Everything is called on the event loop.

    `keep` stores texts by key (None: forgets them) and then calls back; `tell` gets what became of an alert; `works`
    says whether the scheduler does its rounds; `decided` gets every alert that is to go out, `reviewed` is called
    before each review; `happened`: the newest events of a component, a line each; `dry_run`: it is told what would be
    sent, and nothing is; `drill`: each alert says it is one.
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
        decided: Callable[[Iterable[Notify]], None] = lambda _: None,
        reviewed: Callable[[], None] = lambda: None,
        happened: Callable[[str], Iterable[str]] = lambda _: (),
        dry_run: bool = False,
        drill: bool = False,
    ) -> None:
        self._monitor = monitor
        self._keep = keep
        self._tell = tell
        self._works = works
        self._secrets = secrets
        self._decided, self._reviewed, self._happened = decided, reviewed, happened
        self._dry_run = dry_run
        self._drill = drill
        self._texts: dict[str, str] = {}
        self._herald = Herald((), monitor)
        self._wall_offset_ns: int | None = None
        self._changed = asyncio.Event()
        self._take(config)

    def _take(self, config: Config) -> None:
        self._config = config
        self._herald.follow(sink_specs(config))
        self._spokesmen = Spokesmen()
        self._outbox = Outbox(build_sinks(config, self._told_by), keep=self._put, tell=self._told)
        self._outbox.recall({key: text for key, text in self._texts.items() if not key.startswith(PREFIXES[0])})
        self._show_anew(self._monitor.components)  # other sinks may know other addresses of its issue, or none

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
        self._wall_offset_ns = None
        self._carry_out(self._herald.recall(conversations_of(self._texts), now), now)

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
        notifies = self._herald.hear(event, now)
        if notifies is not None:
            self._carry_out(notifies, now)

    def review(self, now: Instant, *, at_once: bool = False) -> None:
        """After a round: whether something is to be told by now. `at_once`: however short ago that was asked."""
        notifies = self._herald.review(now, at_once=at_once)
        if notifies is not None:
            self._reviewed()
            self._carry_out(notifies, now)

    def _carry_out(self, notifies: Sequence[Notify], now: Instant) -> None:
        self._decided(notifies)
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
        """What has changed of them since they were last kept; all, where the wall clock was stepped meanwhile.

        For they are kept with their ages as of then, by that clock.
        """
        touched = self._herald.touched()
        if touched:
            self._show_anew(self._spokesmen.follow(self._herald.conversations()))
        changes: dict[str, str | None] = {
            f"{PREFIXES[0]}{sink}/{component}": None if held is None else _written(held, now)
            for (sink, component), held in touched.items()
        }
        offset_ns = now.wall_ns - now.boot_ns
        if self._wall_offset_ns is None or abs(offset_ns - self._wall_offset_ns) > NS_PER_S:
            self._wall_offset_ns = offset_ns
            every = {f"{PREFIXES[0]}{c.sink}/{c.component}": _written(c, now) for c in self._herald.conversations()}
            gone = [key for key in self._texts if key.startswith(PREFIXES[0]) and key not in every]
            changes = {**dict.fromkeys(gone), **every}
        return {key: text for key, text in changes.items() if text is not None or key in self._texts}

    def _alert(self, notify: Notify, now: Instant) -> Alert:
        monitor, name = self._config.monitor.name, notify.conversation.component
        component = self._monitor.components.get(name)
        view = None if component is None else component_view(component, now, self._monitor.suppressed_by(component))
        note = notify.words
        host, happened = platform.node(), self._happened
        made = alert_of(notify, view, now, monitor=monitor, host=host, note=note, told=happened)
        return without_secrets(msgspec.structs.replace(made, drill=self._drill), self._secrets())

    def _told(self, outcome: Outcome) -> None:
        told_of = outcome.alert.component
        self._show_anew((told_of, *self._spokesmen.spoken_for(told_of)))  # with the address of its issue, perhaps
        if not outcome.trouble:
            self._tell_of("sent", outcome.sink, outcome.alert)
        elif outcome.is_new:
            words = f"{outcome.sink}: {redact(outcome.trouble, self._secrets())}"
            data: dict[str, JsonValue] = {"sink": outcome.sink, "stage": outcome.alert.stage}
            self._tell(EventName.ALERT_FAILED, words, outcome.alert.component, data)

    def _show_anew(self, names: Iterable[str]) -> None:
        for name in names:
            if (shown := self._monitor.components.get(name)) is not None:
                shown.revision += 1

    def _told_by(self, sink: str, words: str) -> None:
        self._tell(EventName.ALERT_FAILED, f"{sink}: {words}", None, {"sink": sink})

    def _tell_of(self, what: str, sink: str, alert: Alert) -> None:
        data: dict[str, JsonValue] = {"sink": sink, "stage": alert.stage, "incident": alert.incident}
        self._tell(EventName.ALERT_SENT, f"{what} to {sink}: {alert.subject}", alert.component, data)

    def with_addresses(self, view: MonitorView) -> MonitorView:
        """`view` with the issue of every open incident that has one, or is told of in that of another."""
        return replace(view, components=tuple(map(self._with_address, view.components)))

    def addressed(self, changes: Changes) -> Changes:
        """Likewise what became of views."""
        return replace(changes, components={name: self._addressed(one) for name, one in changes.components.items()})

    def _addressed(self, change: Change) -> Change:
        return change._replace(view=self._with_address(change.view)) if isinstance(change, Fresh) else change

    def _with_address(self, component: ComponentView) -> ComponentView:
        incident, name = component.incident, component.spec.name
        if incident is None:
            return component
        told_in = [(name, incident.id), *self._spokesmen.of(name)]
        url = next(filter(None, (self._outbox.address(*one) for one in told_in)), None)
        return component if url is None else replace(component, incident=replace(incident, url=url))

    @property
    def outbox(self) -> Outbox:
        """The alerts that are under way."""
        return self._outbox

    @property
    def outbox_info(self) -> OutboxInfo | None:
        """Of the alerts under way; None where no sink is told of incidents."""
        if not self._outbox.sinks:
            return None
        depth, oldest_s = self._outbox.depth, round(self._outbox.oldest_s, 3)
        return OutboxInfo(depth=depth, oldest_s=oldest_s, held_back=self._outbox.held_back)

    async def run(self) -> None:
        """Sends until cancelled; a changed config begins it anew. After an error it may be run again."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._outbox.run(), name="outbox")]
                    tasks += [group.create_task(ping.run(), name="ping") for ping in self._pings()]
                    await self._changed.wait()
                    for task in tasks:
                        task.cancel()
            except* Exception:  # its sinks are closed by now
                self._take(self._config)
                raise

    def _pings(self) -> list[Ping]:
        if self._dry_run:
            return []
        return [
            Ping(
                url=revealed(options.url),
                interval_s=float(options.interval),
                works=self._works,
                tell=lambda words, name=name: self._tell(
                    EventName.ALERT_FAILED, f"{name}: {words}", None, {"sink": name}
                ),  # type: ignore[misc]
            )
            for name, options in pings(self._config).items()
        ]


def _written(conversation: Conversation, now: Instant) -> str:
    return msgspec.json.encode(conversation.memory(now)).decode()


def conversations_of(texts: Mapping[str, str]) -> Iterator[ConversationMemory]:
    """Those that were kept under their keys, as far as they can be read."""
    for key, text in texts.items():
        if key.startswith(PREFIXES[0]):
            with contextlib.suppress(msgspec.MsgspecError):
                yield msgspec.json.decode(text, type=ConversationMemory)


@contextlib.contextmanager
def no_alert_ends_the_watch() -> Iterator[None]:
    """G4: whatever goes wrong in telling others is told here, and the watch goes on."""
    try:
        yield
    except Exception as error:  # the border to alerts: a bug there must not cost the watch
        logger.exception("an alert could not be made: %s", type(error).__name__)
