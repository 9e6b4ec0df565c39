"""The events, newest last. A message that does not fit beside its event goes on below it: nothing is cut off."""

from collections.abc import Sequence

from lifesign.api.documents import EventDocument
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.scene import moment_text
from lifesign.tui.drawing.spans import Line, cut, fit, safe, wrapped
from lifesign.tui.snapshot import wall_ns

_ROLES = {"ERROR": "down", "CRITICAL": "down", "WARNING": "degraded"}
_GOOD = {"component.recovered", "component.healthy", "check.passed", "observer.ok"}
_MOST_CHARACTERS = 1000  # of one message


def matches(event: EventDocument, pattern: str) -> bool:
    """Whether its line contains `pattern`, in any case; with `!` before it, whether it does not."""
    wanted = pattern.strip().removeprefix("!").casefold()
    found = wanted in " ".join((_when(event), event.event, _whom(event), event.message or "")).casefold()
    return not wanted or found is not pattern.strip().startswith("!")


def event_lines(events: Sequence[EventDocument], width: int, glyphs: Glyphs) -> list[Line]:
    """Each event as time, name, whom it concerns, and its message."""
    return [line for event in events for line in _event(event, width, glyphs)]


def _event(event: EventDocument, width: int, glyphs: Glyphs) -> list[Line]:
    wide, role = width >= 100, _ROLES.get(event.level, "healthy" if event.event in _GOOD else "text")
    when = fit(_when(event), 20, glyphs)
    when = f" {when if wide else when[-9:]}  "
    whom = f" {fit(_whom(event), 28 if wide else 18, glyphs)} "
    words = safe(event.message or "", glyphs, _MOST_CHARACTERS).strip()
    first = wrapped(words, max(width - len(when) - 20 - (30 if wide else 20), 1), glyphs)[0]
    rest = words[len(first) :].strip()
    spans = [(when, "muted"), (fit(event.event, 20, glyphs), role), (whom, "strong"), (first, "text")]
    below = wrapped(rest, width - len(when), glyphs) if rest else []
    return [cut(spans, width, glyphs), *(cut([(" " * len(when) + row, "text")], width, glyphs) for row in below)]


def _when(event: EventDocument) -> str:
    at_ns = wall_ns(event.ts)
    return event.ts[:20] if at_ns is None else moment_text(at_ns)


def _whom(event: EventDocument) -> str:
    return ".".join(part for part in (event.component, event.check) if part)
