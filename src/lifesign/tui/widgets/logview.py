"""The view of a file that grows: it draws the lines in sight, asks for those that it lacks, and follows the end."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.spans import Line, cut, safe
from lifesign.tui.painter import painter_of
from lifesign.tui.tailing import TailRead


class LogView(ScrollView, can_focus=True):
    """Lines by number. `want(first, count)` is called with what it needs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("space", "page_down", show=False),
    ]
    DEFAULT_CSS = "LogView { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }"

    def __init__(self, want: Callable[[int, int], object], glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._want = want
        self._glyphs = glyphs
        self._first = 0
        self._lines: tuple[str, ...] = ()
        self._found = -1
        self.follows = True  # the end stays in sight until the operator looks elsewhere

    @property
    def found(self) -> int:
        """The line that was found last, -1 where none was."""
        return self._found

    def take(self, read: TailRead) -> None:
        """Lines have come."""
        changed = (read.first, read.lines) != (self._first, self._lines) or read.count != self.virtual_size.height
        self._first, self._lines = read.first, read.lines
        if read.count != self.virtual_size.height:
            self.virtual_size = Size(max(self.scrollable_content_region.width, 1), read.count)
        if read.found is not None and read.found >= 0:
            self._found = read.found
            self.follows = False
            middle = max(0, read.found - self.size.height // 2)
            self.call_after_refresh(self.scroll_to, y=middle, animate=False, immediate=True)
        elif self.follows and self.scroll_offset.y < self.max_scroll_y:
            self.call_after_refresh(self._to_the_end)
        if changed or read.found is not None:
            self.refresh()
        self.ask()

    def _to_the_end(self) -> None:
        """Unless the operator has gone elsewhere in the meantime."""
        if self.follows:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def action_scroll_home(self) -> None:
        """To the first line."""
        self.follows = False
        super().action_scroll_home()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another place: other lines."""
        super().watch_scroll_y(old_value, new_value)
        self.follows = new_value >= self.max_scroll_y if new_value < old_value or not self.follows else self.follows
        self.ask()

    def ask(self) -> None:
        """Wants what is in sight, and a screenful on both sides."""
        height = max(self.size.height, 1)
        self._want(-1 if self.follows else max(0, self.scroll_offset.y - height), 3 * height)

    def render_line(self, y: int) -> Strip:
        """The line at `y` of what is in sight; blank until it has been read."""
        number = y + self.scroll_offset.y
        at = number - self._first
        text = self._lines[at] if 0 <= at < len(self._lines) else ""
        width = max(self.scrollable_content_region.width, 1)
        line: Line = cut([(f" {safe(text, self._glyphs, 2000)}", "text")], width, self._glyphs)
        return painter_of(self).row([(line, "cursor" if number == self._found else "plain")], self.size.width)
