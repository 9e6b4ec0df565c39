"""The store on real files: what goes in comes out again, whatever was done to the file meanwhile."""

import queue
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lifesign.core.memory import ComponentMemory, IncidentMemory
from lifesign.core.model import ComponentState
from lifesign.store.database import Database, UnusableError
from lifesign.store.remembering import decode, encode, key_of
from lifesign.store.store import QUEUE_EVENTS, Store

TS = "2026-11-21T14:03:22.123Z"


def opened(path: Path, settled: Callable[[int], None] | None = None) -> Store:
    store = Store.open(path, settled=settled, retry_s=0.05, history_s=1e9)
    until(store._is_loaded.is_set)
    return store


def event(number: int) -> tuple[str, str]:
    return TS, f"event {number}"


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def reread(path: Path) -> tuple[dict[str, str], list[str]]:
    store = opened(path)
    loaded = store.load()
    assert not store.load().events  # ten thousand of them are given away, not kept
    assert store.close()
    return dict(loaded.memory), list(loaded.events)


def test_what_was_recorded_is_there_after_a_close_oldest_first_and_forgotten_memory_is_not(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = opened(path)
    assert store.load().events == []
    store.record([event(1), event(2)], {"a": "old", "b": "x"})
    store.record([event(3)], {"a": "new", "b": None})
    assert store.close()
    assert reread(path) == ({"a": "new"}, ["event 1", "event 2", "event 3"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_told_to_be_settled_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    code = (
        "import sys, threading, os, signal\nfrom pathlib import Path\nfrom lifesign.store.store import Store\n"
        "done = threading.Event()\nstore = Store.open(Path(sys.argv[1]), settled=lambda number: done.set())\n"
        f"store.load()\nstore.record([('{TS}', 'told')], {{'a': 'held'}})\ndone.wait(40)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=90)
    assert reread(path) == ({"a": "held"}, ["told"])


@pytest.mark.parametrize("content", [b"\0" * 8192, b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_file_is_moved_aside_and_a_new_one_begun(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    store = opened(path)
    until(lambda: store.writable)
    store.record([event(1)], {})
    assert store.close()
    [aside] = [found for found in tmp_path.glob("state.db.bad-*") if not found.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes() == content
    assert reread(path)[1] == ["event 1"]


def test_a_file_torn_anywhere_hinders_nobody(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = opened(path)
    store.record([event(number) for number in range(2000)], {f"k{n}": "x" * 500 for n in range(50)})
    assert store.close()
    whole = path.read_bytes()
    for length in (1, 100, 4096, len(whole) // 2, len(whole) - 10):
        torn = tmp_path / f"torn{length}.db"
        torn.write_bytes(whole[:length])
        store = opened(torn)
        until(lambda store=store: store.writable)  # type: ignore[misc]
        store.record([event(1)], {"again": "y"})
        assert store.close()
        assert reread(torn)[0]["again"] == "y"


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE meta (key TEXT, value TEXT); INSERT INTO meta VALUES ('schema', '9');")
    connection.close()
    before = path.read_bytes()
    store = opened(path)
    store.record([event(1)], {"a": "b"})
    assert not store.writable
    assert "another version" in store.trouble
    assert not store.close()
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["state.db"]


@pytest.mark.parametrize("way", ["folder", "link", "nowhere"])
def test_what_is_no_file_is_told_and_hinders_nobody(tmp_path: Path, way: str) -> None:
    path = tmp_path / "state.db"
    match way:
        case "folder":
            path.mkdir()
        case "link":
            (tmp_path / "victim").write_text("precious")
            path.symlink_to(tmp_path / "victim")
        case _:
            path = tmp_path / "missing" / "state.db"
    store = opened(path)
    store.record([event(1)], {})
    assert (store.writable, str(path) in store.trouble) == (False, True)
    assert not store.close()
    assert not (tmp_path / "victim").exists() or (tmp_path / "victim").read_text() == "precious"


def test_while_another_holds_the_file_all_is_kept_and_written_once_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = opened(path)
    until(lambda: store.writable)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store.record([event(1)], {"a": "1"})
    until(lambda: not store.writable)
    assert "locked" in store.trouble
    store.record([event(2)], {"a": "2"})
    other.execute("ROLLBACK")
    other.close()
    until(lambda: store.writable)
    assert store.close()
    assert reread(path) == ({"a": "2"}, ["event 1", "event 2"])


def test_a_disk_that_is_full_keeps_what_was_there_and_takes_the_rest_when_there_is_room(tmp_path: Path) -> None:
    code = """
import resource, sys, time
from pathlib import Path
from lifesign.store.store import Store
store = Store.open(Path(sys.argv[1]), retry_s=0.05, history_s=1e9)
store.load()
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
store.record([("2026", "x" * 100_000)], {"a": "1"})
while store.writable: time.sleep(0.005)
print(store.trouble)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
while not store.writable: time.sleep(0.005)
print(store.close(5))
"""
    path = tmp_path / "state.db"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=90, check=True
    )
    trouble, closed = done.stdout.splitlines()
    assert ("state.db" in trouble, closed) == (True, "True"), done.stdout
    memory, events = reread(path)
    assert (memory, len(events)) == ({"a": "1"}, 1)


def test_a_file_that_is_taken_away_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = opened(path)
    store.record([event(1)], {})
    until(lambda: path.exists() and len(Database(path).peek(10)[1]) == 1)
    for found in tmp_path.iterdir():
        found.unlink()
    store.record([event(2)], {})
    assert store.close(5)
    assert reread(path)[1] == ["event 2"]


def test_recording_never_waits_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    store = opened(tmp_path / "missing" / "state.db")
    begun_s = time.monotonic()
    for number in range(QUEUE_EVENTS + 10):
        store.record([event(number)], {"a": str(number)})
    assert time.monotonic() - begun_s < 10
    until(lambda: store.lost_events >= 10)
    store.close()


def test_numbers_are_settled_in_order_and_only_after_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    seen: list[tuple[int, int]] = []
    store = opened(path, lambda number: seen.append((number, len(Database(path).peek(100)[1]))))
    threads = [threading.Thread(target=lambda: [store.record([event(n)], {}) for n in range(10)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.close()
    assert seen == sorted(seen)
    assert all(events >= number for number, events in seen)
    assert seen[-1] == (30, 30)


def test_old_events_go_a_few_at_a_time_and_young_ones_stay(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    database.write([("2020-01-01T00:00:00.000Z", f"old {n}") for n in range(2500)] + [event(1)], {})
    assert [database.prune("2025-01-01T00:00:00.000Z") for _ in range(3)] == [2000, 500, 0]
    assert database.load(10)[1] == ["event 1"]
    database.close()


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="missing"):
        Database(tmp_path / "missing" / "state.db").open()


def test_a_database_is_not_made_anew_in_a_folder_that_came_into_other_hands(tmp_path: Path) -> None:
    held_by = [""]
    database = Database(tmp_path / "state.db", lambda: held_by[0])
    database.write([event(1)], {})
    for file in tmp_path.iterdir():
        file.unlink()
    held_by[0] = "another lifesign (pid 5)"
    with pytest.raises(UnusableError, match=r"is held by another lifesign \(pid 5\)"):
        database.write([event(2)], {})
    assert [*tmp_path.iterdir()] == []
    held_by[0] = ""
    database.write([event(3)], {})
    assert database.load(10)[1] == ["event 3"]
    held_by[0] = "another lifesign (pid 5)"  # with its lock alone, beside our file
    with pytest.raises(UnusableError, match="is held by another"):
        database.write([event(4)], {})
    assert Database(tmp_path / "state.db").peek(10)[1] == ["event 3"]
    database.close()


def test_a_memory_is_read_as_it_was_written_and_nonsense_is_none() -> None:
    memory = ComponentMemory(
        "a", 5, ComponentState.DOWN, ComponentState.DOWN, 4, 2, IncidentMemory("a-1", 3, 2, ("port",))
    )
    text = encode(memory)
    assert text is not None
    newer = text.replace('"name"', '"something":{"new":1},"name"')
    documents = {key_of("a"): text, key_of("b"): newer, key_of("c"): "{", key_of("d"): '{"name": 1}', "other": text}
    assert decode(documents).components == {"a": memory, "b": memory}


def test_an_event_does_not_wait_for_the_memories_before_it_to_gather(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifesign.store.store.LINGER_S", 30.0)
    settled = queue.Queue[int]()
    store = opened(tmp_path / "state.db", settled.put)
    for number in range(3):
        store.record([], {"component/mind": "{}"})
        last = store.record([event(number)], {})
        while settled.get(timeout=40) < last:
            pass
    assert store.close()
