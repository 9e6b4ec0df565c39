"""The key bar: the commands of the screen, drawn from the commands themselves. A click runs one."""

from collections.abc import Sequence

from textual import events
from textual.message import Message

from lifesign.tui.commands import Command
from lifesign.tui.drawing.glyphs import UNICODE, Glyphs
from lifesign.tui.drawing.help import further_key_spans, key_spans
from lifesign.tui.drawing.spans import Span, cut, width_of
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
        self._asked: tuple[Sequence[Command], int, Glyphs] = ((), 0, UNICODE)
        self._further: tuple[int, list[Span]] = (0, [])

    def show_commands(self, commands: Sequence[Command], glyphs: Glyphs) -> None:
        """Draws as many of `commands` as have room. It is asked to each second, and does it where they are others."""
        if self._asked == (commands, self.size.width, glyphs):
            return
        self._asked, self._further = (commands, self.size.width, glyphs), (0, [])
        placed = key_spans(commands, self.size.width, glyphs)
        self._places, end = [], 0
        for command, spans in placed:
            end += width_of(spans)
            self._places.append((end, command))
        self.show([cut([span for _, spans in placed for span in spans], self.size.width, glyphs)])

    def further(self, room: int) -> list[Span]:
        """What has no room here, as far as it fits into `room` cells."""
        if self._further[0] != room:
            commands, width, glyphs = self._asked
            shown = [command for _, command in self._places]
            self._further = room, further_key_spans(commands, shown, width, room, glyphs)
        return self._further[1]

    def on_click(self, event: events.Click) -> None:
        """Runs the command under the pointer."""
        for end, command in self._places:
            if event.x < end:
                self.post_message(self.Chosen(command))
                return
