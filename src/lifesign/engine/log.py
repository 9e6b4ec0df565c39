"""The log: one line an event, written by a thread of its own, so that no pipe or disk can block the watch.

A bounded queue stands between; when it is full the event is dropped and counted, and the count is
told with the next line that gets through.
"""

import contextlib
import errno
import logging
import os
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
        with contextlib.suppress(OSError):  # it was told when it began
            self._handler.close()


def _handler(path: Path | None) -> logging.Handler:
    if path is None:
        return _Standard(sys.stdout)
    _refuse_a_pipe_without_a_reader(path)
    return _Rotating(path, maxBytes=ROTATE_BYTES, backupCount=KEEP_FILES, encoding="utf-8")


def _refuse_a_pipe_without_a_reader(path: Path) -> None:
    """To open one would wait for whoever may never come. Raises OSError."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a pipe that nobody reads") from None


class _Quiet(logging.Handler):
    """A log that cannot be written is no reason to stop, nor to print a traceback per line: it is told once."""

    _trouble = ""

    def handle(self, record: logging.LogRecord) -> bool:
        before, self._trouble = self._trouble, ""
        was_wanted = super().handle(record)
        if self._trouble and not before:
            logger.warning("lifesign: warning: the log cannot be written, its lines are lost: %s", self._trouble)
        elif before and not self._trouble:
            logger.warning("lifesign: the log is written again")
        return was_wanted

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the library's name
        del record
        error = sys.exc_info()[1]
        self._trouble = (error.strerror if isinstance(error, OSError) else None) or str(error) or "no reason is known"


class _Standard(_Quiet, logging.StreamHandler):  # type: ignore[type-arg]
    pass


class _Rotating(_Quiet, RotatingFileHandler):
    """Where somebody else has taken the file away, as logrotate does, the next line begins a new one."""

    def emit(self, record: logging.LogRecord) -> None:
        stream = self.stream
        if stream is not None and not _names(self.baseFilename, stream.fileno()):
            self.stream = None  # it is opened anew with the line
            with contextlib.suppress(OSError):  # of what a full disk did not take, which was told
                stream.close()
        super().emit(record)


def _names(path: str, descriptor: int) -> bool:
    """Whether `path` still leads to the open file."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))  # noqa: PTH116 - the library's path is text
    except OSError:
        return False
