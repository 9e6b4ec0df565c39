"""What happened: the tail of the daemon's history, newest last. It follows while its end is in sight."""

from collections import deque

from textual.app import ComposeResult

from lifesign.api.documents import EventDocument
from lifesign.tui.drawing.history import event_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import cut, safe
from lifesign.tui.screens.page import Page
from lifesign.tui.widgets.lines import Pageful

_MOST_EVENTS = 2000
_ASK_EVERY_S = 0.9  # a little less than the tick, which draws


class EventsScreen(Page):
    """The history, asked for once a second with one request in flight."""

    def __init__(self) -> None:
        super().__init__()
        self._events: deque[EventDocument] = deque(maxlen=_MOST_EVENTS)
        self._following: str | None = None
        self._problem = ""
        self._asked = False
        self._next_s = 0.0
        self._read = False

    def body(self) -> ComposeResult:
        """One page."""
        yield Pageful(id="body")

    def draw(self, scene: Scene) -> None:
        """The events read so far; and asks for those since."""
        if not self._asked and scene.now_s >= self._next_s:
            self._next_s = scene.now_s + _ASK_EVERY_S
            self._asked = self.console.read_events(self._following)
        page = self.query_one("#body", Pageful)
        follows = page.at_end
        lines = event_lines(self._events, page.line_cells, scene.glyphs)
        if self._problem or not lines:
            words = self._problem or ("nothing has happened yet" if self._read else "reading the history")
            lines.append(cut([(f" {safe(words, scene.glyphs)}", "muted")], page.line_cells, scene.glyphs))
        page.show(lines)
        if follows:
            page.call_after_refresh(page.scroll_end, animate=False)

    def summary(self) -> tuple[str, list[str]]:
        """How many."""
        return f"{len(self._events)} events", []

    async def action_events(self) -> None:
        """Here already."""

    def receive_events(self, events_read: tuple[EventDocument, ...], following: str | None, problem: str) -> None:
        """History has come."""
        self._asked, self._read = False, True
        self._events.extend(events_read)
        self._following, self._problem = following, problem
