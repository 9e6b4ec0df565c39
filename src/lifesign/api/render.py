"""From the core's frozen views and events to the wire documents of the contract (sections 5, 6 and 8).

Pure: no clock, no I/O. Whatever stands in a view, the document it becomes can be encoded and read back:
floats are finite and rounded, integers fit 64 bits, text is clean.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from lifesign.api.documents import (
    STATE_SCHEMA,
    Check,
    Component,
    ComponentStatus,
    Counts,
    EventDocument,
    Incident,
    Layers,
    MonitorInfo,
    Notice,
    Process,
    Restart,
    RestartMade,
    State,
    Status,
)
from lifesign.core.events import Event
from lifesign.core.model import CheckState, ComponentState, Identity, JsonValue, Layer
from lifesign.core.restart import Phase, RestartRecord
from lifesign.core.spec import RestartSpec
from lifesign.core.view import (
    Changes,
    CheckView,
    ComponentGlance,
    ComponentView,
    MonitorView,
    NoticeView,
    RestartView,
)
from lifesign.text import clean, format_timestamp

_TEXT_LIMIT = 2000
_DEPTH_LIMIT = 16
_INTEGER_LIMIT = 2**63
_LAYERS = (Layer.STARTABLE, Layer.ALIVE, Layer.READY, Layer.WORKING)


def state_document(view: MonitorView, info: MonitorInfo) -> State:
    """The state document of one instant."""
    components = [component_document(component) for component in view.components]
    states = [component.state for component in components]
    return msgspec.structs.replace(state_head(view, info, states), components=components)


def state_head(view: MonitorView | Changes, info: MonitorInfo, states: Sequence[str]) -> State:
    """The state document of one instant but for its components, which are in these states."""
    return State(
        schema=STATE_SCHEMA,
        generated_at=_stamp(view.at.wall_ns),
        monitor=info,
        overall=str(view.overall),
        counts=Counts(**{str(state): states.count(str(state)) for state in ComponentState}),
        components=[],
    )


def component_document(view: ComponentView) -> Component:
    """One component, as it stands in the state document and as an action answers it."""
    spec = view.spec
    return Component(
        name=spec.name,
        title=spec.title,
        tags=list(spec.tags),
        optional=spec.optional,
        state=str(view.state),
        since=_stamp(view.since_wall_ns),
        diagnosis=words_of(view.diagnosis),
        next=words_of(view.next_step),
        layers=_layers(view.layers),
        last_work_at=time_of(view.last_work_wall_ns),
        staleness_s=rounded(view.staleness_s),
        stale_after_s=rounded(view.stale_after_s),
        consecutive_failures=view.consecutive_failures,
        flapping=view.flapping,
        suppressed_by=view.suppressed_by,
        silence=_notice(view.silence),
        hold=_notice(view.hold),
        acknowledged=_notice(view.acknowledged),
        incident=_incident(view),
        restart=None if spec.restart is None else restart_document(spec.restart, view),
        checks=[check_document(check) for check in view.checks],
        process=msgspec.UNSET if view.process is None else _process(view.process),
    )


def status_document(source: MonitorView | State) -> Status:
    """The answer of `/api/health/status`."""
    if isinstance(source, State):
        components = [component_status(component) for component in source.components]
    else:
        components = [component_status(component) for component in source.components]
    return Status(overall=str(source.overall), components=components)


def component_status(source: ComponentView | ComponentGlance | Component) -> ComponentStatus:
    """The answer of `/api/health/status/{component}`."""
    if isinstance(source, Component):
        name, optional, since = source.name, source.optional, source.since
    else:
        name, optional = source.spec.name, source.spec.optional
        since = _stamp(source.since_wall_ns)
    diagnosis = words_of(source.diagnosis)
    return ComponentStatus(name=name, state=str(source.state), optional=optional, since=since, diagnosis=diagnosis)


def event_document(event: Event, monitor_name: str | None) -> EventDocument:
    """One line of the log, one entry of the history. Keys that do not apply are left out."""
    return EventDocument(
        ts=_stamp(event.at_wall_ns),
        level=str(event.level),
        event=str(event.name),
        monitor=monitor_name or None,
        component=event.component,
        check=event.check,
        incident=event.incident,
        message=_clean(event.message, _TEXT_LIMIT) or None,
        data=_plain_mapping(event.data) or None,
    )


def check_document(view: CheckView) -> Check:
    """One check of a component."""
    return Check(
        name=view.spec.name,
        type=view.spec.type,
        layer=str(view.spec.layer),
        optional=view.spec.optional,
        state=str(view.state),
        consecutive_failures=view.consecutive_failures,
        consecutive_successes=view.consecutive_successes,
        last_at=time_of(view.last_at_wall_ns),
        next_at=time_of(view.next_at_wall_ns),
        latency_ms=None if view.latency_s is None else rounded(view.latency_s * 1000),
        message=words_of(view.message),
        metrics={_clean(name): round(value, 6) for name, value in view.metrics.items() if math.isfinite(value)},
        data=_plain_mapping(view.data),
        path=_clean(view.spec.path, _TEXT_LIMIT) or msgspec.UNSET,
    )


def _layers(states: Mapping[Layer, CheckState | None]) -> Layers:
    held = [None if (state := states.get(layer)) is None else str(state) for layer in _LAYERS]
    return Layers(startable=held[0], alive=held[1], ready=held[2], working=held[3])


def _incident(view: ComponentView) -> Incident | None:
    if view.incident is None:
        return None
    url = _clean(view.incident.url, _TEXT_LIMIT) if view.incident.url else None
    return Incident(id=view.incident.id, opened_at=_stamp(view.incident.opened_at_wall_ns), url=url)


def _notice(view: NoticeView | None) -> Notice | None:
    if view is None:
        return None
    until, since = time_of(view.until_wall_ns), _stamp(view.since_wall_ns)
    return Notice(until=until, author=_clean(view.author, 100), reason=_clean(view.reason), since=since)


def _process(identity: Identity) -> Process:
    started_s = identity.started_at
    if started_s is None or not math.isfinite(started_s):
        return Process(pid=identity.pid, started_at=None)
    return Process(pid=identity.pid, started_at=_stamp(round(started_s * 1000) * 1_000_000))


def restart_document(spec: RestartSpec, view: ComponentView) -> Restart:
    """Where the restart stands; before anything was decided it is idle, and its budget whole."""
    at = view.restart or RestartView(Phase.IDLE, 0, spec.max_restarts, None, None)
    return Restart(
        method=spec.method,
        automatic=spec.automatic,
        phase=str(at.phase),
        incarnation=view.incarnation,
        unproductive=at.unproductive,
        max_unproductive=spec.max_unproductive,
        budget_left=at.budget_left,
        last_at=time_of(at.last_at_wall_ns),
        next_at=time_of(at.next_at_wall_ns),
        max_restarts=spec.max_restarts,
        budget_at=time_of(at.budget_at_wall_ns) or msgspec.UNSET,
        how=_clean(spec.how) or msgspec.UNSET,
        withheld=_clean(at.withheld) or msgspec.UNSET,
        history=[_restart_made(record) for record in at.history] or msgspec.UNSET,
    )


def _restart_made(record: RestartRecord) -> RestartMade:
    return RestartMade(
        attempt=record.attempt,
        at=_stamp(record.at_wall_ns),
        automatic=record.automatic,
        author=_clean(record.author, 100),
        reason=_clean(record.reason),
        words=_clean(record.words),
        pid_before=record.pid_before,
        pid_after=record.pid_after,
        process_after_s=rounded(record.process_after_s),
        work_after_s=rounded(record.work_after_s),
        outcome=str(record.outcome),
    )


def _stamp(wall_ns: int) -> str:
    seconds, rest_ns = divmod(wall_ns, 1_000_000_000)
    return f"{_second(seconds)}.{rest_ns // 1_000_000:03}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    """A thousand components tell thousands of times, most of them in the same few seconds."""
    return format_timestamp(seconds * 1_000_000_000)[: -len(".000Z")]


def _clean(text: str, limit: int = 500) -> str:
    """As `text.clean`, which printable ASCII need not pass through: nearly all that a monitor says."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip()
    return clean(text, limit)


def words_of(text: str) -> str:
    """Text on one line, without a character that could steer a terminal."""
    return _clean(text, _TEXT_LIMIT)


def time_of(wall_ns: int | None) -> str | None:
    """That moment in UTC."""
    return None if wall_ns is None else _stamp(wall_ns)


def rounded(value: float | None) -> float | None:
    """To three places; None where it is not finite."""
    return None if value is None or not math.isfinite(value) else round(value, 3)


def _plain_mapping(data: Mapping[str, JsonValue]) -> dict[str, Any]:
    return {_clean(key): _plain(value, 0) for key, value in data.items()}


def _plain(value: JsonValue, depth: int) -> Any:
    """`value` as JSON can carry it everywhere: a reader with 64-bit integers and no NaN must not choke on it."""
    match value:
        case bool() | None:
            return value
        case str():
            return words_of(value)
        case int():
            return (
                value if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT else f"{float(value):.6g}" if _fits(value) else None
            )
        case float():
            return value if math.isfinite(value) else None
        case _ if depth >= _DEPTH_LIMIT:
            return "…"
        case list():
            return [_plain(item, depth + 1) for item in value]
        case dict():
            return {_clean(str(key)): _plain(item, depth + 1) for key, item in value.items()}


def _fits(value: int) -> bool:
    return value.bit_length() < 1000


def event_line(document: EventDocument) -> str:
    """An event as one line of text, for the log and the shell."""
    where = "/".join(part for part in (document.component, document.check) if part)
    words = (document.ts, f"{document.level:7}", document.event, where, document.message or "")
    return " ".join(word for word in words if word)
