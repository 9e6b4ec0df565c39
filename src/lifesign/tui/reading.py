"""Asking a source, so that whatever goes wrong is an answer too; and asking it before anybody can look.

It imports nothing of Textual, whose import takes as long as a large state takes to be made. Not here: when it is asked
again (`tui.feed`).
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from lifesign.api.failures import ClientError
from lifesign.text import clean
from lifesign.tui.snapshot import Reading
from lifesign.tui.source import StateSource

POLL_TIMEOUT_S = 3.0

_Answer = TypeVar("_Answer")


def asked(call: Callable[[], _Answer]) -> tuple[_Answer | None, str]:
    """What `call` answered, or why it did not."""
    try:
        return call(), ""
    except ClientError as error:
        return None, clean(error.detail, 200) or "no answer"
    except Exception as error:  # noqa: BLE001 - the adapter's call: a bug there must show as a lost link, not end the thread
        return None, f"the console could not ask ({type(error).__name__})"


def read_once(source: StateSource, clock: Callable[[], float]) -> Reading:
    """One poll. Whatever goes wrong is in the reading."""
    asked_s = clock()
    state, problem = asked(source.state)
    return Reading(asked_s, clock(), state, problem)


class ReadingAhead:
    """A first poll that is under way while the console is being imported."""

    def __init__(self, connect: Callable[[float], StateSource]) -> None:
        self._connect = connect
        self._reading: Reading | None = None
        self._thread = threading.Thread(target=self._read, name="lifesign-ahead", daemon=True)
        self._thread.start()

    def take(self) -> Reading | None:
        """Its reading, which is waited for; None once that has been taken."""
        self._thread.join()
        taken, self._reading = self._reading, None
        return taken

    def _read(self) -> None:
        self._reading = read_once(self._connect(POLL_TIMEOUT_S), time.monotonic)
