"""The terminal's title. Not here: how the console ends with its terminal (`tui.ending`)."""

from collections.abc import Callable

from lifesign.text import clean


class Title:
    """The terminal's title, written only when it changes."""

    def __init__(self) -> None:
        self._told = ""

    def tell(self, title: str, write: Callable[[str], object]) -> None:
        """Writes `title`, unless it stands there."""
        if title != self._told:
            self._told = title
            write(f"\x1b]2;{clean(title, 60)}\x07")
