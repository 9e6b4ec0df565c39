"""A few fixed lines (header, status, key bar), and a page of lines that scrolls (detail, help, events)."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget

from lifesign.tui.drawing.spans import Line
from lifesign.tui.painter import painter_of
from lifesign.tui.widgets.changes import changed_cells


class PlainBars(ScrollBarRender):
    """A scroll bar without block signs, for terminals that have none."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


class Lines(Widget):
    """Lines that fill the widget from the top."""

    DEFAULT_CSS = "Lines { height: 1; }"

    def __init__(self, *, ground: str = "plain", id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._ground = ground
        self._lines: tuple[Line, ...] = ()
        self._gone = False

    def show(self, lines: Sequence[Line], *, gone: bool = False) -> None:
        """Draws `lines`, and repaints those that changed."""
        before, self._lines = self._lines, tuple(lines)
        if gone is not self._gone or len(before) != len(self._lines):
            self._gone = gone
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                start, width = changed_cells(((old, ""),), ((new, ""),))
                self.refresh(Region(start, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """The line at `y`; below the last one there is ground."""
        line = self._lines[y] if y < len(self._lines) else ()
        painter = painter_of(self)
        strip = painter.strip(line, self._ground, gone=self._gone)
        return strip.adjust_cell_length(self.size.width, painter.palette.style("text", self._ground))


class Pageful(ScrollView, can_focus=True):
    """A page of lines that scrolls. Lines that changed are repainted where they are in sight."""

    BINDINGS = [  # noqa: RUF012 - Textual's own declaration
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("space", "page_down", show=False),
    ]
    DEFAULT_CSS = "Pageful { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._gone = False

    @property
    def line_cells(self) -> int:
        """How wide a line has to be."""
        return max(self.scrollable_content_region.width, 1)

    def show(self, lines: Sequence[Line], *, gone: bool = False) -> None:
        """Draws `lines`, and keeps the place that is in sight."""
        before, self._lines = self._lines, tuple(lines)
        if len(before) != len(self._lines) or gone is not self._gone:
            self._gone = gone
            self.virtual_size = Size(self.line_cells, len(self._lines))
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                start, width = changed_cells(((old, ""),), ((new, ""),))
                self.refresh(Region(start, y - self.scroll_offset.y, width, 1))

    @property
    def at_end(self) -> bool:
        """Whether the last line is in sight."""
        return self.scroll_offset.y >= self.max_scroll_y

    def render_line(self, y: int) -> Strip:
        """The line at `y` of what is in sight."""
        index = y + self.scroll_offset.y
        line = self._lines[index] if index < len(self._lines) else ()
        return painter_of(self).row([(line, "plain")], self.size.width, gone=self._gone)
