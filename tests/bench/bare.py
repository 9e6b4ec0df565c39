"""The least that can be asked of Textual: a thousand lines by its line API, their ages redrawn once a second.

`python -m tests.bench.bare` is what the console's costs stand beside.
"""

import time

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lifesign.text import format_duration

ROWS = 1000
FIRST_WORDS = "row-0000"


class Ages(ScrollView, can_focus=True):
    """A name and an age on each line."""

    BINDINGS = [  # noqa: RUF012 - Textual's own declaration
        Binding("j", "scroll_down", show=False),
        Binding("pagedown", "page_down", show=False),
    ]

    def on_mount(self) -> None:
        """One tick a second."""
        self._began_s = time.monotonic()
        self.virtual_size = Size(150, ROWS)
        self.set_interval(1.0, self.refresh)

    def render_line(self, y: int) -> Strip:
        """The line at `y` of what is in sight."""
        age = format_duration(int(time.monotonic() - self._began_s))
        text = f"row-{y + self.scroll_offset.y:04} {age:>8} "
        return Strip([Segment(text)]).adjust_cell_length(self.size.width)


class Bare(App[None]):
    """Nothing but the lines."""

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Ages()

    def on_mount(self) -> None:
        """As the console does."""
        self.animation_level = "none"


if __name__ == "__main__":
    Bare().run()
