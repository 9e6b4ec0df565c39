"""The help page, made of the commands that the screen below it has."""

from textual.app import ComposeResult

from lifesign.tui.commands import Command
from lifesign.tui.drawing.help import help_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.screens.page import Page
from lifesign.tui.widgets.lines import Pageful


class HelpScreen(Page):
    """Keys, states and layers."""

    def __init__(self, explained: tuple[Command, ...]) -> None:
        super().__init__()
        self._explained = explained

    def body(self) -> ComposeResult:
        """One page."""
        yield Pageful(id="body")

    def draw(self, scene: Scene) -> None:
        """The page; it changes with the width alone."""
        page = self.query_one("#body", Pageful)
        page.show(help_lines(self._explained, page.line_cells, scene.glyphs))
