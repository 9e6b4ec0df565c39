"""A kill in the midst of any statement that writes: the files are whole, and nothing that was acknowledged is lost."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lifesign.store.database import Database
from tests.figures import Figures
from tests.store.test_history import KILLED

STORE = """
import os, signal, sys, threading
from pathlib import Path
from lifesign.store.database import Database
from lifesign.store.store import Store

left, opened = [int(sys.argv[2])], Database._open

def hooked(self):
    opened(self)
    self._connection.set_trace_callback(traced)

def traced(statement):
    left[0] -= statement.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT"))
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)

Database._open = hooked
done = threading.Event()

def settled(number):
    os.write(1, f"{number}\\n".encode())
    done.set()

store = Store.open(Path(sys.argv[1]) / "state.db", settled=settled)
store.load()
for number in range(1, 40):
    done.clear()
    store.record([("2026-11-21T14:03:22.123Z", f"event {number}")], {"held": str(number)})
    done.wait(40)
"""


def kill(folder: Path, code: str, step: int) -> bytes:
    """What it said until it was killed in its writing statement of that number."""
    command = [sys.executable, "-c", code, str(folder), str(step)]
    done = subprocess.run(command, check=False, timeout=50, cwd=Path.cwd(), stdout=subprocess.PIPE)
    assert done.returncode == -9, f"step {step}"
    return done.stdout


def expect_whole(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def kill_the_store(folder: Path, step: int) -> None:
    acknowledged = [int(line) for line in kill(folder, STORE, step).split()]
    expect_whole(folder / "state.db")
    database = Database(folder / "state.db")
    database.open()
    memory, events = database.load(1_000)
    database.close()
    newest = max(acknowledged, default=0)
    assert events[:newest] == [f"event {number}" for number in range(1, newest + 1)]
    assert int(memory.get("held", "0")) == len(events) in (newest, newest + 1)


@pytest.mark.parametrize("step", [0, 1, 2, 3, 17])
def test_a_killed_store_keeps_what_it_acknowledged(tmp_path: Path, step: int) -> None:
    kill_the_store(tmp_path, step)


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_killed_at_every_write_point_the_files_are_whole(tmp_path: Path, figures: Figures) -> None:
    for step in range(45):
        (tmp_path / f"s{step}").mkdir()
        kill_the_store(tmp_path / f"s{step}", step)
    for step in range(1, 45):
        folder = tmp_path / f"h{step}"
        folder.mkdir()
        kill(folder, KILLED, step)
        expect_whole(folder / "history.db")
    figures("killed in a statement that writes", kills=89)
