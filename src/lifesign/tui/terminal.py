"""The terminal around the app: its title, whether it is still there, and the signals that end us properly."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from lifesign.text import clean


def is_gone() -> bool:
    """Whether the terminal is gone: with SIGHUP ignored nobody else would tell us."""
    return not os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0)


def end_on_signals(end: Callable[[], object]) -> None:
    """SIGTERM, SIGHUP and SIGINT end the app, which leaves the terminal as it was. On the running loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, end)


class Title:
    """The terminal's title, written only when it changes."""

    def __init__(self) -> None:
        self._told = ""

    def tell(self, title: str, write: Callable[[str], object]) -> None:
        """Writes `title`, unless it stands there."""
        if title != self._told:
            self._told = title
            write(f"\x1b]2;{clean(title, 60)}\x07")
