"""Reads a file that another process goes on writing, and keeps when each line came."""

import threading
import time
from pathlib import Path

_POLL_S = 0.02


class Tail:
    """`lines`: each whole line with the moment it was seen, seconds of the monotonic clock."""

    def __init__(self, path: Path) -> None:
        self.lines: list[tuple[float, str]] = []
        self._path, self._ended = path, threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        at, rest = 0, ""
        while not self._ended.wait(_POLL_S):
            if not self._path.exists():
                continue
            with self._path.open("rb") as file:
                file.seek(at)
                new = file.read()
            now_s, at = time.monotonic(), at + len(new)
            *whole, rest = (rest + new.decode(errors="replace")).split("\n")
            self.lines += [(now_s, line) for line in whole]

    def close(self) -> None:
        """Ends it."""
        self._ended.set()
        self._thread.join()
