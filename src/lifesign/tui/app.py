"""The app: it routes. Documents go to the screen on top, commands to their actions, signals to the exit.

It knows no widget but the screens, and decides nothing about what is watched.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, cast

from rich.text import Text
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.message import Message

from lifesign.api.documents import Component
from lifesign.api.past import Step
from lifesign.tui.answers import Answers
from lifesign.tui.commands import Command, available, complaints
from lifesign.tui.deeds import Deed
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.dressing import DressedApp
from lifesign.tui.ending import Ending
from lifesign.tui.errands import Errands
from lifesign.tui.export import export_state
from lifesign.tui.feed import Acted, EventsRead, Feed, Looking, Polled, Probed, Recalled
from lifesign.tui.finding import Finding
from lifesign.tui.memory import Memory
from lifesign.tui.news import fault_line, log_files, newly_down, title_of
from lifesign.tui.options import Options
from lifesign.tui.screens.component import ComponentScreen
from lifesign.tui.screens.console import Answer
from lifesign.tui.screens.dialog import Dialog
from lifesign.tui.screens.help import HelpScreen
from lifesign.tui.screens.log import LogScreen
from lifesign.tui.screens.main import MainScreen
from lifesign.tui.screens.operations import Operations
from lifesign.tui.screens.page import Page
from lifesign.tui.snapshot import Reading, Snapshot
from lifesign.tui.source import StateSource
from lifesign.tui.terminal import Title
from lifesign.tui.travel import Moment


class ConsoleApp(DressedApp):
    """The terminal console on one daemon."""

    TITLE = "lifesign"
    CSS_PATH = "console.tcss"
    COMMANDS: ClassVar[set[Any]] = {Finding}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", show=False, priority=True, id="console.interrupt"),
    ]

    def __init__(
        self,
        connect: Callable[[float], StateSource],
        options: Options,
        clock: Callable[[], float] = time.monotonic,
        ending: Ending | None = None,
        ahead: Callable[[], Reading | None] = lambda: None,
    ) -> None:
        super().__init__(options)
        self.snapshot = Snapshot(archived=options.archived)
        self._clock = clock
        self._ending = ending
        self._feed = Feed(connect, self.post_message, clock, options.author, ahead)
        self._errands = Errands(self._feed, self.tell, self._show)
        self._title = Title()
        self._memory = Memory()
        self._bell = options.bell
        self._answers = Answers()
        self._frozen: Scene | None = None
        self._available: dict[tuple[Command, ...], tuple[Command, ...]] = {}
        self.operations = Operations(self.act, self.tell, self.push_screen, self.scene)

    def action_command_palette(self) -> None:
        """Textual's, which says what can be typed."""
        if not CommandPalette.is_open(cast("App[object]", self)):
            words = "a command, or: restart worker · silence feed 30m why"
            self.push_screen(CommandPalette(placeholder=words, id="--command-palette"))

    @property
    def read_only(self) -> bool:
        """Whether this console asks the daemon for nothing."""
        return self._options.read_only

    @property
    def in_hand(self) -> list[tuple[str, ...]]:
        """What is being checked at this moment."""
        return self._errands.in_hand

    @property
    def answers(self) -> list[tuple[str, str]]:
        """What is said to the operator at this moment, with its role."""
        return self._answers.current(self._clock())

    def scene(self) -> Scene:
        """What is known at this moment, or at that at which the operator froze the display."""
        if self._frozen is not None:
            return replace(self._frozen, frozen_for_s=self._clock() - self._frozen.now_s)
        return Scene(self.snapshot, self._clock(), self._options.glyphs, memory=self._memory)

    def commands_of(self, commands: tuple[Command, ...]) -> tuple[Command, ...]:
        """The commands that this console has."""
        if commands not in self._available:
            options = self._options
            self._available[commands] = available(commands, read_only=options.read_only, keys=options.keys)
        return self._available[commands]

    def on_mount(self) -> None:
        """Signals end the app properly; then the first screen, the feed and the one tick."""
        self.follow_themes()
        if self._ending is not None:
            self._ending.begin(partial(asyncio.get_running_loop().call_soon_threadsafe, self.exit, 0))
        self.set_keymap(dict(self._options.keys))
        self.push_screen(MainScreen())
        self._feed.start()
        self.set_interval(1.0, self._second)
        for note in (*self._options.notes, *self._options.themes.problems):
            self.tell(note, severity="warning")
        for complaint in complaints(self._options.keys):
            self.tell(complaint, severity="warning")

    def on_unmount(self) -> None:
        """The threads end after their request in flight."""
        self._feed.stop()

    def _second(self) -> None:
        if not self._feed.poll_if_due():
            self._tick()

    def _tick(self) -> None:
        self.renew_themes()
        self._show()

    @property
    def _page(self) -> Page | None:
        """The topmost screen of ours, be the palette open above it or not; none while the app begins or ends."""
        stack = self.screen_stack if self.is_running else []
        return next((screen for screen in reversed(stack) if isinstance(screen, Page)), None)

    def _show(self) -> None:
        if (page := self._page) is not None:
            page.refresh_scene()
        if self.is_running and isinstance(self.screen, Dialog):
            self.screen.renew()

    def on_polled(self, message: Polled) -> None:
        """A poll was answered, or failed."""
        before, self.snapshot = self.snapshot, self.snapshot.after(message.reading)
        if message.reading.state is not None:
            self._memory.take(message.reading.state)
            if self._options.recalls and before.state is None:
                self._feed.recall(message.reading.state)
        if self._bell and newly_down(before, self.snapshot):
            self.bell()
        if self._options.title and self._driver is not None and not self.is_headless:
            self._title.tell(title_of(self.snapshot, self._clock()), self._driver.write)
        self._show()
        if not gc.isenabled():
            self.call_after_refresh(_collect_again)

    def on_recalled(self, message: Recalled) -> None:
        """What was before the console was opened."""
        self._memory.recall(message.verdicts)
        self._show()

    def on_probed(self, message: Probed) -> None:
        """What the operator wanted checked is."""
        self._errands.probed(message)

    def on_acted(self, message: Acted) -> None:
        """What the operator asked for is done, or refused."""
        self._errands.acted(message)

    def on_events_read(self, message: EventsRead) -> None:
        """History for the screen that asked."""
        if (page := self._page) is not None:
            page.receive_events(message.events, message.following, message.problem)
            page.refresh_scene()

    def probe(self, names: tuple[str, ...]) -> None:
        """Checks these components now."""
        if not self.read_only:
            self._errands.probe(names)

    def open(self, component: str) -> None:
        """Shows everything known of a component."""
        self.push_screen(ComponentScreen(component))

    def open_log(self, component: Component) -> None:
        """Shows the tail of the files that its checks read, where they are files of this machine."""
        files, problem = log_files(component, self.snapshot, local=self._options.local)
        if files:
            self.push_screen(LogScreen(component.name, files))
        else:
            self.tell(problem, severity="warning")

    def act(self, deed: Deed) -> None:
        """Does what the operator has confirmed."""
        if not self.read_only:
            self._errands.act(deed)

    def look_back(self, look: Looking[Moment], step: Step, deliver: Callable[[Message], object]) -> bool:
        """Asks how it was."""
        return self._feed.look_back(look, step, deliver)

    def ask_aside(self, call: Callable[[StateSource], Answer], done: Callable[[Answer | None, str], object]) -> bool:
        """Asks for what may take long."""
        return self._feed.ask_aside(call, done)

    def read_events(self, since: str | None) -> bool:
        """Asks for the history."""
        return self._feed.read_events(since)

    def action_help(self) -> None:
        """Explains the commands of the screen on top."""
        if (page := self._page) is not None and not isinstance(page, HelpScreen):
            self.push_screen(HelpScreen(page.command_set))

    def action_freeze(self) -> None:
        """Freezes the display, or goes on; what is collected is collected all the same."""
        if not self.thaw():
            self._frozen = self.scene()
            self._show()

    def thaw(self) -> bool:
        """Shows the present again, where the display was frozen; whether it was."""
        was, self._frozen = self._frozen is not None, None
        if was:
            self._show()
        return was

    def action_toggle_bell(self) -> None:
        """Rings when a component goes down, or never."""
        self._bell = not self._bell
        self.tell("the bell rings when a component goes down" if self._bell else "the bell is off")

    def action_export(self) -> None:
        """Writes the state shown to a file."""
        told, done = export_state(self, self.snapshot)
        self.tell(told, severity="information" if done else "error")

    def tell(self, text: str, severity: str = "information") -> None:
        """An answer to the operator's own action."""
        self._answers.say(text, severity, self._clock())
        self._show()

    def _fatal_error(self) -> None:
        """One line on a fault of our own: Textual's crash screen prints local variables, which hold data."""
        self._exit_renderables.append(Text(fault_line(self._exception)))
        self._close_messages_no_wait()


def _collect_again() -> None:
    """The first picture stands (`run`). What was imported for it is never looked through again."""
    gc.freeze()
    gc.enable()
