"""A page on which `[` and `]` step through the past. In the past nothing can be done, and it says so."""

from dataclasses import replace
from typing import Generic

from lifesign.text import format_timestamp
from lifesign.tui.commands import ACTING, BACK, EARLIER, LATER, Command
from lifesign.tui.drawing.past import Ways, banner
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import Line
from lifesign.tui.feed import Looking, PastRead
from lifesign.tui.proposals import Proposal
from lifesign.tui.screens.operating import Operating
from lifesign.tui.travel import Moment, Travel

_ONLY_NOW = (*ACTING, "log")
_NO_KEYS_THEN = (*_ONLY_NOW, "mark", "open")


class Travelling(Operating, Generic[Moment]):
    """`travel`: where it stands. While that is the present, nothing is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.travel: Travel[Moment] = Travel()

    def looking(self) -> Looking[Moment]:
        """How a moment is asked for."""
        raise NotImplementedError

    @property
    def command_set(self) -> tuple[Command, ...]:
        """In the past, those that mean something there."""
        commands = super().command_set
        if self.travel.moment is None:
            return commands
        back = (replace(command, rank=8) if command.id == LATER.id else command for command in commands)
        return tuple(command for command in back if command.action not in _NO_KEYS_THEN)

    def ways(self, scene: Scene) -> Ways:
        """The keys to elsewhere in time, as this console has them."""
        spelled = {one.id: one.spelled_keys(plain=scene.glyphs.plain) for one in super().command_set}
        return Ways(spelled[EARLIER.id], spelled[LATER.id], spelled[BACK.id])

    def is_past(self) -> bool:
        """Whether this is the past, which it then says."""
        if self.travel.moment is not None:
            back = self.ways(self.console.scene()).back
            self.console.tell(f"nothing can be done in the past; {back} goes back to now", "warning")
        return self.travel.moment is not None

    def header(self, scene: Scene, width: int) -> Line:
        """That this is the past, where it is: it stays in sight however far the page is scrolled."""
        moment = self.travel.moment
        return super().header(scene, width) if moment is None else banner(moment.at, scene, width)

    def summary(self) -> tuple[str, list[str]]:
        """Where in time this is."""
        looking = ["looking back"] if self.travel.asked is not None else []
        return ("the past" if self.travel.moment is not None else ""), looking

    def run_on(self, proposal: Proposal) -> None:
        """Runs what the palette proposed, unless this is the past."""
        if proposal.command.action not in _ONLY_NOW or not self.is_past():
            super().run_on(proposal)

    def action_travel(self, by: int) -> None:
        """A change earlier or later; past the newest one is the present."""
        if by > 0 and self.travel.moment is None and self.travel.asked is None:
            self.console.tell("this is now", "warning")
            return
        self.travel.press(by)
        self._ask()

    def _ask(self) -> None:
        scene = self.console.scene()
        step = self.travel.next_step(format_timestamp(scene.snapshot.now_ns(scene.now_s)))
        if step is not None and not self.console.look_back(self.looking(), step, self.post_message):
            self.travel.leave()
            self.console.tell("too much is asked already", "warning")
        self.refresh_scene()

    def on_past_read(self, message: PastRead[Moment]) -> None:
        """How it was, or why nobody can tell."""
        if message.step is not self.travel.asked:  # nobody waits for it any more
            return
        self.travel.arrive(message.moment, told=not message.problem)
        if message.problem:
            self.console.tell(message.problem, "warning")
        elif message.moment is None:
            self.console.tell("back at now" if message.step.later else "no earlier change is kept")
        self._ask()

    def action_back(self) -> None:
        """Back to the present, or what it otherwise does."""
        if self.travel.leave():
            self.refresh_scene()
        else:
            super().action_back()
