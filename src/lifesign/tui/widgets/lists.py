"""The kinds of lists: table, incidents, panels. Not here: the cursor, and what is repainted (`listing`)."""

from lifesign.api.documents import Component
from lifesign.tui.drawing.card import CARD_LINES, MIN_CARD_CELLS, card_lines
from lifesign.tui.drawing.notices import INCIDENT_LINES, incident_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import Line
from lifesign.tui.drawing.table import Columns, table_line
from lifesign.tui.order import Arrangement
from lifesign.tui.widgets.listing import GAP_CELLS, Cursor, Listing


class TableList(Listing):
    """One line for each component."""

    def __init__(self, cursor: Cursor, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(cursor, id=id)
        self._measured: tuple[int, Arrangement] | None = None

    @property
    def widths(self) -> Columns:
        """The columns of the table, measured once for all lines."""
        return self._widths_in(self.line_cells)

    def _widths_in(self, cells: int) -> Columns:
        if self._measured is None or self._measured[0] != cells or self._measured[1] is not self._arrangement:
            self._measured = cells, self._arrangement
            self._widths = Columns.of(cells, self._arrangement.names)
        return self._widths

    def item(self, component: Component, *, selected: bool) -> list[tuple[Line, str]]:
        """The line of one component."""
        return [
            (
                table_line(component, self._scene, self._widths_in(self._cells), marked=self.is_marked(component)),
                "cursor" if selected else "plain",
            )
        ]


class IncidentList(Listing):
    """What is open, and what operators have done about it; a line of ground below each."""

    @property
    def item_lines(self) -> int:
        """The item, and the ground."""
        return INCIDENT_LINES + 1

    def item(self, component: Component, *, selected: bool) -> list[tuple[Line, str]]:
        """The lines of one."""
        width = self._cells
        ground = "cursor" if selected else "plain"
        lines = incident_lines(component, self._scene, width, marked=self.is_marked(component))
        return [(line, ground) for line in lines] + [(((" " * width, "text"),), "plain")]


def columns_in(cells: int) -> int:
    """How many panels stand side by side in so many cells."""
    return max(1, (cells + GAP_CELLS) // (MIN_CARD_CELLS + GAP_CELLS))


class PanelList(Listing):
    """A panel for each component, side by side where there is room."""

    _spacious = False

    @property
    def columns(self) -> int:
        """As many as have room for a whole panel."""
        return columns_in(self.line_cells)

    @property
    def item_lines(self) -> int:
        """The panel, and a line of ground below it."""
        return CARD_LINES + self._spacious + 1

    def show(self, scene: Scene, arrangement: Arrangement) -> None:
        """Each panel has a line more where there is room for that in all of them: it hangs on no word of theirs.

        Likewise where they scroll, and as many are seen whole with it as without.
        """
        rows, height = -(-len(arrangement.components) // self.columns), self.size.height
        slim, spacious = CARD_LINES + 1, CARD_LINES + 2
        whole = (height + 1) // spacious  # the line of ground below the last need not be seen
        self._spacious = rows * spacious <= height or (rows * slim > height and whole == (height + 1) // slim > 0)
        super().show(scene, arrangement)

    def item(self, component: Component, *, selected: bool) -> list[tuple[Line, str]]:
        """The lines of one panel."""
        width = (self._cells + GAP_CELLS) // columns_in(self._cells) - GAP_CELLS
        ground = "cursor" if selected else "card"
        lines = card_lines(component, self._scene, width, marked=self.is_marked(component), spacious=self._spacious)
        return [(line, ground) for line in lines] + [(((" " * width, "text"),), "plain")]
