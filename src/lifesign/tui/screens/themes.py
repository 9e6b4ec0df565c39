"""The theme picker: each theme is tried on as the cursor reaches it; enter keeps it, escape takes the old one back."""

from collections.abc import Sequence
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from lifesign.tui.drawing.spans import Line, cut, safe
from lifesign.tui.screens.console import Console
from lifesign.tui.widgets.lines import Lines

_CELLS = 26


class ThemePicker(ModalScreen[None]):
    """A narrow list at the right, so that what it changes stays in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k,left", "step(-1)", show=False),
        Binding("down,j,right,t", "step(1)", show=False),
        Binding("enter,space", "keep", show=False),
        Binding("escape,q", "restore", show=False),
    ]

    def __init__(self, names: Sequence[str], current: str) -> None:
        super().__init__()
        self._names = tuple(names)
        self._before = current
        self._at = self._names.index(current) if current in self._names else 0

    def compose(self) -> ComposeResult:
        """A box."""
        with Vertical(id="themes"):
            yield Lines(ground="bar", id="theme-list")

    def on_mount(self) -> None:
        """Draws the list."""
        glyphs = cast("Console", self.app).scene().glyphs
        self.set_class(glyphs.plain, "-plain")
        self.query_one("#theme-list").styles.height = len(self._names) + 3
        self._draw()

    def _draw(self) -> None:
        glyphs = cast("Console", self.app).scene().glyphs
        lines: list[Line] = [cut([(" theme", "strong")], _CELLS, glyphs)]
        for at, name in enumerate(self._names):
            sign, role = (glyphs.arrow, "accent") if at == self._at else (" " * len(glyphs.arrow), "text")
            lines.append(cut([(f" {sign} {safe(name, glyphs, _CELLS)}", role)], _CELLS, glyphs))
        lines += [cut([], _CELLS, glyphs), cut([(" enter keeps, esc undoes", "muted")], _CELLS, glyphs)]
        self.query_one("#theme-list", Lines).show(lines)

    def action_step(self, by: int) -> None:
        """Tries the next on."""
        self._at = (self._at + by) % len(self._names)
        self.app.theme = self._names[self._at]
        self._draw()

    def action_keep(self) -> None:
        """Keeps what is shown."""
        self.dismiss()
        cast("Console", self.app).keep_theme(self._names[self._at])

    def action_restore(self) -> None:
        """Takes back what was there before."""
        self.app.theme = self._before
        self.dismiss()
