"""Input lines. What is pasted into one is outside text like any other."""

from textual.binding import Binding
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
    """The filter of a list."""

    BINDINGS = [Binding("escape", "screen.back", show=False)]  # noqa: RUF012 - Textual's own declaration
