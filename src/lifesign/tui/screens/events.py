"""What happened: the tail of the daemon's history, newest last. It follows while its end is in sight."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from lifesign.api.documents import EventDocument
from lifesign.tui.commands import EVENTS_PAGE, Command
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import cut, safe
from lifesign.tui.screens.page import Page
from lifesign.tui.told import Told
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
        self._told = Told(_MOST_EVENTS)
        self._following: str | None = None
        self._problem = ""
        self._asked = False
        self._next_s = 0.0
        self._read = False
        self._pattern = ""

    def body(self) -> ComposeResult:
        """One page, and its filter."""
        yield Pageful(id="body")
        words = "a time, an event, a name, a word; !text inverts; escape ends"
        yield FilterInput(lambda: self.query_one("#body"), words)

    def draw(self, scene: Scene) -> None:
        """The events read so far; and asks for those since."""
        if not self._asked and scene.now_s >= self._next_s:
            self._next_s = scene.now_s + _ASK_EVERY_S
            self._asked = self.console.read_events(self._following)
        page = self.query_one("#body", Pageful)
        follows = page.at_end
        lines = self._told.lines(self._pattern, page.line_cells, scene.glyphs)
        if self._problem or not lines:
            words = self._problem or self._nothing
            lines = [*lines, cut([(f" {safe(words, scene.glyphs)}", "muted")], page.line_cells, scene.glyphs)]
        page.show(lines)
        if follows:
            page.call_after_refresh(page.scroll_end, animate=False)

    @property
    def _nothing(self) -> str:
        if len(self._told):
            return f"none of {len(self._told)} events has {self._pattern}"
        return "nothing has happened yet" if self._read else "reading the history"

    def summary(self) -> tuple[str, list[str]]:
        """How many, and by which filter."""
        notes = [f"filter {self._pattern}"] if self._pattern else []
        return f"{self._told.shown} events", notes

    def action_filter(self) -> None:
        """Opens the filter."""
        self.query_one(FilterInput).open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The page follows every letter."""
        self._pattern = event.value
        self.refresh_scene()

    def action_back(self) -> None:
        """Ends the filter, or leaves."""
        if self.query_one(FilterInput).clear_and_close():
            self._pattern = ""
            self.refresh_scene()
        else:
            super().action_back()

    async def action_events(self) -> None:
        """Here already."""

    def receive_events(self, events_read: tuple[EventDocument, ...], following: str | None, problem: str) -> None:
        """History has come."""
        self._asked, self._read = False, True
        self._told.take(events_read)
        self._following, self._problem = following, problem
