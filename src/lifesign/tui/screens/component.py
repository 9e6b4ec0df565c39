"""One component in full, as it is now or as it stood at one of its past changes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from lifesign.api.documents import Component
from lifesign.text import format_timestamp
from lifesign.tui.commands import ACTING, BACK, DETAIL, EARLIER, LATER, Command
from lifesign.tui.drawing.detail import detail_lines
from lifesign.tui.drawing.past import past_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import cut, safe
from lifesign.tui.feed import PastRead
from lifesign.tui.proposals import Proposal
from lifesign.tui.screens.operating import Operating
from lifesign.tui.travel import Travel
from lifesign.tui.widgets.lines import Pageful

_ONLY_NOW = (*ACTING, "log")


class ComponentScreen(Operating):
    """Everything the state document holds of one component, kept up to date; and the past, where it is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in DETAIL]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = DETAIL

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component
        self._travel = Travel()

    def body(self) -> ComposeResult:
        """One page."""
        yield Pageful(id="body")

    @property
    def command_set(self) -> tuple[Command, ...]:
        """In the past, those that mean something there."""
        commands = super().command_set
        if self._travel.moment is None:
            return commands
        back = (replace(command, rank=8) if command.id == LATER.id else command for command in commands)
        return tuple(command for command in back if command.action not in _ONLY_NOW)

    def draw(self, scene: Scene) -> None:
        """The component as it is now or was then, or that it is gone."""
        page = self.query_one("#body", Pageful)
        component = scene.snapshot.component(self._component)
        if component is None:
            words = f" {safe(self._component, scene.glyphs, 60)} is no longer watched"
            page.show([cut([(words, "warn")], page.line_cells, scene.glyphs)])
        elif self._travel.moment is not None:
            page.show(past_lines(component, self._travel.moment, scene, page.line_cells, self._keys(scene)))
        else:
            page.show(detail_lines(component, scene, page.line_cells), gone=not scene.live)

    def _keys(self, scene: Scene) -> tuple[str, str, str]:
        spelled = {one.id: one.spelled_keys(plain=scene.glyphs.plain) for one in super().command_set}
        return spelled[EARLIER.id], spelled[LATER.id], spelled[BACK.id]

    def summary(self) -> tuple[str, list[str]]:
        """Where in time this is."""
        looking = ["looking back"] if self._travel.asked is not None else []
        return ("the past" if self._travel.moment is not None else ""), looking

    def subjects(self) -> Sequence[Component]:
        """The component as it is now. Nothing can be done to the past."""
        if self._is_past():
            return ()
        component = self.console.scene().snapshot.component(self._component)
        return () if component is None else (component,)

    def _is_past(self) -> bool:
        """Whether this is the past, which it then says."""
        if self._travel.moment is not None:
            back = self._keys(self.console.scene())[2]
            self.console.tell(f"this is the past, in which nothing can be done; {back} goes back to now", "warning")
        return self._travel.moment is not None

    def run_on(self, proposal: Proposal) -> None:
        """Runs what the palette proposed, unless this is the past."""
        if proposal.command.action not in _ONLY_NOW or not self._is_past():
            super().run_on(proposal)

    def action_travel(self, by: int) -> None:
        """A change earlier or later; past the newest one is the present."""
        if by > 0 and self._travel.moment is None and self._travel.asked is None:
            self.console.tell("this is now", "warning")
            return
        self._travel.press(by)
        self._ask()

    def _ask(self) -> None:
        scene = self.console.scene()
        step = self._travel.next_step(format_timestamp(scene.snapshot.now_ns(scene.now_s)))
        if step is not None and not self.console.read_past(self._component, step, self.post_message):
            self._travel.leave()
            self.console.tell("too much is asked already", "warning")
        self.refresh_scene()

    def on_past_read(self, message: PastRead) -> None:
        """How it stood, or why nobody can tell."""
        if not self._travel.arrive(message.step, message.past):
            return
        if message.problem:
            self.console.tell(message.problem, "warning")
        elif message.past is not None and message.past.moment is None:
            self.console.tell("back at now" if message.step.later else "no earlier change of it is kept")
        self._ask()

    def action_back(self) -> None:
        """Back to the present, or leaves."""
        if self._travel.leave():
            self.refresh_scene()
        else:
            super().action_back()
