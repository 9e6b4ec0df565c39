"""Alerts of runs of one round: the same stages, the same outbox, the same memory as the daemon's, once a run.

What does not arrive now is tried again by the next run. Not here: which incidents there are (`runs`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from lifesign.bootstrap.alerting import Alerter
from lifesign.config import Config
from lifesign.core.common_cause import announced
from lifesign.core.events import Event, EventName
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import ComponentState, Instant, JsonValue
from lifesign.records import dataclass

PATIENCE_S = 20.0  # a run that is meant for cron does not wait longer for a sink


@dataclass(frozen=True, slots=True)
class Held:
    """Every component of the config as this run holds it."""

    components: Mapping[str, TrackedComponent]

    def suppressed_by(self, component: TrackedComponent) -> str | None:
        """The dependency that is down, the first by the config's order."""
        for parent in component.spec.depends_on:
            held = self.components.get(parent)
            if held is not None and (held.incident is not None or held.state is ComponentState.DOWN):
                return parent
        return None


def alert(
    config: Config,
    held: Held,
    texts: Mapping[str, str],
    happened: Sequence[Event],
    now: Instant,
    write: Callable[[list[Event], Mapping[str, str | None]], None],
) -> None:
    """Tells the sinks what there is to tell. `texts` is what was kept; `write` keeps, and stores events.

    `happened`: what the round has brought; who goes down in one round may have gone down by one cause.
    """

    def keep(changes: Mapping[str, str | None], then: Callable[[], None] | None = None) -> None:
        write([], changes)
        if then is not None:
            then()

    def tell(name: EventName, message: str, component: str | None, data: dict[str, JsonValue]) -> None:
        write([Event(name, now.wall_ns, component=component, message=message, data=data)], {})

    secrets = [secret.reveal() for secret in config.secrets]
    alerter = Alerter(config, held, keep=keep, tell=tell, works=lambda: True, secrets=lambda: secrets)
    alerter.recall(texts, now)
    _tell_all(alerter, held, happened, now)
    if alerter.outbox.depth or alerter.outbox.held_back:
        asyncio.run(_send(alerter))


def _tell_all(alerter: Alerter, held: Held, happened: Sequence[Event], now: Instant) -> None:
    for event in announced(happened, len(held.components), now):
        alerter.hear(event, now)
    for event in happened:
        if event.name is EventName.RESTART_EXHAUSTED:
            alerter.hear(event, now)
    alerter.review(now)


def would_send(
    config: Config, held: Held, texts: Mapping[str, str], happened: Sequence[Event], now: Instant
) -> list[str]:
    """What `alert` would send, a line each; nothing is sent, and nothing kept."""
    lines: list[str] = []

    def tell(name: EventName, message: str, component: str | None, data: dict[str, JsonValue]) -> None:
        del name, component, data
        lines.append(message)

    secrets = [secret.reveal() for secret in config.secrets]
    alerter = Alerter(
        config,
        held,
        keep=lambda changes, then: None,  # noqa: ARG005 - nothing is kept
        tell=tell,
        works=lambda: True,
        secrets=lambda: secrets,
        dry_run=True,
    )
    alerter.recall(texts, now)
    waiting = [f"would send to {entry.sink}, where it waits: {entry.alert.subject}" for entry in alerter.outbox.waiting]
    _tell_all(alerter, held, happened, now)
    return [*waiting, *lines]


async def _send(alerter: Alerter) -> None:
    try:
        await alerter.outbox.flush(PATIENCE_S)
    finally:
        await alerter.outbox.close()
