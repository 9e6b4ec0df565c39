"""The events, newest last, one line each."""

from collections.abc import Sequence

from lifesign.api.documents import EventDocument
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.scene import moment_text
from lifesign.tui.drawing.spans import Line, cut, fit, safe
from lifesign.tui.snapshot import wall_ns

_ROLES = {"ERROR": "down", "CRITICAL": "down", "WARNING": "degraded"}
_GOOD = {"component.recovered", "component.healthy", "check.passed", "observer.ok"}


def event_lines(events: Sequence[EventDocument], width: int, glyphs: Glyphs) -> list[Line]:
    """Each event as time, name, whom it concerns, and its message."""
    return [_event(event, width, glyphs) for event in events]


def _event(event: EventDocument, width: int, glyphs: Glyphs) -> Line:
    at_ns = wall_ns(event.ts)
    when = fit(event.ts, 20, glyphs) if at_ns is None else moment_text(at_ns)
    role = _ROLES.get(event.level, "healthy" if event.event in _GOOD else "text")
    whom = ".".join(part for part in (event.component, event.check) if part)
    spans = [
        (f" {when if width >= 100 else when[-9:]}  ", "muted"),
        (fit(event.event, 20, glyphs), role),
        (f" {fit(whom, 18 if width < 100 else 28, glyphs)}", "strong"),
        (f" {safe(event.message or '', glyphs, 2 * width)}", "text"),
    ]
    return cut(spans, width, glyphs)
