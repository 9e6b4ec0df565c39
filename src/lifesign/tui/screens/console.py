"""What a screen needs of the app, and all that it knows of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from textual.message import Message

from lifesign.api.documents import Component
from lifesign.api.past import Step
from lifesign.tui.commands import Command
from lifesign.tui.deeds import Deed
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.feed import Looking
from lifesign.tui.source import StateSource
from lifesign.tui.travel import Moment

Answer = TypeVar("Answer")

if TYPE_CHECKING:
    from lifesign.tui.screens.operations import Operations


class Console(Protocol):
    """The app, as its screens see it."""

    read_only: bool
    in_hand: list[tuple[str, ...]]
    answers: list[tuple[str, str]]
    operations: "Operations"

    def scene(self) -> Scene:
        """This moment."""
        ...

    def commands_of(self, commands: tuple[Command, ...]) -> tuple[Command, ...]:
        """The commands that this console has."""
        ...

    def probe(self, names: tuple[str, ...]) -> None:
        """Checks these components now."""
        ...

    def act(self, deed: Deed) -> None:
        """Does what the operator has confirmed."""
        ...

    def tell(self, text: str, severity: str = "information") -> None:
        """A toast: an answer to the operator."""
        ...

    def keep_theme(self, name: str) -> None:
        """Stays with the theme `name`, in the next console too."""
        ...

    def open(self, component: str) -> None:
        """Shows everything known of a component."""
        ...

    def open_log(self, component: Component) -> None:
        """Shows the tail of the files that a component's checks read."""
        ...

    def thaw(self) -> bool:
        """Shows the present again, where the display was frozen; whether it was."""
        ...

    def look_back(self, look: Looking[Moment], step: Step, deliver: Callable[[Message], object]) -> bool:
        """Asks by `look` how it was; `deliver` takes the PastRead."""
        ...

    def ask_aside(self, call: Callable[[StateSource], Answer], done: Callable[[Answer | None, str], object]) -> bool:
        """Asks for what may take long; `done` is called in another thread, with the answer, or None and why."""
        ...

    def read_events(self, since: str | None) -> bool:
        """Asks for the history."""
        ...
