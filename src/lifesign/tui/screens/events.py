"""What happened: the tail of the daemon's history, newest last. It follows while its end is in sight."""

from collections import deque
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from lifesign.api.documents import EventDocument
from lifesign.tui.commands import EVENTS_PAGE, Command
from lifesign.tui.drawing.history import event_lines, matches
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import Line, cut, safe
from lifesign.tui.screens.page import Page
from lifesign.tui.widgets.filter import FilterInput
from lifesign.tui.widgets.lines import Pageful

_MOST_EVENTS = 2000
_ASK_EVERY_S = 0.9  # a little less than the tick, which draws


class EventsScreen(Page):
    """The history, asked for once a second with one request in flight."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in EVENTS_PAGE]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = EVENTS_PAGE

    def __init__(self) -> None:
        super().__init__()
        self._events: deque[EventDocument] = deque(maxlen=_MOST_EVENTS)
        self._following: str | None = None
        self._problem = ""
        self._asked = False
        self._next_s = 0.0
        self._read = False
        self._pattern = ""
        self._shown: list[EventDocument] = []
        self._drawn: tuple[object, list[Line]] = (None, [])

    def body(self) -> ComposeResult:
        """One page, and its filter."""
        yield Pageful(id="body")
        yield FilterInput(id="filter", placeholder="a time, an event, a name, a word; !text inverts; escape ends")

    def on_mount(self) -> None:
        """The filter opens by its key."""
        self.query_one("#filter").display = False
        super().on_mount()

    def draw(self, scene: Scene) -> None:
        """The events read so far; and asks for those since."""
        if not self._asked and scene.now_s >= self._next_s:
            self._next_s = scene.now_s + _ASK_EVERY_S
            self._asked = self.console.read_events(self._following)
        page = self.query_one("#body", Pageful)
        follows = page.at_end
        lines = self._lines(page.line_cells, scene)
        if self._problem or not lines:
            words = self._problem or self._nothing
            lines.append(cut([(f" {safe(words, scene.glyphs)}", "muted")], page.line_cells, scene.glyphs))
        page.show(lines)
        if follows:
            page.call_after_refresh(page.scroll_end, animate=False)

    def _lines(self, width: int, scene: Scene) -> list[Line]:
        """Drawn anew only where something is new."""
        newest = self._events[-1] if self._events else None
        key = (newest, len(self._events), self._pattern, width, scene.glyphs)
        if key != self._drawn[0]:
            self._shown = [event for event in self._events if matches(event, self._pattern)]
            self._drawn = key, event_lines(self._shown, width, scene.glyphs)
        return list(self._drawn[1])

    @property
    def _nothing(self) -> str:
        if self._events:
            return f"none of {len(self._events)} events has {self._pattern}"
        return "nothing has happened yet" if self._read else "reading the history"

    def summary(self) -> tuple[str, list[str]]:
        """How many, and by which filter."""
        notes = [f"filter {self._pattern}"] if self._pattern else []
        return f"{len(self._shown)} events", notes

    def action_filter(self) -> None:
        """Opens the filter."""
        line = self.query_one("#filter", FilterInput)
        line.display = True
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The page follows every letter."""
        self._pattern = event.value
        self.refresh_scene()

    def on_input_submitted(self) -> None:
        """Keeps the filter, and goes back to the page."""
        self._close_filter()

    def action_back(self) -> None:
        """Ends the filter, or leaves."""
        line = self.query_one("#filter", FilterInput)
        if not line.display and not self._pattern:
            super().action_back()
            return
        line.value = self._pattern = ""
        self._close_filter()
        self.refresh_scene()

    def _close_filter(self) -> None:
        self.query_one("#filter").display = False
        self.query_one("#body").focus()

    async def action_events(self) -> None:
        """Here already."""

    def receive_events(self, events_read: tuple[EventDocument, ...], following: str | None, problem: str) -> None:
        """History has come."""
        self._asked, self._read = False, True
        self._events.extend(events_read)
        self._following, self._problem = following, problem
