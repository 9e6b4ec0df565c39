"""The main screen: panels or table, the filter, and below the table why and what next in full."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from lifesign.api.documents import Component
from lifesign.tui.commands import MAIN, Command
from lifesign.tui.drawing.card import CARD_LINES
from lifesign.tui.drawing.header import inspector_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.table import table_head
from lifesign.tui.order import Arrangement, Selection, Sort, arrange
from lifesign.tui.screens.events import EventsScreen
from lifesign.tui.screens.incidents import IncidentsScreen
from lifesign.tui.screens.operating import Operating
from lifesign.tui.widgets.filter import FilterInput
from lifesign.tui.widgets.lines import Lines
from lifesign.tui.widgets.listing import Cursor, Listing, marked_note
from lifesign.tui.widgets.lists import PanelList, TableList, columns_in

_INSPECTOR_LINES = 3
_NONE: Sequence[Component] = ()
_FRAME_LINES = 4  # header, a line of ground, status, keys


class MainScreen(Operating):
    """What is down, since when, why, and what comes next: worst first."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in MAIN]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = MAIN
    AUTO_FOCUS = "#panels"

    def __init__(self) -> None:
        super().__init__()
        self._cursor = Cursor()
        self._selection = Selection()
        self._arrangement = Arrangement()
        self._arranged: Sequence[Component] | None = None
        self._arranged_for = (self._selection, False)
        self._total = 0
        self._view = "panels"
        self._chosen = False
        self._inspected_lines = _INSPECTOR_LINES

    def body(self) -> ComposeResult:
        """Both lists, of which one is shown."""
        yield PanelList(self._cursor, id="panels")
        with Vertical(id="table-view"):
            yield Lines(id="head")
            yield TableList(self._cursor, id="table")
            yield Lines(ground="card", id="inspector")
        yield FilterInput(lambda: self.listing, "text to look for; !text inverts; enter keeps, escape ends")

    @property
    def listing(self) -> Listing:
        """The list that is shown."""
        return self.query_one("#table" if self._view == "table" else "#panels", Listing)

    def on_mount(self) -> None:
        """Panels first."""
        self._show("panels", chosen=False)
        super().on_mount()

    def draw(self, scene: Scene) -> None:
        """Arranges the components anew, unless the operator's cursor rests on one."""
        components = scene.snapshot.state.components if scene.snapshot.state else _NONE
        if components and not self._chosen:
            self._choose_view(len(components))
        self._total = len(components)
        rests = self._cursor.rests(scene.now_s)
        if self._arranged is not components or self._arranged_for != (self._selection, rests):
            self._arranged, self._arranged_for = components, (self._selection, rests)
            self._arrangement = arrange(components, self._selection, self._arrangement.names, frozen=rests)
        self.listing.show(scene, self._arrangement)
        self._inspect(scene)

    def _choose_view(self, count: int) -> None:
        """Panels where all have room, else the table; until the operator chooses. A resized screen is asked anew."""
        rows = (self.size.height - _FRAME_LINES) // (CARD_LINES + 1)
        view = "table" if count > max(1, rows) * columns_in(self.size.width - 3) else "panels"
        if view != self._view:
            self._show(view, chosen=False)

    def _inspect(self, scene: Scene) -> None:
        if self._view != "table":
            return
        table = self.query_one("#table", TableList)
        current = table.current
        self.query_one("#head", Lines).show([table_head(table.widths, scene.glyphs)])
        height = self._inspector_height
        lines = inspector_lines(current.name if current else "", scene, self.size.width, height)
        inspector = self.query_one("#inspector", Lines)
        if height != self._inspected_lines:
            inspector.styles.height = self._inspected_lines = height
        inspector.show(lines, gone=not scene.live)

    @property
    def _inspector_height(self) -> int:
        """Twice the lines where the table leaves them blank: it hangs on no word that stands in them."""
        blank = self.size.height - _FRAME_LINES - len(self._arrangement.components)
        return 2 * _INSPECTOR_LINES if blank > 2 * _INSPECTOR_LINES else _INSPECTOR_LINES

    def summary(self) -> tuple[str, list[str]]:
        """How many are shown of how many, by which filter; and whether the order waits for the cursor."""
        shown = len(self._arrangement.components)
        words = [f"{shown} of {self._total}" if shown != self._total else f"{shown} shown"]
        if self._selection.pattern:
            words.insert(0, f"filter {self._selection.pattern}")
        if self._selection.problems_only:
            words.insert(0, "problems only")
        if self._selection.sort is not Sort.WORST or self._selection.reverse:
            words.append(f"{self._selection.sort}{', reversed' if self._selection.reverse else ''}")
        held = f"the order is held while you read; {self._selection.sort} would differ"
        notes = [*marked_note(self._cursor), *([held] if self._arrangement.would_change else [])]
        if not shown and self._total:
            notes.append("no component matches; escape shows all again")
        return ", ".join(words), notes

    def on_listing_moved(self) -> None:
        """The operator moved: nothing shall move under the cursor for a while."""
        scene = self.console.scene()
        self._cursor.moved_s = scene.now_s
        self._inspect(scene)

    def on_listing_opened(self) -> None:
        """A double click opens."""
        self.action_open()

    def action_open(self) -> None:
        """Shows everything known of the component under the cursor."""
        self._place()
        if (current := self.listing.current) is not None:
            self.console.open(current.name)

    async def action_events(self) -> None:
        """Shows the history."""
        await self.app.push_screen(EventsScreen())

    async def action_incidents(self) -> None:
        """Shows what is open, silenced or held."""
        await self.app.push_screen(IncidentsScreen())

    async def action_silences(self) -> None:
        """Shows what is silenced or held."""
        await self.app.push_screen(IncidentsScreen(quiet_only=True))

    async def action_view(self, view: str) -> None:
        """Shows panels or table, as the operator chose."""
        self._show(view, chosen=True)

    def _show(self, view: str, *, chosen: bool) -> None:
        """Shows panels or table. The cursor stays on its component."""
        self._view, self._chosen = view, chosen
        self.query_one("#panels").display = view == "panels"
        self.query_one("#table-view").display = view == "table"
        self.listing.focus()
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        self.refresh_scene()
        self.listing.bring_cursor_into_sight()

    def subjects(self) -> Sequence[Component]:
        """The marked that are shown, else the component under the cursor, which stays there from now on."""
        self._place()
        return self.listing.chosen

    def _place(self) -> None:
        """Whoever acts on a component, or opens it, finds the cursor on it afterwards."""
        if (current := self.listing.current) is not None:
            self._cursor.name, self._cursor.moved_s = current.name, self.console.scene().now_s

    def action_mark(self) -> None:
        """Marks the component under the cursor, or takes its mark away."""
        self.listing.mark()
        self.refresh_scene()

    def action_sort(self, by: int) -> None:
        """The next order, or the one before."""
        self._select(replace(self._selection, sort=self._selection.sort.step(by)))

    def action_reverse(self) -> None:
        """Turns the order round."""
        self._select(replace(self._selection, reverse=not self._selection.reverse))

    def restart_begun(self, component: str) -> None:
        """Shows it as it goes."""
        self.console.open(component)

    def action_probe_all(self) -> None:
        """Checks every component shown, now."""
        self.console.probe(self._arrangement.names)

    def action_problems(self) -> None:
        """Shows only what is not healthy, or all again."""
        self._select(replace(self._selection, problems_only=not self._selection.problems_only))

    def action_filter(self) -> None:
        """Opens the filter."""
        self.query_one(FilterInput).open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The list follows every letter."""
        self._select(replace(self._selection, pattern=event.value))

    def action_back(self) -> None:
        """Undoes one thing: the freeze, the filter, the marks, problems only, the order, the placed cursor."""
        if self.query_one(FilterInput).clear_and_close():
            self._select(replace(self._selection, pattern=""))
        elif self.console.thaw():
            return
        elif self._cursor.marked:
            self._cursor.marked.clear()
            self.refresh_scene()
        elif self._selection.problems_only:
            self.action_problems()
        elif self._selection != Selection():
            self._select(Selection())
        else:
            self._cursor.name = None
            self.listing.scroll_to(y=0, animate=False)
            self.refresh_scene()

    def _select(self, selection: Selection) -> None:
        """A new selection is an order of its own: what was held no longer is."""
        self._selection = selection
        self._arrangement, self._arranged = Arrangement(), None
        self.refresh_scene()
