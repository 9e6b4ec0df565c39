"""From lines to strips: the palette of the running theme, with the strips painted so far."""

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol, cast

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from lifesign.records import dataclass
from lifesign.tui.drawing.spans import Line, width_of
from lifesign.tui.palette import Palette
from lifesign.tui.themes import FALLBACK_VARIABLES

_MOST_STRIPS = 2048


@dataclass(slots=True)
class Painter:
    """Paints lines in one palette. A strip is known by everything that it shows, so a cached one is never wrong."""

    palette: Palette
    strips: dict[tuple[Line, str, bool], Strip] = field(default_factory=dict)

    @classmethod
    def of(cls, theme: Theme) -> "Painter":
        """A painter in the colours of `theme`."""
        variables = FALLBACK_VARIABLES | theme.to_color_system().generate() | theme.variables
        return cls(Palette.of(variables, ansi=theme.ansi))

    def strip(self, line: Line, ground: str, *, gone: bool = False) -> Strip:
        """The strip of `line`, as wide as the line."""
        key = (line, ground, gone)
        strip = self.strips.get(key)
        if strip is None:
            if len(self.strips) >= _MOST_STRIPS:
                self.strips.clear()
            strip = self.strips[key] = Strip(self._segments(line, ground, gone=gone), width_of(line))
        return strip

    def _segments(self, line: Line, ground: str, *, gone: bool) -> list[Segment]:
        """As few as look the same: each costs the terminal its colours. Blanks look alike in any ink on one ground."""
        found: list[tuple[str, Style]] = []
        for text, role in line:
            style = self.palette.style(role, ground, gone=gone)
            if found and _alike(text, style, found[-1][1]):
                found[-1] = (found[-1][0] + text, found[-1][1])
            elif text:
                found.append((text, style))
        return [Segment(text, style) for text, style in found]

    def row(self, parts: Sequence[tuple[Line, str]], width: int, *, gone: bool = False) -> Strip:
        """`parts` side by side, each a line and its ground, filled up to `width` cells."""
        strip = Strip.join([self.strip(line, ground, gone=gone) for line, ground in parts])
        return strip.adjust_cell_length(width, self.palette.style("text", "plain"))


def _alike(text: str, style: Style, before: Style) -> bool:
    """Whether `text` may be drawn in the style of what stands before it."""
    if style == before:
        return True
    return not text.strip(" ") and style.bgcolor == before.bgcolor and not (style.reverse or before.reverse)


class Painting(Protocol):
    """An app that paints with lines."""

    painter: Painter


def painter_of(widget: Widget) -> Painter:
    """The painter of the app that `widget` lives in."""
    app: App[object] = widget.app
    return cast("Painting", app).painter
