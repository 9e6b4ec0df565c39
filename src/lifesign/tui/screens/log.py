"""The files that a component writes, as they grow: its logs and heartbeats, one at a time, with search."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from lifesign.tui.commands import LOG_PAGE, Command
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import Span, justified, safe
from lifesign.tui.screens.page import Page
from lifesign.tui.tailing import Tailing, TailRead
from lifesign.tui.widgets.filter import FilterInput
from lifesign.tui.widgets.lines import Lines
from lifesign.tui.widgets.logview import LogView


class LogScreen(Page):
    """`files`: the name of each check that reads a file, and the file."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in LOG_PAGE]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = LOG_PAGE

    class Read(Message):
        """Lines have been read."""

        def __init__(self, read: TailRead) -> None:
            super().__init__()
            self.read = read

    def __init__(self, component: str, files: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._component = component
        self._files = files
        self._at = 0
        self._wanted = self._whither = ""
        self._newest: TailRead | None = None
        self._tailing = self._reader()

    def _reader(self) -> Tailing:
        return Tailing(Path(self._files[self._at][1]), lambda read: self.post_message(self.Read(read)))

    def body(self) -> ComposeResult:
        """The file's name, its lines, and the search."""
        yield Lines(id="file")
        yield LogView(self._want, self.console.scene().glyphs, id="body")
        yield FilterInput(lambda: self.query_one("#body"), "text to look for, older lines first; n older, N newer")

    def on_mount(self) -> None:
        """Begins to read."""
        super().on_mount()
        self._tailing.start()

    def on_unmount(self) -> None:
        """Ends reading."""
        self._tailing.stop()

    def _want(self, first: int, count: int) -> None:
        self._tailing.want(first, count)

    def on_log_screen_read(self, message: "LogScreen.Read") -> None:
        """Draws what was read, unless it is of a file that was left."""
        read = message.read
        if str(read.path) != self._files[self._at][1]:
            return
        before, self._newest = self._newest, read
        self.query_one("#body", LogView).take(read)
        if read.found == -1:
            self.console.tell(f"no {self._whither}line contains {self._wanted}", "warning")
        if before is None or (before.count, before.note) != (read.count, read.note) or read.found is not None:
            self.refresh_scene()

    def draw(self, scene: Scene) -> None:
        """The file's name, and what is wrong with it."""
        check, path = self._files[self._at]
        note = safe(self._newest.note, scene.glyphs, 120) if self._newest is not None else ""
        spans = [
            (f" {safe(self._component, scene.glyphs, 60)}", "strong"),
            (f"  {safe(check, scene.glyphs, 60)}  {safe(path, scene.glyphs, 300)}", "muted"),
        ]
        wrong: list[Span] = [(f"  {note} ", "warn")] if note else []  # a long path is cut, and not this
        self.query_one("#file", Lines).show([justified(spans, wrong, self.size.width, scene.glyphs)])

    def summary(self) -> tuple[str, list[str]]:
        """How many lines, and whether the end is followed."""
        view = self.query_one("#body", LogView)
        count = self._newest.count if self._newest is not None else 0
        notes = [] if view.follows else ["not at the end; G follows it again"]
        if len(self._files) > 1:
            notes.append(f"file {self._at + 1} of {len(self._files)}, l shows the next")
        return f"{count} line{'' if count == 1 else 's'}", notes

    def action_log(self) -> None:
        """The next file."""
        if len(self._files) > 1:
            self._tailing.stop()
            self._at, self._newest = (self._at + 1) % len(self._files), None
            self._tailing = self._reader()
            self._tailing.start()
            self.refresh_scene()

    def action_search(self) -> None:
        """Opens the search."""
        self.query_one(FilterInput).open()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Looks for it, the newest first."""
        self._wanted = event.value.strip()
        if self._wanted:
            self._whither = ""
            self._tailing.search(self._wanted, None, -1)

    def action_find(self, step: int) -> None:
        """The next match, older or newer."""
        found = self.query_one("#body", LogView).found
        if not self._wanted:
            self.action_search()
        else:
            self._whither = "" if found < 0 else "older " if step < 0 else "newer "
            self._tailing.search(self._wanted, None if found < 0 else found + step, step)

    def action_back(self) -> None:
        """Closes the search, or leaves."""
        line = self.query_one(FilterInput)
        if line.is_open:
            line.close()
        else:
            super().action_back()
