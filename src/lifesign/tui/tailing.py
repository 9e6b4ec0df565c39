"""The thread that reads a file for the screen: it looks four times a second, and hands on the lines that are wanted.

A file on a mount that hangs stops this thread alone. Not here: drawing.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from lifesign.records import dataclass
from lifesign.tui.tail import Tail

LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class TailRead:
    """What the file holds: how many lines, those from number `first` on, and what is wrong with it.

    `found`: the line that was searched for; None where there was no search. -1 where there is no such line.
    """

    path: Path
    count: int
    first: int
    lines: tuple[str, ...]
    note: str
    found: int | None = None


class Tailing:
    """Reads `path` until it is stopped. `deliver` is called from the thread."""

    def __init__(self, path: Path, deliver: Callable[[TailRead], object]) -> None:
        self._path = path
        self._deliver = deliver
        self._wanted = (-1, 200)
        self._search: tuple[str, int | None, int] | None = None
        self._wake = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begins."""
        threading.Thread(target=self._run, name="lifesign-tail", daemon=True).start()

    def stop(self) -> None:
        """Ends after the read in flight."""
        self._stopped.set()
        self._wake.set()

    def want(self, first: int, count: int) -> None:
        """These lines from now on; `first` below 0: the last ones."""
        self._wanted = (first, count)
        self._wake.set()

    def search(self, text: str, start: int | None, step: int) -> None:
        """Looks for `text` from line `start` on (None: from the end), towards older lines where `step` is -1."""
        self._search = (text, start, step)
        self._wake.set()

    def _run(self) -> None:
        tail = Tail(self._path)
        try:
            while not self._stopped.is_set():
                self._wake.clear()
                tail.refresh()
                read = self._read(tail)
                if not self._stopped.is_set():
                    self._deliver(read)
                self._wake.wait(LOOK_EVERY_S)
        finally:
            tail.close()

    def _read(self, tail: Tail) -> TailRead:
        search, self._search = self._search, None
        found: int | None = None
        if search is not None:
            text, start, step = search
            place = tail.find(text, tail.count - 1 if start is None else start, step)
            found = -1 if place is None else place
        first, count = self._wanted
        if found is not None and found >= 0:
            first = max(0, found - count // 2)
        elif first < 0:
            first = max(0, tail.count - count)
        return TailRead(self._path, tail.count, first, tail.lines(first, count), tail.note, found)
