"""Moments of the transcript as rows, and back: what operators did, what came of restarts, what was told and decided."""

from typing import Any

import msgspec

from lifesign.core import commands
from lifesign.core.commands import Pause, Resume
from lifesign.core.conversation import Notify
from lifesign.core.effects import Restart
from lifesign.core.events import Event, EventName
from lifesign.core.restart import Failed, Renewed, RestartReport, Sent, Withheld
from lifesign.core.transcript import Attended, Deed, Moment, Outcome, Reconfigured, Reported
from lifesign.records import dataclass
from lifesign.store.history_file import Gap

_REPORTS: dict[str, type[RestartReport]] = {kind.__name__: kind for kind in (Sent, Withheld, Failed, Renewed)}
_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        commands.Silence,
        commands.Unsilence,
        commands.Hold,
        commands.Release,
        commands.Acknowledge,
        commands.Pause,
        commands.Resume,
        commands.Rearm,
        commands.RestartNow,
        Attended,
        Reconfigured,
        Event,
        Restart,
        Notify,
    )
}


@dataclass(frozen=True, slots=True)
class _Report:
    component: str
    attempt: int
    kind: str
    report: dict[str, Any]


def encode(moment: Moment) -> tuple[str, str]:
    """Kind and document of one."""
    what: Any = moment.what
    kind = type(what).__name__
    if isinstance(what, Reported):
        plain = msgspec.to_builtins(what.report)
        what = _Report(what.component, what.attempt, type(what.report).__name__, plain)
    try:
        return kind, msgspec.json.encode(what).decode()
    except (OverflowError, UnicodeEncodeError):  # an event's figures may be larger than JSON's of 64 bits
        return kind, "{}"


def decode(kind: str, document: str) -> Deed | Outcome | None:
    """What `encode` was given; None for what is no longer understood."""
    try:
        if kind == Reported.__name__:
            found = msgspec.json.decode(document, type=_Report)
            return Reported(found.component, found.attempt, msgspec.convert(found.report, _REPORTS[found.kind]))
        if kind == Event.__name__:  # what its data may be is beyond the decoder
            plain = msgspec.json.decode(document, type=dict[str, Any])
            return Event(EventName(plain.pop("name")), **plain)
        made: Deed | Outcome = msgspec.json.decode(document, type=_KINDS[kind])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return None
    return made


def gap_of(moment: Moment) -> Gap | None:
    """A pause is a gap of its component until it is resumed."""
    at_ms = moment.now.wall_ns // 1_000_000
    match moment.what:
        case Pause(component=component):
            return Gap(at_ms, None, component, "paused")
        case Resume(component=component):
            return Gap(-1, at_ms, component, "")
        case _:
            return None
