"""The key bar: the commands of the screen, drawn from the commands themselves. A click runs one."""

from collections.abc import Sequence

from textual import events
from textual.message import Message

from lifesign.tui.commands import Command
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.help import key_spans
from lifesign.tui.drawing.spans import cut, width_of
from lifesign.tui.widgets.lines import Lines


class KeyBar(Lines):
    """One line of keys. Textual's own Footer leaks when bindings are refreshed often."""

    class Chosen(Message):
        """The operator clicked on a command."""

        def __init__(self, command: Command) -> None:
            super().__init__()
            self.command = command

    def __init__(self) -> None:
        super().__init__(ground="bar", id="keys")
        self._places: list[tuple[int, Command]] = []

    def show_commands(self, commands: Sequence[Command], glyphs: Glyphs) -> None:
        """Draws as many of `commands` as have room."""
        placed = key_spans(commands, self.size.width, glyphs)
        self._places, end = [], 0
        for command, spans in placed:
            end += width_of(spans)
            self._places.append((end, command))
        self.show([cut([span for _, spans in placed for span in spans], self.size.width, glyphs)])

    @property
    def commands(self) -> tuple[Command, ...]:
        """Those that have room."""
        return tuple(command for _, command in self._places)

    def on_click(self, event: events.Click) -> None:
        """Runs the command under the pointer."""
        for end, command in self._places:
            if event.x < end:
                self.post_message(self.Chosen(command))
                return
