"""From lines to strips: the palette of the running theme, with the strips painted so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from rich.segment import Segment
from textual.app import App
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

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
            style = self.palette.style
            segments = [Segment(text, style(role, ground, gone=gone)) for text, role in line if text]
            strip = self.strips[key] = Strip(segments, width_of(line))
        return strip

    def row(self, parts: Sequence[tuple[Line, str]], width: int, *, gone: bool = False) -> Strip:
        """`parts` side by side, each a line and its ground, filled up to `width` cells."""
        strip = Strip.join([self.strip(line, ground, gone=gone) for line, ground in parts])
        return strip.adjust_cell_length(width, self.palette.style("text", "plain"))


class Painting(Protocol):
    """An app that paints with lines."""

    painter: Painter


def painter_of(widget: Widget) -> Painter:
    """The painter of the app that `widget` lives in."""
    app: App[object] = widget.app
    return cast("Painting", app).painter
