"""The app as far as it spares its terminal: it writes only what does not stand there already (`shown`)."""

from dataclasses import replace
from typing import ClassVar

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from lifesign.tui.commands import REDRAW
from lifesign.tui.shown import Shown


class SparingApp(App[int]):
    """An app for a terminal at the far end of a slow line."""

    BINDINGS: ClassVar[list[BindingType]] = [replace(REDRAW.binding(), priority=True)]  # above dialogs too

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._shown = Shown()

    def on_mount(self) -> None:
        """Called by Textual beside the `on_mount` of every class that inherits from this one."""
        self.app_resume_signal.subscribe(self, lambda _: self.action_write_anew())

    def action_write_anew(self) -> None:
        """Another program has had the terminal, or has written over it."""
        self._shown.forget()
        self.screen.refresh()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Called by Textual with all that it has to write."""
        if isinstance(renderable, CompositorUpdate):
            renderable = self._shown.still_to_write(renderable)
        super()._display(screen, renderable)
