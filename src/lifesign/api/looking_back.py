"""Looking back: which of its changes a component went through, and what is known of how it stood at one of them.

Not here: what the events prove (`core.hindsight`), where they are kept, and the documents themselves (`api.past`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from lifesign.api.backend import Archive
from lifesign.api.documents import EventDocument
from lifesign.api.past import PAST_SCHEMA, OpenThen, Past, PastCheck, PastState, Step
from lifesign.api.past_incidents import MOST_EVENTS as MOST_TURNS
from lifesign.api.past_incidents import SCHEMA, IncidentsThen, PastIncidents, incidents_then, is_turn
from lifesign.core import hindsight as seen
from lifesign.core.events import Event, EventName
from lifesign.core.model import CheckState
from lifesign.core.spec import ComponentSpec
from lifesign.text import clean, format_timestamp, parse_timestamp

MOST_EVENTS = 200  # from so many is told how it stood
_FOLLOWING = 20
_EVENTS_A_STEP = 10  # that many may be told in one instant
_MOST_LOOKED_THROUGH = 5000  # where much was told of it that changed nothing
_TEXT_LIMIT = 2000
_CHANGES = ("check.", "component.", "process.", "restart.", "silence.", "hold.", "ack.")
_NAMES = {str(name): name for name in EventName}


def past(archive: Archive, spec: ComponentSpec, step: Step, now_ns: int) -> Past:
    """How the component of `spec` stood at the change that `step` names. It may block."""
    step = step if step.moment else replace(step, moment=format_timestamp(now_ns))
    at = _at(archive, spec.name, step)
    moment = None if at is None else _stood(archive, spec, at)
    return Past(schema=PAST_SCHEMA, generated_at=format_timestamp(now_ns), component=spec.name, moment=moment)


def past_incidents(archive: Archive, step: Step, now_ns: int) -> PastIncidents:
    """What was open, silenced or held at the turn that `step` names. It may block."""
    step = step if step.moment else replace(step, moment=format_timestamp(now_ns))
    at = _nearest(archive, None, is_turn, step)
    moment = None if at is None else _incidents(archive, at)
    return PastIncidents(schema=SCHEMA, generated_at=format_timestamp(now_ns), moment=moment)


def _incidents(archive: Archive, at: str) -> IncidentsThen:
    until = format_timestamp(parse_timestamp(at) + seen.NS_PER_MS)
    told = list(reversed(archive.told_of(None, until, later=False, most=MOST_TURNS)))
    return IncidentsThen(
        at=at,
        until=_nearest(archive, None, is_turn, Step(at, later=True)),
        known_since=told[0].ts if len(told) >= MOST_TURNS else None,
        events=[event for event in told if event.ts == at and is_turn(event)],
        incidents=incidents_then(told),
    )


def _at(archive: Archive, name: str, step: Step) -> str | None:
    """When that change was."""
    return _nearest(archive, name, lambda event: _is_change(event, name), step)


def _nearest(archive: Archive, name: str | None, counts: Callable[[EventDocument], bool], step: Step) -> str | None:
    """When the event was that `step` names; the last one there is where there are fewer before, none after."""
    for most in (_FOLLOWING + _EVENTS_A_STEP * step.count, _MOST_LOOKED_THROUGH):
        near = archive.told_of(name, step.moment, later=step.later, most=most)
        times = [ts for ts, _ in groupby(event.ts for event in near if counts(event))]
        if len(times) >= step.count:
            return times[step.count - 1]
        if len(near) < most:  # there are no more
            return None if step.later or not times else times[-1]
    return times[-1] if times else None


def _is_change(event: EventDocument, name: str) -> bool:
    if event.component != name:
        return False
    operated = event.event == EventName.OPERATOR_ACTION and (event.data or {}).get("action") in ("pause", "resume")
    return operated or event.event.startswith(_CHANGES)


def _stood(archive: Archive, spec: ComponentSpec, at: str) -> PastState:
    at_ns = parse_timestamp(at)
    until = format_timestamp(at_ns + seen.NS_PER_MS)
    told = list(reversed(archive.told_of(spec.name, until, later=False, most=MOST_EVENTS)))
    stood = seen.hindsight(list(_events(told)), archive.looks(spec.name, at_ns), spec, at_ns)
    checks = [_check(check) for check in stood.checks]
    return PastState(
        at=at,
        until=_at(archive, spec.name, Step(at, later=True)),
        events=[event for event in told if event.ts == at and _is_change(event, spec.name)],
        state=_word(stood.state),
        since=_time(stood.since_ns),
        diagnosis=clean(stood.diagnosis, _TEXT_LIMIT),
        restart=clean(stood.restart, _TEXT_LIMIT),
        incident=_incident(stood),
        notices=[clean(words, _TEXT_LIMIT) for words in stood.notices],
        layers={str(layer): _word(state) for layer, state in stood.layers.items()},
        last_work_at=_time(stood.last_work_ns),
        consecutive_failures=_failures(checks),
        checks=checks,
    )


def _events(documents: Iterable[EventDocument]) -> Iterable[Event]:
    for told in documents:
        name = _NAMES.get(told.event)
        if name is not None:  # else of another version
            at_ns = parse_timestamp(told.ts)
            yield Event(name, at_ns, told.component, told.check, told.incident, told.message or "", told.data or {})


def _check(check: seen.PastCheck) -> PastCheck:
    spec, look = check.spec, check.look
    return PastCheck(
        name=clean(check.name, 100),
        type=None if spec is None else spec.type,
        layer=None if spec is None else str(spec.layer),
        optional=None if spec is None else spec.optional,
        state=_word(check.state),
        message=clean(check.message, _TEXT_LIMIT),
        last_at=None if look is None else _time(look.at_ns),
        latency_ms=None if look is None or look.latency_s is None else round(look.latency_s * 1000, 3),
        consecutive_failures=None if look is None else look.failures,
    )


def _failures(checks: Sequence[PastCheck]) -> int | None:
    """Of the worst check; null where one that was not well tells no number."""
    if any(check.consecutive_failures is None and check.state != CheckState.PASSING for check in checks):
        return None
    return max((check.consecutive_failures or 0 for check in checks), default=None)


def _incident(stood: seen.Hindsight) -> OpenThen | None:
    return None if stood.incident is None else OpenThen(id=stood.incident, opened_at=_time(stood.opened_ns))


def _word(state: object) -> str | None:
    return None if state is None else str(state)


def _time(wall_ns: int | None) -> str | None:
    """None too for what no calendar has."""
    try:
        return None if wall_ns is None else format_timestamp(wall_ns)
    except (ValueError, OverflowError, OSError):
        return None
