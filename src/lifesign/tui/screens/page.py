"""What all screens share: header, status line, key bar, and one honest line where the terminal is too small."""

from typing import ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.scroll_view import ScrollView

from lifesign.api.documents import EventDocument
from lifesign.tui.commands import ACTING, PAGE, Command
from lifesign.tui.drawing.header import answer_lines, header_line, status_line
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import Line
from lifesign.tui.proposals import Proposal
from lifesign.tui.screens.console import Console
from lifesign.tui.widgets.keybar import KeyBar
from lifesign.tui.widgets.lines import Lines, PlainBars

LEAST_CELLS, LEAST_LINES = 60, 15
_MOST_ANSWER_LINES = 3


class Page(Screen[None]):
    """A screen of the console. It is told to `refresh_scene` once a second and whenever a document has come."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in PAGE]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = PAGE
    AUTO_FOCUS = "#body"
    _answer_lines = 0

    def compose(self) -> ComposeResult:
        """The frame, and between header and status line what the screen is for."""
        yield Lines(ground="bar", id="header")
        yield from self.body()
        yield Lines(id="answers")
        yield Lines(id="status")
        yield KeyBar()
        yield Lines(id="too-small")

    def body(self) -> ComposeResult:
        """The widgets of this screen."""
        raise NotImplementedError

    @property
    def console(self) -> Console:
        """The app."""
        return cast("Console", self.app)

    @property
    def command_set(self) -> tuple[Command, ...]:
        """The commands of this screen that this console has."""
        return self.console.commands_of(self.COMMAND_SET)

    def on_mount(self) -> None:
        """Draws as soon as the sizes are known."""
        if self.console.scene().glyphs.plain:
            for view in self.query(ScrollView):
                view.vertical_scrollbar.renderer = PlainBars  # type: ignore[misc]  # the instance alone
        self.query_one("#answers").display = False
        self.call_after_refresh(self.refresh_scene)

    def on_screen_resume(self) -> None:
        """A screen that was covered shows the present again."""
        self.call_after_refresh(self.refresh_scene)

    def on_resize(self, event: events.Resize) -> None:
        """Below the least size it says so, instead of showing half a truth."""
        small = event.size.width < LEAST_CELLS or event.size.height < LEAST_LINES
        self.set_class(small, "-small")
        words = f"lifesign needs {LEAST_CELLS}x{LEAST_LINES}, this is {event.size.width}x{event.size.height}"
        self.query_one("#too-small", Lines).show([((words, "warn"),)])
        self.call_after_refresh(self.refresh_scene)

    def refresh_scene(self) -> None:
        """Draws the present."""
        if not self.query("#header") or self.size.width == 0:  # a timer may come before the first layout
            return
        scene = self.console.scene()
        width = self.size.width
        self.draw(scene)
        self.query_one("#header", Lines).show([self.header(scene, width)])
        shown, notes = self.summary()
        shown = ", ".join(filter(None, (shown, "read-only" if self.console.read_only else "")))
        notes = [*_in_hand(self.console.in_hand), *notes]
        bar = self.query_one(KeyBar)
        bar.show_commands(self.command_set, scene.glyphs)
        self.query_one("#status", Lines).show([status_line(scene, shown, notes, width, bar.further)])
        self._answer(scene, width)

    def _answer(self, scene: Scene, width: int) -> None:
        """Gives the answers lines of their own, so that they cover nothing."""
        lines = answer_lines(self.console.answers, width, scene.glyphs, _MOST_ANSWER_LINES)
        answers = self.query_one("#answers", Lines)
        if len(lines) != self._answer_lines:
            self._answer_lines = len(lines)
            answers.styles.height = len(lines)
            answers.display = bool(lines)
        answers.show(lines)

    def draw(self, scene: Scene) -> None:
        """Draws the body."""
        raise NotImplementedError

    def header(self, scene: Scene, width: int) -> Line:
        """The first line of all."""
        return header_line(scene, width)

    def summary(self) -> tuple[str, list[str]]:
        """What stands on the right of the status line, and what is worth a note on its left."""
        return "", []

    def receive_events(self, events_read: tuple[EventDocument, ...], following: str | None, problem: str) -> None:
        """History has come; a screen that asked for none ignores it."""

    async def on_key_bar_chosen(self, message: KeyBar.Chosen) -> None:
        """Runs the command that was clicked."""
        await self.run_action(message.command.action)

    def run_on(self, proposal: Proposal) -> None:
        """Runs what the palette proposed on one component."""
        component = self.console.scene().snapshot.component(proposal.component)
        action = proposal.command.action
        if component is None:
            self.console.tell(f"{proposal.component} is no longer watched", "warning")
        elif action == "probe":
            self.console.probe((component.name,))
        elif action == "log":
            self.console.open_log(component)
        elif action == "open" or not self.console.operations.run(
            action, component, proposal.duration, proposal.reason, self.console.open
        ):
            self.console.open(component.name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A read-only console has no binding that acts."""
        if action in ACTING and self.console.read_only:
            return False
        return super().check_action(action, parameters)

    async def action_incidents(self) -> None:
        """Goes to the incidents, whatever lies above the main screen."""
        await self.app.pop_screen()
        await self.app.run_action("screen.incidents")

    async def action_silences(self) -> None:
        """Goes to what is silenced or held, whatever lies above the main screen."""
        await self.app.pop_screen()
        await self.app.run_action("screen.silences")

    async def action_events(self) -> None:
        """Goes to the history, whatever lies above the main screen."""
        await self.app.pop_screen()
        await self.app.run_action("screen.events")

    async def action_view(self, view: str) -> None:
        """Goes back to the panels or the table, whatever lies above them."""
        await self.app.pop_screen()
        await self.app.run_action(f"screen.view('{view}')")

    def action_back(self) -> None:
        """Leaves this screen."""
        if not self.console.thaw():
            self.app.pop_screen()


def _in_hand(asked: list[tuple[str, ...]]) -> list[str]:
    """What is being checked at this moment."""
    names = [name for some in asked for name in some]
    return [f"checking {names[0] if len(names) == 1 else f'{len(names)} components'}"] if names else []
