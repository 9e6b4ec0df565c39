"""From a component as it stands to the alert that tells of it."""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from lifesign.alerts.alert import Alert, AlertCheck, AlertRestart
from lifesign.bootstrap.last_lines import last_lines
from lifesign.core.conversation import Notify, Stage
from lifesign.core.model import NS_PER_S, Instant, Layer
from lifesign.core.restart import Outcome, RestartRecord
from lifesign.core.view import CheckView, ComponentView
from lifesign.text import clean, format_duration, format_timestamp, redact

MOST_CHECKS = 30


def alert_of(
    notify: Notify,
    view: ComponentView | None,
    now: Instant,
    *,
    monitor: str,
    host: str,
    note: str,
    told: Callable[[str], Iterable[str]] = lambda _: (),
) -> Alert:
    """The alert for `notify`. `view` is None for a component that is no longer there; `told`: what happened to one."""
    conversation = notify.conversation
    age_ns = max(0, now.boot_ns - conversation.opened_boot_ns)
    opened_wall_ns = now.wall_ns - age_ns
    if view is not None and view.incident is not None and view.incident.id == conversation.incident:
        opened_wall_ns = view.incident.opened_at_wall_ns
    recovered = notify.stage is Stage.RECOVERED
    had_failed = f"it was down for {format_duration(age_ns / NS_PER_S)}: {conversation.diagnosis}"
    diagnosis = had_failed if recovered else conversation.diagnosis if view is None else view.diagnosis
    return Alert(
        stage=notify.stage.value,
        monitor=monitor,
        host=host,
        component=conversation.component,
        title="" if view is None else clean(view.spec.title, 100),
        tags=[] if view is None else list(view.spec.tags),
        optional=view is not None and view.spec.optional,
        state="removed" if view is None else str(view.state),
        diagnosis=clean(diagnosis, 1000),
        next="" if view is None or recovered else clean(view.next_step, 300),
        incident=conversation.incident,
        opened_at=format_timestamp(opened_wall_ns),
        at=format_timestamp(now.wall_ns),
        down_s=round(age_ns / NS_PER_S, 3),
        layers={} if view is None else {str(layer): _layer(view, layer) for layer in Layer},
        checks=[] if view is None else [_check(check) for check in view.checks[:MOST_CHECKS]],
        restarts=[] if view is None or view.restart is None else _restarts(view.restart.history, opened_wall_ns),
        note=clean(note, 2000),
        together=list(conversation.speaks_for) if conversation.shared else [],
        last_lines=[] if view is None or notify.stage is not Stage.OPENED else last_lines(view, told),
    )


def without_secrets(alert: Alert, secrets: Sequence[str]) -> Alert:
    """`alert` with no secret in what is text from outside; names, states, times and figures are none."""
    words = {name: redact(getattr(alert, name), secrets) for name in ("title", "diagnosis", "next", "note")}
    checks = [replace(check, message=redact(check.message, secrets)) for check in alert.checks]
    lines = redact("\n".join(alert.last_lines), secrets).split("\n") if alert.last_lines else []
    return replace(alert, checks=checks, last_lines=lines, **words)


def _layer(view: ComponentView, layer: Layer) -> str | None:
    state = view.layers.get(layer)
    return None if state is None else str(state)


def _check(view: CheckView) -> AlertCheck:
    return AlertCheck(
        name=view.spec.name,
        type=view.spec.type,
        layer=str(view.spec.layer),
        state=str(view.state),
        consecutive_failures=view.consecutive_failures,
        message=clean(view.message, 500),
    )


def _restarts(history: tuple[RestartRecord, ...], since_wall_ns: int) -> list[AlertRestart]:
    productive = {Outcome.PRODUCTIVE: True, Outcome.UNPRODUCTIVE: False, Outcome.FAILED: False}
    return [
        AlertRestart(
            at=format_timestamp(record.at_wall_ns),
            by="lifesign" if record.automatic else clean(record.author, 60),
            productive=productive.get(record.outcome),
        )
        for record in history
        if record.at_wall_ns >= since_wall_ns
    ]
