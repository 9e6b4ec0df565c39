"""The main lists: panels and table. Only what changed in sight is repainted; the cursor is a component's name."""

from dataclasses import field
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lifesign.api.documents import Component
from lifesign.records import dataclass
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import Line
from lifesign.tui.order import Arrangement
from lifesign.tui.painter import painter_of
from lifesign.tui.widgets.changes import Row, changed_cells

RESTS_FOR_S = 15.0

GAP_CELLS = 2

_GAP: tuple[Line, str] = (((" " * GAP_CELLS, "text"),), "plain")


@dataclass(slots=True)
class Cursor:
    """Where the operator is. Until a key has moved it, it follows the first component (`name` is None).

    `marked`: the components that the operator has marked, shown or not.
    """

    name: str | None = None
    moved_s: float = 0.0
    marked: set[str] = field(default_factory=set)

    def rests(self, now_s: float) -> bool:
        """Whether the operator has placed it not long ago, so that nothing may move under it."""
        return self.name is not None and now_s - self.moved_s < RESTS_FOR_S


def marked_note(cursor: Cursor) -> list[str]:
    """How many are marked, where any is."""
    return [f"{len(cursor.marked)} marked: actions apply to them, esc unmarks"] if cursor.marked else []


class Listing(ScrollView, can_focus=True):
    """A list of components, each `item_lines` high, in `columns` columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", show=False),
        Binding("down,j", "move(1, 0)", show=False),
        Binding("left", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "go(0)", show=False),
        Binding("end,G", "go(-1)", show=False),
    ]
    DEFAULT_CSS = "Listing { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }"

    class Moved(Message):
        """The operator moved the cursor."""

    class Opened(Message):
        """The operator opened the component under the cursor."""

    def __init__(self, cursor: Cursor, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._cursor = cursor
        self._scene = Scene()
        self._arrangement = Arrangement()
        self._places: dict[str, int] = {}
        self._cells = 1  # `line_cells`, asked for once for all the lines that are drawn in one go
        self._painted: dict[int, tuple[Row, bool]] = {}
        self._items: dict[tuple[str, bool, int], list[tuple[Line, str]]] = {}

    # What a kind of list must say of itself.

    @property
    def columns(self) -> int:
        """How many components stand side by side."""
        return 1

    @property
    def item_lines(self) -> int:
        """How many lines a component takes."""
        return 1

    def item(self, component: Component, *, selected: bool) -> list[tuple[Line, str]]:
        """The lines of one component, each with its ground."""
        raise NotImplementedError

    # What is shown.

    @property
    def _components(self) -> tuple[Component, ...]:
        return self._arrangement.components

    @property
    def line_cells(self) -> int:
        """How wide a line has to be."""
        return max(self.scrollable_content_region.width, 1)

    @property
    def index(self) -> int:
        """The place of the cursor, -1 where nothing is shown."""
        if not self._components:
            return -1
        return self._places.get(self._cursor.name or "", 0)

    @property
    def chosen(self) -> tuple[Component, ...]:
        """What an action applies to: the marked that are shown, else the one under the cursor."""
        marked = tuple(one for one in self._components if one.name in self._cursor.marked)
        return marked or ((self._components[self.index],) if self._components else ())

    def mark(self) -> None:
        """Marks the component under the cursor, or takes its mark away, and goes to the next."""
        if self.current is not None:
            self._cursor.marked ^= {self.current.name}
            self._items.clear()
            self._place(self.index + 1)

    def is_marked(self, component: Component) -> bool:
        """Whether `component` is marked."""
        return component.name in self._cursor.marked

    @property
    def current(self) -> Component | None:
        """The component under the cursor."""
        return self._components[self.index] if self._components else None

    def show(self, scene: Scene, arrangement: Arrangement) -> None:
        """Draws the components. The line under a placed cursor keeps its place on the screen."""
        height_in_sight = self.index // self.columns * self.item_lines - self.scroll_offset.y
        self._scene = scene
        self._items.clear()
        if arrangement is not self._arrangement:
            self._arrangement = arrangement
            self._places = {name: index for index, name in enumerate(arrangement.names)}
        if self._cursor.name is not None and self._cursor.name not in self._places:
            self._cursor.name = None
        rows = -(-len(self._components) // self.columns)
        self.virtual_size = Size(self.line_cells, rows * self.item_lines)
        if self._cursor.name is not None:
            self._scroll(self.index // self.columns * self.item_lines - height_in_sight)
        self.repaint_changes()

    def repaint_changes(self) -> None:
        """Repaints the lines in sight that differ from what was painted."""
        top = self.scroll_offset.y
        self._cells = self.line_cells
        for y in range(top, top + self.size.height):
            row, gone = self._row(y), not self._scene.live
            painted, was_gone = self._painted.get(y, (None, gone))
            if painted is None or gone is not was_gone:
                self.refresh_line(y)
            elif painted != row:
                start, width = changed_cells(painted, row)
                self.refresh(Region(start, y - top, width, 1))

    def render_line(self, y: int) -> Strip:
        """The line at `y` of what is in sight."""
        y += self.scroll_offset.y
        self._cells = self.line_cells
        row, gone = self._row(y), not self._scene.live
        if len(self._painted) > 4 * self.size.height + 64:
            self._painted.clear()
        self._painted[y] = (row, gone)
        return painter_of(self).row(row, self.size.width, gone=gone)

    def _row(self, y: int) -> Row:
        first, line = y // self.item_lines * self.columns, y % self.item_lines
        shown = self._components[first : first + self.columns]
        cursor = self.index
        row: list[tuple[Line, str]] = []
        for at, component in enumerate(shown):
            if at:
                row.append(_GAP)
            row.append(self._item(component, selected=first + at == cursor)[line])
        return tuple(row)

    def _item(self, component: Component, *, selected: bool) -> list[tuple[Line, str]]:
        key = (component.name, selected, self._cells)
        if key not in self._items:
            self._items[key] = self.item(component, selected=selected)
        return self._items[key]

    # Moving.

    def action_move(self, rows: int, columns: int) -> None:
        """Moves the cursor by rows or columns."""
        if columns and self.columns == 1:
            return
        self._place(self.index + rows * self.columns + columns)

    def action_page(self, pages: int) -> None:
        """Moves the cursor by a screenful."""
        rows = max(1, self.size.height // self.item_lines - 1)
        self._place(self.index + pages * rows * self.columns)

    def action_go(self, index: int) -> None:
        """Moves the cursor to the first or the last."""
        self._place(index if index >= 0 else len(self._components) + index)

    def on_click(self, event: events.Click) -> None:
        """Places the cursor; a double click opens."""
        row = (event.y + self.scroll_offset.y) // self.item_lines
        index = row * self.columns + min(event.x * self.columns // self.line_cells, self.columns - 1)
        if index < len(self._components):
            self._place(index)
            if event.chain > 1:
                self.post_message(self.Opened())

    def _place(self, index: int) -> None:
        if not self._components:
            return
        index = min(max(index, 0), len(self._components) - 1)
        self._cursor.name = self._components[index].name
        self.post_message(self.Moved())
        self._bring_into_sight(index)
        self.repaint_changes()

    def _bring_into_sight(self, index: int) -> None:
        top = index // self.columns * self.item_lines
        if top < self.scroll_offset.y:
            self._scroll(top)
        elif top + self.item_lines > self.scroll_offset.y + self.size.height:
            self._scroll(top + self.item_lines - self.size.height)

    def bring_cursor_into_sight(self) -> None:
        """Scrolls as little as needed to show the cursor."""
        if self._components:
            self._bring_into_sight(self.index)

    def _scroll(self, y: int) -> None:
        if y != self.scroll_offset.y:
            self.scroll_to(y=y, animate=False, immediate=True)
