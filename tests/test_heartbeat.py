"""The writer, on real files: whole at every moment, and never in the way of the work."""

import ast
import json
import logging
import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lifesign
from lifesign import Heartbeat, heartbeat, write_heartbeat
from lifesign.checks.heartbeat_formats import Keys, parse_beat
from lifesign.heartbeat import default_heartbeat_path, user_state_dir
from tests.started import started

SOURCE = Path(heartbeat.__file__)


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIFESIGN_HEARTBEAT", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(heartbeat, "_warned", set())
    monkeypatch.setattr(heartbeat, "_swept", set())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "beats" / "mind.json"


def read(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_bytes())
    assert isinstance(document, dict)
    return document


# --- what is written ---


def test_a_heartbeat_says_when_who_and_since_when(file: Path) -> None:
    before = time.time()
    assert write_heartbeat(file, cycle=7, status="ok", busy=True, message="thinking", model="m", queue=[1, {"a": None}])
    document = read(file)
    assert before <= document.pop("timestamp") <= time.time()
    assert document.pop("started_at") <= time.time()
    expected = {
        "cycle": 7,
        "status": "ok",
        "busy": True,
        "message": "thinking",
        "model": "m",
        "queue": [1, {"a": None}],
    }
    assert document == {**expected, "pid": os.getpid()}


def test_without_a_cycle_write_heartbeat_counts_nothing(file: Path) -> None:
    assert write_heartbeat(file, cycle=None, status=None)
    assert read(file).keys() == {"timestamp", "pid", "started_at"}


def test_a_heartbeat_object_counts_by_itself_and_on_from_a_count_it_was_given(file: Path) -> None:
    beats = Heartbeat("mind", file)
    counts = []
    for given_count in (None, None, 10, None):
        assert beats.beat(given_count)
        counts.append(read(file)["cycle"])
    assert counts == [1, 2, 10, 11]


def test_data_may_have_any_name_in_a_beat(file: Path) -> None:
    assert Heartbeat("mind", file).beat(path="/p", strict="s", fsync="f", self="me", name="n")
    assert {key: read(file)[key] for key in ("path", "strict", "fsync", "self", "name")} == {
        "path": "/p",
        "strict": "s",
        "fsync": "f",
        "self": "me",
        "name": "n",
    }


def test_the_path_is_the_given_one_else_the_environments_else_that_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Heartbeat("mind").path == tmp_path / "state/lifesign/heartbeats/mind.json" == default_heartbeat_path("mind")
    monkeypatch.setenv("LIFESIGN_HEARTBEAT", str(tmp_path / "environment.json"))
    assert Heartbeat("mind").path == tmp_path / "environment.json"
    assert Heartbeat("mind", tmp_path / "given.json").path == tmp_path / "given.json"
    assert write_heartbeat(cycle=1)
    assert read(tmp_path / "environment.json")["cycle"] == 1


def test_a_relative_state_home_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_state_dir() == tmp_path / ".local/state"


def test_a_relative_path_survives_a_change_of_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    beats = Heartbeat("mind", "beat.json")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert beats.beat()
    assert read(tmp_path / "beat.json")["cycle"] == 1


def test_the_mode_of_the_file_follows_the_umask(file: Path) -> None:
    old = os.umask(0o027)
    try:
        write_heartbeat(file)
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


# --- what is refused, and what is left out ---


@pytest.mark.parametrize(
    "bad",
    [
        {"timestamp": float("nan")},
        {"timestamp": float("inf")},
        {"timestamp": -1},
        {"timestamp": 0},
        {"timestamp": True},
        {"timestamp": "now"},
        {"timestamp": 1_795_000_000_000},  # milliseconds
        {"timestamp": 10**400},
        {"cycle": True},
        {"cycle": 1.5},
        {"cycle": "7"},
        {"cycle": 2**63},
        {"status": "fine"},
        {"status": ["ok"]},
        {"busy": 1},
        {"busy": "yes"},
        {"pid": "1"},
        {"started_at": float("nan")},
    ],
    ids=repr,
)
def test_a_bad_value_under_a_key_with_a_meaning_refuses_the_beat(file: Path, bad: dict[str, Any]) -> None:
    assert write_heartbeat(file, cycle=1) is True
    before = file.read_bytes()
    assert write_heartbeat(file, **bad) is False
    assert file.read_bytes() == before
    with pytest.raises(ValueError, match=next(iter(bad))):
        write_heartbeat(file, strict=True, **bad)


def circle() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def nested(depth: int) -> Any:
    return [] if depth == 1 else [nested(depth - 1)]


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"),
        {"a": float("-inf")},
        10**400,
        circle(),
        nested(8),
        {1: "a"},
        {"\ud800": 1},
        object(),
        b"bytes",
        "x" * 70_000,
        [0] * 1_000_000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_data_that_cannot_be_held_is_left_out_and_the_beat_goes_through(file: Path, bad: Any) -> None:
    assert write_heartbeat(file, cycle=3, bad=bad, good="g") is True
    document = read(file)
    assert "bad" not in document
    assert (document["cycle"], document["good"]) == (3, "g")
    with pytest.raises(ValueError, match="bad"):
        write_heartbeat(file, strict=True, cycle=4, bad=bad)
    assert read(file)["cycle"] == 3


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("hostile")

    def __repr__(self) -> str:
        raise RuntimeError("hostile")


def test_an_object_that_raises_whatever_is_asked_of_it_is_left_out_too(file: Path) -> None:
    assert write_heartbeat(file, bad=Hostile(), message=3)
    assert read(file)["message"] == "3"
    assert "bad" not in read(file)
    assert write_heartbeat(file, cycle=Hostile()) is False
    assert write_heartbeat(file, message=Hostile()) is False


def test_eight_levels_are_held(file: Path) -> None:
    assert write_heartbeat(file, strict=True, deep=nested(7))
    assert read(file)["deep"] == [[[[[[[]]]]]]]


def test_64_kib_are_held_to_the_byte() -> None:
    members = {"timestamp": 1, "cycle": 2, "é": 3, "filler": ""}
    room = 64 * 1024 - len(heartbeat.encode_heartbeat(members))
    assert len(heartbeat.encode_heartbeat({**members, "filler": "x" * room})) == 64 * 1024
    with pytest.raises(ValueError, match="65536 bytes"):
        heartbeat.encode_heartbeat({**members, "filler": "x" * (room + 1)})


def test_a_lone_surrogate_becomes_a_question_mark(file: Path) -> None:
    assert write_heartbeat(file, message="a\udc80b", name="c\udc80d")
    assert (read(file)["message"], read(file)["name"]) == ("a?b", "c?d")


def test_a_long_message_is_cut(file: Path) -> None:
    assert write_heartbeat(file, message="m" * 100_000)
    assert read(file)["message"] == "m" * 1000


# --- it never raises into the work ---


def test_without_any_path_nothing_is_raised_and_strict_says_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    assert write_heartbeat(cycle=1) is False
    assert "LIFESIGN_HEARTBEAT" in caplog.text
    with pytest.raises(ValueError, match="LIFESIGN_HEARTBEAT"):
        write_heartbeat(strict=True)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", ".hidden", "nul\0", None, 3])
def test_a_name_that_is_no_file_name_writes_nothing(name: Any, tmp_path: Path) -> None:
    assert Heartbeat(name).beat() is False
    assert list(tmp_path.rglob("*")) == []
    with pytest.raises((ValueError, TypeError, AttributeError)):
        Heartbeat(name, strict=True)


def test_a_folder_a_fifo_or_a_device_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path / "folder", tmp_path / "fifo", Path("/dev/null")):
        before = place.lstat()
        assert write_heartbeat(place) is False
        assert (place.lstat().st_ino, place.lstat().st_mode) == (before.st_ino, before.st_mode)
        with pytest.raises(OSError, match="not a regular file"):
            write_heartbeat(place, strict=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "folder"]


def test_a_link_is_replaced_and_what_it_points_to_is_not_touched(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "beat.json"
    link.symlink_to(victim)
    assert write_heartbeat(link, cycle=1)
    assert victim.read_text() == "precious"
    assert not link.is_symlink()
    assert read(link)["cycle"] == 1


def test_a_file_where_the_folder_should_be_only_fails_the_beat(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert write_heartbeat(tmp_path / "file" / "beat.json") is False


def test_each_kind_of_trouble_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        write_heartbeat(tmp_path, cycle=1)
        write_heartbeat(tmp_path / "ok.json", loss=float("nan"))
        write_heartbeat(tmp_path / "ok.json", cycle="x")
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert {record.name for record in caplog.records} == {"lifesign.heartbeat"}


def test_a_log_handler_that_breaks_does_not_reach_the_work(tmp_path: Path) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("broken")

    logger = logging.getLogger("lifesign.heartbeat")
    broken = Broken()
    logger.addHandler(broken)
    try:
        assert write_heartbeat(tmp_path) is False
    finally:
        logger.removeHandler(broken)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_disk_fails_the_beat_keeps_the_last_one_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        assert write_heartbeat(disk / "beat.json", cycle=1)
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)
        with pytest.raises(OSError, match="No space"):
            write_heartbeat(disk / "beat.json", strict=True)
        assert write_heartbeat(disk / "beat.json", cycle=2) is False
        assert read(disk / "beat.json")["cycle"] == 1
        assert sorted(path.name for path in disk.iterdir()) == ["ballast", "beat.json"]
        (disk / "ballast").unlink()
        assert write_heartbeat(disk / "beat.json", cycle=3)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert write_heartbeat(disk / "beat.json", cycle=4) is False
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_link_planted_where_the_temporary_file_goes_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr(os, "urandom", bytes)  # the one thing that keeps the name from being guessed
    planted = tmp_path / f".beat.json.{os.getpid()}.000000000000.tmp"
    planted.symlink_to(victim)
    assert write_heartbeat(tmp_path / "beat.json") is False
    assert victim.read_text() == "precious"
    planted.unlink()
    assert write_heartbeat(tmp_path / "beat.json") is True


def as_nobody(folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    """Writes a heartbeat to `file` as another user; a copy of the writer goes to `folder`."""
    shutil.copy(SOURCE, folder / "heartbeat.py")
    # What the other user needs is loaded while we are still root.
    program = "import heartbeat, logging, os, sys; os.setuid(65534); sys.exit(heartbeat.write_heartbeat(sys.argv[1]))"
    words = [sys.executable, "-c", program, str(file)]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_file_that_may_not_be_replaced_only_fails_the_beat_and_leaves_nothing_beside_it(open_folder: Path) -> None:
    shared = open_folder / "shared"
    shared.mkdir()
    shared.chmod(0o1777)  # sticky: all may write, nobody may replace another's file
    (shared / "beat.json").write_text("root's")
    done = as_nobody(open_folder, shared / "beat.json")
    assert done.returncode == 0, done.stderr
    assert "not permitted" in done.stderr
    assert [path.name for path in shared.iterdir()] == ["beat.json"]
    assert (shared / "beat.json").read_text() == "root's"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_no_permission_only_fails_the_beat(open_folder: Path) -> None:
    shut = open_folder / "shut"
    shut.mkdir(mode=0o755)
    done = as_nobody(open_folder, shut / "beat.json")
    assert done.returncode == 0, done.stderr
    assert "Permission denied" in done.stderr
    assert list(shut.iterdir()) == []


# --- whole at every moment ---


def hammer(path: Path, count: int) -> None:
    beats = Heartbeat("mind", path)
    threads = [threading.Thread(target=lambda: [beats.beat(filler="x" * 5000) for _ in range(count)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(path)["timestamp"] > 0


def test_two_processes_of_two_threads_never_show_a_torn_file(file: Path) -> None:
    write_heartbeat(file, filler="x" * 5000)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=hammer, args=(file, 400)) for _ in range(2)]
    for writer in writers:
        writer.start()
    looks = 0
    pids = set()
    while any(writer.is_alive() for writer in writers):
        document = read(file)
        assert len(document["filler"]) == 5000
        pids.add(document["pid"])
        looks += 1
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
        writer.close()
    assert looks > 50
    assert len(pids) > 1
    assert [path.name for path in file.parent.iterdir()] == ["mind.json"]


def test_the_last_count_of_many_threads_is_the_one_that_stays(file: Path) -> None:
    beats = Heartbeat("mind", file)
    threads = [threading.Thread(target=lambda: [beats.beat() for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(file)["cycle"] == 400


def test_a_forked_child_beats_as_itself_even_if_another_thread_held_the_lock(file: Path) -> None:
    program = f"""
import json, os, sys, threading
sys.path.insert(0, {str(SOURCE.parent)!r})
from heartbeat import Heartbeat
beats = Heartbeat("mind", {str(file)!r})
beats.beat()
taken, done = threading.Event(), threading.Event()
def hold():
    with beats._lock:
        taken.set()
        done.wait(20)
thread = threading.Thread(target=hold)
thread.start()
taken.wait(20)
child = os.fork()
if child == 0:
    os._exit(0 if beats.beat() else 1)
status = os.waitpid(child, 0)[1]
done.set()
thread.join()
document = json.load(open({str(file)!r}))
assert status == 0 and document["pid"] == child and document["cycle"] == 2, (status, document)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_a_signal_handler_may_beat_in_the_middle_of_a_beat(file: Path) -> None:
    beats = Heartbeat("mind", file)
    beaten = []
    old = signal.signal(signal.SIGALRM, lambda *_: beaten.append(beats.beat()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        while len(beaten) < 20:
            assert beats.beat()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert all(beaten)


def test_a_writer_killed_in_its_loop_leaves_a_whole_file(file: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); from heartbeat import Heartbeat\n"
        f"beats = Heartbeat('mind', {str(file)!r})\nprint(beats.beat(filler='x' * 50000), flush=True)\n"
        "while True: beats.beat(filler='x' * 50000)"
    )
    for _ in range(8):
        with started([sys.executable, "-c", program], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"True\n"
            writer.kill()
        assert len(read(file)["filler"]) == 50000


def test_what_a_killed_writer_left_is_swept_once_it_is_old(file: Path) -> None:
    write_heartbeat(file)
    old, young, foreign = (file.parent / name for name in (".mind.json.1.aa.tmp", ".mind.json.1.bb.tmp", ".other.tmp"))
    for path in (old, young, foreign):
        path.write_text("")
    for path in (old, foreign):
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    heartbeat._swept.clear()
    write_heartbeat(file)
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()


def test_with_fsync_the_file_is_on_the_disk_before_it_takes_its_place(file: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    program = f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); import heartbeat as h; "
    calls = {}
    for fsync in (True, False):
        write = f"h.write_heartbeat({str(file)!r}, fsync={fsync}, strict=True)"
        traced = subprocess.run(
            ["strace", "-e", "trace=fsync,rename,renameat,renameat2", sys.executable, "-S", "-c", program + write],
            capture_output=True,
            text=True,
            check=True,
        )
        calls[fsync] = [line.partition("(")[0] for line in traced.stderr.splitlines() if "(" in line]
    assert calls == {True: ["fsync", "rename", "fsync"], False: ["rename"]}


# --- one file, standard library only ---


@pytest.mark.parametrize("statement", ["import lifesign", "from lifesign import Heartbeat, write_heartbeat"])
def test_importing_lifesign_loads_the_standard_library_alone(statement: str) -> None:
    source_root = Path(lifesign.__file__).parents[1]
    program = (
        f"import sys; sys.path.insert(0, {str(source_root)!r}); before = set(sys.modules); {statement}\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "assert 'lifesign' in new; foreign = new - set(sys.stdlib_module_names) - {'lifesign'}\n"
        "heavy = new & {'asyncio', 'logging', 'subprocess', 'socket', 'datetime'}\n"
        "sys.exit(f'{foreign} {heavy}' if foreign or heavy else 0)"
    )
    subprocess.run([sys.executable, "-S", "-I", "-c", program], check=True)


def test_the_one_file_is_in_the_words_of_python_3_8() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_a_copy_of_the_one_file_works_alone(tmp_path: Path) -> None:
    shutil.copy(SOURCE, tmp_path / "beats.py")
    program = "import beats, sys; sys.exit(not beats.Heartbeat('mind').beat() or 'lifesign' in sys.modules)"
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    subprocess.run([sys.executable, "-S", "-c", program], cwd=tmp_path, env=environment, check=True)
    assert read(tmp_path / "state/lifesign/heartbeats/mind.json")["cycle"] == 1


# --- anything at all ---

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(object)
    | st.text(st.characters(categories=["Cs", "Cc", "L"])) | st.integers(-(10**400), 10**400)
    | st.integers(0, 70_000).map("é".__mul__),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers() | st.floats(), inner)
    | st.sets(st.integers()),
)  # fmt: skip
names = (
    st.sampled_from(["timestamp", "cycle", "pid", "started_at", "status", "busy", "message", "model", "name", "self"])
    | st.text(st.characters())
).filter(lambda name: name not in ("path", "fsync", "strict"))


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anything") / "beat.json"


def finite_and_shallow(value: Any, depth: int = 1) -> bool:
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return depth <= 8 and all(finite_and_shallow(item, depth + 1) for item in inner)
    return not isinstance(value, int | float) or abs(float(value)) < float("inf")


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


@settings(
    max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(fields=st.dictionaries(names, anything, max_size=8))
def test_no_fields_raise_and_the_file_is_absent_or_a_sound_heartbeat(one_file: Path, fields: dict[str, Any]) -> None:
    one_file.unlink(missing_ok=True)
    written = write_heartbeat(one_file, **fields)
    assert one_file.exists() is written
    assert [path for path in one_file.parent.iterdir() if path != one_file] == []
    if not written:
        return
    content = one_file.read_bytes()
    assert len(content) <= 64 * 1024
    document = json.loads(content.decode("utf-8"), object_pairs_hook=no_key_twice)
    assert finite_and_shallow(document)
    assert type(document["timestamp"]) is float
    if min(document["timestamp"], document["started_at"]) > 1_000_000_000:  # the reader believes no clock before 2000
        parse_beat(content, "auto", Keys(), time.time_ns())  # raises for what it finds malformed
    assert type(document.get("cycle", 0)) is int
    assert document.get("status", "ok") in ("ok", "degraded", "error", "stopping")
    assert type(document.get("busy", True)) is bool
