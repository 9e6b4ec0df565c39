"""How the console ends, whatever its terminal does: from beside Textual's loop, which a terminal may block for good.

A terminal whose output is stopped (Ctrl-S) or that is gone lets Textual's queue of writes run full, and then nothing on
the loop runs any more, the end included. So a thread of its own watches for both. Not here: what is shown.
"""

import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

_LOOK_EVERY_S = 0.5
RESUME_AFTER_S = 2.0  # the app has so long to end by itself; then output that was stopped is let go
FORCE_AFTER_S = 8.0  # and so long in all; then the process ends, and the terminal is put right as far as it can be
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_SANE = "\x1b[?1049l\x1b[?25h" + "".join(f"\x1b[?{mode}l" for mode in (1000, 1003, 1006, 1015, 2004)) + "\x1b[<u"


class Ending:
    """Made on the main thread before the terminal is drawn on, and `over` once it no longer is."""

    def __init__(self) -> None:
        self._input = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._discipline = _discipline_of(self._input)
        self._before: dict[signal.Signals, Any] = {}
        self._over = threading.Event()
        self._asked_s: float | None = None
        self._leave: Callable[[], object] = lambda: None

    def begin(self, leave: Callable[[], object]) -> None:
        """From now on a signal, or the terminal's going away, calls `leave`, from any thread; that is seen through."""
        self._leave = leave
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._signalled)
        threading.Thread(target=self._watch, name="lifesign-ending", daemon=True).start()

    def over(self) -> None:
        """The app has ended."""
        self._over.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        """Runs on the main thread even while it waits for the terminal, which a handler of the loop does not."""
        del number, frame
        self._ask()

    def _ask(self) -> None:
        if self._asked_s is None:
            self._asked_s = time.monotonic()
        with suppress(RuntimeError):  # the loop has ended already
            self._leave()

    def _watch(self) -> None:
        resumed = False
        while not self._over.wait(_LOOK_EVERY_S):
            if self._asked_s is None:
                if is_gone(self._input):
                    self._ask()
                continue
            waited_s = time.monotonic() - self._asked_s
            if waited_s > RESUME_AFTER_S and not resumed:
                resumed = True
                _resume_output(self._input)
            if waited_s > FORCE_AFTER_S:
                self._force()

    def _force(self) -> None:
        if self._discipline is not None:
            with suppress(OSError, termios.error):
                terminal = os.open(os.ttyname(self._input), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
                os.write(terminal, _SANE.encode())
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._input, termios.TCSANOW, self._discipline)
        os._exit(0)


def is_gone(descriptor: int) -> bool:
    """Whether nobody is at the other end of the terminal or pipe any more: with SIGHUP ignored nobody else tells us."""
    watched = select.poll()
    watched.register(descriptor, 0)
    return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in watched.poll(0))


def _discipline_of(descriptor: int) -> list[Any] | None:
    try:
        return termios.tcgetattr(descriptor)
    except termios.error:  # no terminal: a browser's console speaks over pipes
        return None


def _resume_output(descriptor: int) -> None:
    """As Ctrl-Q does."""
    with suppress(OSError, termios.error):
        termios.tcflow(descriptor, termios.TCOON)
