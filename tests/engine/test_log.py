"""The log never blocks who writes to it, rotates its file, and tells what it had to drop."""

import errno
import io
import logging
import os
import threading
from pathlib import Path

import pytest

from lifesign.engine import log
from lifesign.engine.log import LineLog
from tests.e2e.running import wait_until


class Blocked(logging.Handler):
    """A pipe that nobody reads, until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.gate.wait()
        self.lines.append(record.getMessage())


class Filling(io.StringIO):
    """A disk without room, until there is some."""

    is_full, tried = True, 0

    def write(self, text: str) -> int:
        self.tried += 1
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(text)


TROUBLE = "lifesign: warning: the log cannot be written, its lines are lost: No space left on device"


def test_a_blocked_log_drops_and_counts_and_never_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "QUEUE", 10)
    handler = Blocked()
    lines = LineLog(None, handler=handler)
    for number in range(100):
        lines.write(str(number), dropped=lambda count: f"{count} dropped")
    handler.gate.set()
    while not lines._queue.empty():
        pass
    lines.write("after", dropped=lambda count: f"{count} dropped")
    lines.close()
    kept = [line for line in handler.lines if line.isdecimal()]
    [told] = [line for line in handler.lines if line.endswith("dropped")]
    assert int(told.split()[0]) + len(kept) == 100
    assert handler.lines[-1] == "after"


def test_a_file_is_appended_and_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "ROTATE_BYTES", 1000)
    path = tmp_path / "events.jsonl"
    path.write_text("before\n")
    lines = LineLog(path)
    for number in range(100):
        lines.write(f"{number:030}")
    lines.close()
    assert path.with_name("events.jsonl.1").exists()
    kept = sorted(path.parent.glob("events.jsonl*"))
    assert len(kept) <= log.KEEP_FILES + 1
    assert path.read_text().splitlines()[-1] == f"{99:030}"
    assert all(entry.stat().st_size <= 1000 for entry in kept)


def test_a_folder_that_does_not_exist_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LineLog(tmp_path / "none" / "events.jsonl")


def test_a_log_that_cannot_be_written_is_told_once_and_ends_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    lines = LineLog(Path("/dev/full"))
    for number in range(5):
        lines.write(str(number))
    lines.close(20)
    assert caplog.messages == [TROUBLE]
    assert not lines._thread.is_alive()


def test_a_log_that_can_be_written_again_is_told_as_that(caplog: pytest.LogCaptureFixture) -> None:
    stream = Filling()
    lines = LineLog(None, handler=log._Standard(stream))
    lines.write("a")
    lines.write("b")
    wait_until(lambda: stream.tried == 2, "both tried")
    stream.is_full = False
    lines.write("c")
    lines.close(20)
    assert stream.getvalue() == "c\n"
    assert caplog.messages == [TROUBLE, "lifesign: the log is written again"]


def test_a_pipe_that_nobody_reads_is_refused_and_one_that_somebody_reads_is_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="a pipe that nobody reads"):
        LineLog(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    lines = LineLog(pipe)
    lines.write("heard")
    lines.close(20)
    assert os.read(reader, 100) == b"heard\n"
    os.close(reader)
    assert not caplog.messages


def test_a_file_that_was_taken_away_is_begun_anew_and_what_was_written_stays_in_the_other(tmp_path: Path) -> None:
    path, old = tmp_path / "events.jsonl", tmp_path / "events.jsonl.1"
    lines = LineLog(path)
    lines.write("before")
    wait_until(lambda: path.read_text() == "before\n", "the first line")
    path.rename(old)
    lines.write("after")
    wait_until(lambda: path.exists() and path.read_text() == "after\n", "a new file")
    path.unlink()
    lines.write("later")
    wait_until(lambda: path.exists() and path.read_text() == "later\n", "a third one")
    lines.close()
    assert old.read_text() == "before\n"


def test_a_file_that_is_full_and_taken_away_is_begun_anew_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "events.jsonl"
    path.symlink_to("/dev/full")
    lines = LineLog(path)
    lines.write("lost")
    wait_until(lambda: caplog.messages == [TROUBLE], "the trouble")
    path.unlink()
    lines.write("after")
    lines.write("later")
    wait_until(lambda: path.exists() and path.read_text() == "after\nlater\n", "a new file")
    lines.close(20)
    assert caplog.messages == [TROUBLE, "lifesign: the log is written again"]
