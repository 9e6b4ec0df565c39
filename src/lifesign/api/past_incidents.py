"""What was open, silenced or held at a moment of the past, `lifesign.past_incidents/1`, by what was told until then.

A moment is one at which an incident began or ended, or an operator did something about one. Pure. Times are UTC
RFC 3339. Not here: one component in full (`api.looking_back`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Literal

import msgspec

from lifesign.api.documents import EventDocument
from lifesign.records import dataclass
from lifesign.text import clean

SCHEMA: Literal["lifesign.past_incidents/1"] = "lifesign.past_incidents/1"
KINDS = ("component.down", "component.recovered", "ack.", "silence.", "hold.")
MOST_EVENTS = 2000
_TEXT_LIMIT = 2000


class PastIncident(msgspec.Struct, frozen=True, kw_only=True):
    """One component of which something was open or in force. `component`: empty for a hold of everything.

    `incident`, `opened_at`: null where none was open; `why`: what was told when it went down. `notices`: what operators
    had done about it, as it was told.
    """

    component: str
    incident: str | None
    opened_at: str | None
    why: str
    notices: list[str]


class IncidentsThen(msgspec.Struct, frozen=True, kw_only=True):
    """All of them at `at`, and until `until` (null: until now). `known_since`: what began before is not known."""

    at: str
    until: str | None
    known_since: str | None
    events: list[EventDocument]
    incidents: list[PastIncident]


class PastIncidents(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `moment`: null where there is none on that side that is kept."""

    schema: Literal["lifesign.past_incidents/1"]
    generated_at: str
    moment: IncidentsThen | None


@dataclass(slots=True)
class _Standing:
    incident: str | None = None
    opened_at: str | None = None
    why: str = ""
    notices: dict[str, str] = field(default_factory=dict)


def is_turn(event: EventDocument) -> bool:
    """Whether this is a moment of its own."""
    return event.event.startswith(KINDS)


def incidents_then(told: Sequence[EventDocument]) -> list[PastIncident]:
    """What stood after these events, in their order: the open first, the oldest of them first."""
    standing: dict[str, _Standing] = {}
    for event in told:
        if event.event == "monitor.started" and "away_s" not in (event.data or {}):
            standing.clear()  # it knew nothing of what was before
        elif is_turn(event):
            _hear(standing.setdefault(event.component or "", _Standing()), event)
    found = [(name, one) for name, one in standing.items() if one.incident is not None or one.notices]
    found.sort(key=lambda item: (item[1].incident is None, item[1].opened_at or "", item[0]))
    return list(_documents(found))


def _hear(one: _Standing, event: EventDocument) -> None:
    kind, _, what = event.event.partition(".")
    words = clean(event.message or "", _TEXT_LIMIT)
    match kind, what:
        case "component", "down":
            one.incident, one.opened_at, one.why = event.incident or "", event.ts, words
            one.notices.pop("ack", None)
        case "component", "recovered":
            one.incident = one.opened_at = None
            one.notices.pop("ack", None)
        case _, "added":
            one.notices[kind] = words
        case _, "ended":
            one.notices.pop(kind, None)
        case _:
            pass


def _documents(found: Iterable[tuple[str, _Standing]]) -> Iterable[PastIncident]:
    for name, one in found:
        yield PastIncident(
            component=name,
            incident=one.incident,
            opened_at=one.opened_at,
            why=one.why if one.incident is not None else "",
            notices=list(one.notices.values()),
        )
