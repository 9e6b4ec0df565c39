"""The log never blocks who writes to it, rotates its file, and tells what it had to drop."""

import logging
import threading
from pathlib import Path

import pytest

from lifesign.engine import log
from lifesign.engine.log import LineLog


class Blocked(logging.Handler):
    """A pipe that nobody reads, until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.gate.wait()
        self.lines.append(record.getMessage())


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
