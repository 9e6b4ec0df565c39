"""The heartbeat check on real files, and on everything that is none."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from lifesign.checks.heartbeat import HeartbeatProbe
from lifesign.core.model import Identity, Observation, Verdict
from tests.checks.test_heartbeat_formats import ANY_BYTES, MALFORMED, last_line, oracle

LONG_AGO_NS = 10**9  # a file this old is settled: its signature alone may answer


def look(probe: HeartbeatProbe) -> Observation:
    return asyncio.run(probe.look(time.time_ns()))


def beat(seconds: float | None = None, **more: object) -> str:
    return json.dumps({"timestamp": time.time() if seconds is None else seconds, **more})


def age(path: Path) -> None:
    """Makes the file look written a minute ago, as nearly every file is when it is looked at."""
    then = time.time_ns() - 60 * LONG_AGO_NS
    os.utime(path, ns=(then, then))


def as_nobody(path: Path) -> str:
    """What one look tells when it is made by a user without rights; by the test's own user where that is not root."""
    script = textwrap.dedent(
        """
        import asyncio, os, sys, time
        from pathlib import Path
        from lifesign.checks.heartbeat import HeartbeatProbe
        if os.geteuid() == 0:
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        found = asyncio.run(HeartbeatProbe(path=Path(sys.argv[1]), timeout_s=5).look(time.time_ns()))
        print(found.verdict, found.message)
        """
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout


def test_a_beat_is_handed_on_with_its_signal_and_identity(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    path.write_text(beat(1795299990, cycle=7, pid=42, busy=False, model="m-1"))
    found = look(HeartbeatProbe(path=path))
    assert found.verdict is Verdict.OK
    assert found.signal is not None
    assert (found.signal.timestamp_ns, found.signal.progress, found.signal.busy) == (1795299990 * 10**9, 7, False)
    assert found.identity == Identity(42)
    assert found.data == {"model": "m-1"}


@pytest.mark.parametrize("name", ["mind.json", "mind.jsonl"])
def test_a_beat_of_1970_stays_one_when_our_clock_is_set_before_the_writers(tmp_path: Path, name: str) -> None:
    path, probe = tmp_path / name, HeartbeatProbe(path=tmp_path / name)
    verdicts = []
    set_s = time.time()
    for seconds, now_s in ((612, 613), (set_s, 614), (612, set_s), (615, set_s), (set_s, set_s), (620, set_s)):
        path.write_text(beat(seconds) + "\n")
        verdicts.append(asyncio.run(probe.look(int(now_s * 10**9))).verdict)
    assert verdicts == [*5 * [Verdict.OK], Verdict.FAIL], "once the writer's clock is set too, 1970 is malformed"


def test_an_old_beat_is_not_judged_here(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    path.write_text(beat(1_000_000_000))
    assert look(HeartbeatProbe(path=path)).verdict is Verdict.OK


def test_a_file_that_never_was_and_one_that_is_gone_have_their_own_words(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    probe = HeartbeatProbe(path=path)
    never = look(probe)
    assert (never.verdict, never.signal) == (Verdict.FAIL, None)
    assert never.message == f"nobody has ever written {path}"
    path.write_text(beat())
    assert look(probe).verdict is Verdict.OK
    path.unlink()
    assert look(probe).message == f"{path} is gone"
    path.write_text(beat())
    assert look(probe).verdict is Verdict.OK


@pytest.mark.parametrize(("raw", "words"), MALFORMED.values(), ids=MALFORMED.keys())
def test_every_malformed_file_fails_with_its_reason_and_no_signal(raw: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    path.write_bytes(raw)
    found = look(HeartbeatProbe(path=path))
    assert (found.verdict, found.signal) == (Verdict.FAIL, None)
    assert found.message.startswith(f"{path} is empty" if words == "is empty" else f"malformed: {path} ")
    assert words in found.message


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_BYTES)
def test_no_content_raises_and_none_is_ok_without_a_strict_timestamp(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "mind"
    path.write_bytes(raw)
    for format_ in ("auto", "jsonl"):
        found = look(HeartbeatProbe(path=path, format=format_))
        assert found.verdict is not Verdict.UNKNOWN
        assert found.signal is None or oracle(raw if format_ == "auto" else last_line(raw))


def test_malformed_files_leave_memory_flat(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    probe = HeartbeatProbe(path=path)

    async def all_kinds() -> None:
        for raw, _ in MALFORMED.values():
            path.write_bytes(raw)
            assert (await probe.look(time.time_ns())).verdict is Verdict.FAIL

    tracemalloc.start()
    try:
        asyncio.run(all_kinds())
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()


async def test_a_file_read_half_written_is_read_once_more(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    path.write_text(beat()[:9])
    looking = asyncio.ensure_future(HeartbeatProbe(path=path).look(time.time_ns()))
    await asyncio.sleep(0)  # the first read is over once the look first waits
    path.write_text(beat(cycle=3))
    found = await looking
    assert found.verdict is Verdict.OK
    assert found.signal is not None
    assert found.signal.progress == 3


def test_an_unchanged_file_is_not_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    path.write_text(beat(1795299990))
    age(path)
    probe = HeartbeatProbe(path=path)
    later_ns = time.time_ns() + LONG_AGO_NS
    first = asyncio.run(probe.look(later_ns))
    opened: list[str] = []
    watching = True  # an audit hook cannot be taken away again
    sys.addaudithook(lambda event, of: opened.append(str(of[0])) if watching and event == "open" else None)
    second = asyncio.run(probe.look(later_ns))
    assert str(path) not in opened
    assert second == first
    path.write_text(beat(1795299991))
    opened.clear()
    third = asyncio.run(probe.look(later_ns))
    assert str(path) in opened
    watching = False
    assert third.signal != first.signal


def test_a_second_write_of_the_same_size_within_one_tick_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    probe = HeartbeatProbe(path=path)
    for cycle in range(100, 160):
        with path.open("r+" if path.exists() else "w") as file:
            file.write(beat(1795299990, cycle=cycle))
        found = look(probe)
        assert found.signal is not None
        assert found.signal.progress == cycle


def test_an_atomic_replace_is_seen(tmp_path: Path) -> None:
    path, new = tmp_path / "mind.json", tmp_path / "mind.json.tmp"
    probe = HeartbeatProbe(path=path)
    for cycle in (1, 2):
        new.write_text(beat(1795299990, cycle=cycle))
        age(new)
        new.replace(path)
        found = look(probe)
        assert found.signal is not None
        assert found.signal.progress == cycle


def test_a_link_to_a_regular_file_is_fine_and_a_loop_of_links_fails(tmp_path: Path) -> None:
    target, link, loop = tmp_path / "real.json", tmp_path / "link.json", tmp_path / "loop.json"
    target.write_text(beat())
    link.symlink_to(target)
    loop.symlink_to(loop)
    assert look(HeartbeatProbe(path=link)).verdict is Verdict.OK
    found = look(HeartbeatProbe(path=loop))
    assert (found.verdict, found.message) == (Verdict.FAIL, f"{loop} is a loop of symbolic links")


def test_what_is_no_regular_file_fails_and_never_blocks(tmp_path: Path) -> None:
    fifo, unix = tmp_path / "fifo", tmp_path / "socket"
    os.mkfifo(fifo)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(unix))
    kinds = [(fifo, "a FIFO"), (unix, "a socket"), (tmp_path, "a folder"), (Path("/dev/zero"), "a device")]
    for path, words in [*kinds, (Path("/dev/null"), "a device"), (Path("/dev/tty"), "a device")]:
        for format_ in ("auto", "jsonl", "mtime"):
            found = look(HeartbeatProbe(path=path, format=format_))
            assert found.verdict is Verdict.FAIL
            assert f"{path} is {words}" in found.message
    listener.close()


def test_a_path_below_a_file_a_name_too_long_and_a_nul_fail(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (file / "mind.json", tmp_path / ("x" * 300), Path("/tmp/a\0b")):
        found = look(HeartbeatProbe(path=path))
        assert (found.verdict, found.signal) == (Verdict.FAIL, None)


def test_no_permission_is_unknown_for_the_file_and_for_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    path = folder / "mind.json"
    path.write_text(beat())
    for ancestor in (folder, *tmp_path.parents[: len(tmp_path.parents) - 1], tmp_path):
        if ancestor.stat().st_uid == os.geteuid() and ancestor != Path("/tmp"):
            ancestor.chmod(0o755)
    path.chmod(0)
    assert as_nobody(path) == f"unknown could not read {path}: no permission\n"
    path.chmod(0o644)
    assert as_nobody(path).startswith("ok")
    folder.chmod(0)
    assert as_nobody(path) == f"unknown could not read {path}: no permission\n"
    folder.chmod(0o755)


def test_no_descriptor_left_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    path.write_text(beat())
    script = textwrap.dedent(
        """
        import asyncio, os, resource, sys, time
        from pathlib import Path
        from lifesign.checks.heartbeat import HeartbeatProbe
        async def main():
            probe = HeartbeatProbe(path=Path(sys.argv[1]), timeout_s=5)
            resource.setrlimit(resource.RLIMIT_NOFILE, (os.open("/dev/null", os.O_RDONLY), 4096))
            return await probe.look(time.time_ns())
        found = asyncio.run(main())
        print(found.verdict, found.message)
        """
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == f"unknown could not read {path}: lifesign has no file descriptor left\n"


def test_a_sparse_tebibyte_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "mind.json"
    path.touch()
    os.truncate(path, 2**40)
    tracemalloc.start()
    try:
        for format_, words in (("json", "longer than 64 KiB"), ("jsonl", "last line longer"), ("text", "longer than")):
            found = look(HeartbeatProbe(path=path, format=format_))
            assert found.verdict is Verdict.FAIL
            assert words in found.message
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()


def test_the_time_of_the_file_counts_for_mtime_alone(tmp_path: Path) -> None:
    path = tmp_path / "mind.touch"
    path.write_text("content that is no heartbeat")
    os.utime(path, ns=(5, 1_795_299_990_123_456_789))
    found = look(HeartbeatProbe(path=path, format="mtime"))
    assert found.signal is not None
    assert found.signal.timestamp_ns == 1_795_299_990_123_456_789
    assert look(HeartbeatProbe(path=path)).verdict is Verdict.FAIL
    os.utime(path, ns=(0, 0))
    assert look(HeartbeatProbe(path=path, format="mtime")).message == f"malformed: {path} has no modification time"


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of auto, json"):
        HeartbeatProbe(path=tmp_path, format="yaml")


def progress_of(probe: HeartbeatProbe) -> object:
    found = look(probe)
    assert found.verdict is Verdict.OK, found.message
    assert found.signal is not None
    return found.signal.progress


def line(cycle: int) -> str:
    return beat(1795299990, cycle=cycle) + "\n"


def test_the_last_whole_line_of_jsonl_counts(tmp_path: Path) -> None:
    path = tmp_path / "mind.jsonl"
    probe = HeartbeatProbe(path=path)
    path.write_text("")
    assert look(probe).message == f"{path} is empty"
    path.write_text(line(1)[:-1])
    assert look(probe).message == f"{path} holds no whole line yet"
    path.write_text(line(1) + line(2) + line(3)[:-1])
    assert progress_of(probe) == 2
    with path.open("a") as file:
        file.write("\n")
    assert progress_of(probe) == 3
    with path.open("a") as file:
        file.write("nonsense\n")
    assert "is not JSON" in look(probe).message


def test_a_huge_jsonl_is_read_at_its_end_alone(tmp_path: Path) -> None:
    path = tmp_path / "mind.jsonl"
    with path.open("wb") as file:
        file.seek(2**33)
        file.write(b"\n" + line(5).encode())
    probe = HeartbeatProbe(path=path)
    tracemalloc.start()
    try:
        assert progress_of(probe) == 5
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()


def test_jsonl_survives_rotation_truncation_and_copytruncate(tmp_path: Path) -> None:
    path, rotated = tmp_path / "mind.jsonl", tmp_path / "mind.jsonl.1"
    probe = HeartbeatProbe(path=path)
    path.write_text(line(1) + line(2))
    assert progress_of(probe) == 2
    path.rename(rotated)
    assert progress_of(probe) == 2  # the new file is not there yet
    path.touch()
    assert progress_of(probe) == 2  # or still empty
    path.write_text(line(3)[:20])
    assert progress_of(probe) == 2  # or without a whole line
    path.write_text(line(3))
    assert progress_of(probe) == 3
    os.truncate(path, 0)
    assert progress_of(probe) == 3
    with path.open("r+b") as file:  # a writer that does not append leaves a hole behind copytruncate
        file.seek(4000)
        file.write(line(4).encode())
    assert progress_of(probe) == 4
    path.unlink()
    assert look(probe).message == f"{path} is gone"


def test_a_reused_inode_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "mind.jsonl"
    probe = HeartbeatProbe(path=path)
    for cycle in range(1, 20):
        path.unlink(missing_ok=True)
        path.write_text(line(cycle))
        assert progress_of(probe) == cycle


@pytest.mark.parametrize("cut", [1, 40_000, 65_000])
def test_a_long_unfinished_line_hides_no_whole_one(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "mind.jsonl"
    path.write_text(line(1) * 3000 + line(7) + "x" * cut)
    assert progress_of(HeartbeatProbe(path=path)) == 7
