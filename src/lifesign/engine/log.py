"""The log: one line an event, written by a thread of its own, so that no pipe or disk can block the watch.

A bounded queue stands between; when it is full the event is dropped and counted, and the count is
told with the next line that gets through.
"""

import logging
import queue
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

QUEUE = 10_000
ROTATE_BYTES = 10 * 1024 * 1024
KEEP_FILES = 5

logger = logging.getLogger(__name__)


class LineLog:
    """Writes lines to `path` (appended, rotated at 10 MiB, five kept) or, without one, to standard output."""

    def __init__(self, path: Path | None, *, handler: logging.Handler | None = None) -> None:
        self._handler = handler or _handler(path)
        self._handler.setFormatter(logging.Formatter("%(message)s"))
        self._queue: queue.Queue[str | None] = queue.Queue(QUEUE)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    @classmethod
    def silent(cls) -> "LineLog":
        """A log that goes nowhere: a console's own engine tells its events over the API alone."""
        return cls(None, handler=logging.NullHandler())

    def write(self, line: str, *, dropped: Callable[[int], str] | None = None) -> None:
        """Queues one line. `dropped` words the count of lines that were lost before it."""
        try:
            if self._dropped and dropped is not None:
                self._queue.put_nowait(dropped(self._dropped))
                self._dropped = 0
            self._queue.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def close(self, timeout_s: float = 1.0) -> None:
        """Writes what is queued, for at most `timeout_s`."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            record = logging.LogRecord("lifesign", logging.INFO, "", 0, "%s", (line,), None)
            self._handler.handle(record)
        self._handler.close()


def _handler(path: Path | None) -> logging.Handler:
    if path is None:
        return _Standard(sys.stdout)
    return _Rotating(path, maxBytes=ROTATE_BYTES, backupCount=KEEP_FILES, encoding="utf-8")


class _Quiet(logging.Handler):
    """A log that cannot be written is no reason to stop, nor to print a traceback per line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the library's name
        del record


class _Standard(_Quiet, logging.StreamHandler):  # type: ignore[type-arg]
    pass


class _Rotating(_Quiet, RotatingFileHandler):
    pass
