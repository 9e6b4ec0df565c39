"""Input lines. What is pasted into one is outside text like any other."""

from collections.abc import Callable

from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Input

from lifesign.text import clean

_MOST_CHARACTERS = 120


class OneLine(Input):
    """One line that holds no character that could steer the terminal."""

    def validate_value(self, value: str) -> str:
        """Called by Textual with every new value, before it is drawn."""
        edge = " " if value.endswith(" ") else ""
        return (clean(value, _MOST_CHARACTERS).replace("\ufffd", "") + edge).lstrip()


class FilterInput(OneLine):
    """The line that a page opens to filter or to search. Whoever leaves it goes back to what `beside()` gives."""

    BINDINGS = [Binding("escape", "screen.back", show=False)]  # noqa: RUF012 - Textual's own declaration

    def __init__(self, beside: Callable[[], Widget], placeholder: str) -> None:
        super().__init__(placeholder=placeholder, id="filter")
        self._beside = beside
        self.display = False

    @property
    def is_open(self) -> bool:
        """Whether it takes letters."""
        return bool(self.display)

    def open(self) -> None:
        """Takes letters from now on."""
        self.display = True
        self.focus()

    def close(self) -> None:
        """Takes none any more; what was typed stays."""
        self.display = False
        self._beside().focus()

    def clear_and_close(self) -> bool:
        """Forgets what was typed; whether there was anything, or it was open."""
        was = self.is_open or bool(self.value)
        if was:
            self.value = ""
            self.close()
        return was

    def on_input_submitted(self) -> None:
        """Enter leaves it; the page hears of it too."""
        self.close()
