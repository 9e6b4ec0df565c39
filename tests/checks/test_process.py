"""The process check on real processes: present, gone, dead, hidden, re-executed, related, hungry."""

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import ANY

import psutil
import pytest

from lifesign.checks import process_table
from lifesign.checks.process import ProcessProbe
from lifesign.checks.process_selection import parse_count
from lifesign.checks.process_table import ProcessTable
from lifesign.core.model import Identity, Observation, Verdict
from lifesign.text import parse_timestamp
from tests.checks.strangers import marker, sleeper, state_of, stranger, until_it_sleeps, wait_until


def look(probe: ProcessProbe) -> Observation:
    return asyncio.run(probe.look(time.time_ns()))


def told(**keys: Any) -> tuple[Verdict, str]:
    found = look(ProcessProbe(**keys))
    return found.verdict, found.message


def a_pid_of_nobody() -> int:
    """The number of a process that has ended and is reaped."""
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait(30)
    return ended.pid


def test_one_process_is_found_by_its_command_line_with_its_identity() -> None:
    word = marker()
    probe = ProcessProbe(pattern=rf"{word}\b")
    with stranger(*sleeper(word)) as pid:
        until_it_sleeps(pid)
        found = look(probe)
        assert found.verdict is Verdict.OK
        words, started = found.message.split(" started ")
        assert words == f"pid {pid}, 1 process,"
        began_s = parse_timestamp(started.replace(" ", "T")) / 1e9
        assert began_s == pytest.approx(psutil.Process(pid).create_time(), abs=2.5)
        assert found.identity is not None
        assert found.identity.pid == pid
        assert found.identity.started_at == pytest.approx(psutil.Process(pid).create_time(), abs=1.5)
        assert look(probe).identity == found.identity
        assert found.metrics["count"] == 1
        assert found.metrics["threads"] == 1
        assert found.metrics["rss_bytes"] == pytest.approx(psutil.Process(pid).memory_info().rss, rel=0.3)
        assert found.metrics["fds"] == psutil.Process(pid).num_fds()
    wait_until(lambda: state_of(pid) in ("", "Z"))
    gone = look(probe)
    assert gone.verdict is Verdict.FAIL
    assert word in gone.message


def test_nobody_is_told_in_the_words_of_the_description() -> None:
    word = marker()
    assert told(pattern=word) == (Verdict.FAIL, f"no process matches '{word}'")
    assert told(name=word[:15]) == (Verdict.FAIL, f"no process is named '{word[:15]}'")
    assert told(pattern=word, count="==0") == (Verdict.OK, f"no process matches '{word}'")


@pytest.mark.parametrize(
    ("count", "verdict", "words"),
    [
        (">=1", Verdict.OK, "2 processes, the youngest started 2"),
        ("2", Verdict.OK, "2 processes"),
        ("<=3", Verdict.OK, "2 processes"),
        (">=3", Verdict.FAIL, "expected >=3"),
        ("==1", Verdict.FAIL, "expected ==1"),
        ("<2", Verdict.FAIL, "expected <2"),
        ("==0", Verdict.FAIL, "expected ==0"),
    ],
)
def test_the_count_is_held_to(count: str, verdict: Verdict, words: str) -> None:
    word = marker()
    with stranger(*sleeper(word)), stranger(*sleeper(word)):
        found = look(ProcessProbe(pattern=word, count=count))
        assert found.verdict is verdict
        assert words in found.message
        assert found.metrics["count"] == 2
        assert (found.identity, found.several) == (None, True)
        if verdict is Verdict.FAIL:
            assert found.message == f"2 processes match '{word}', {words}"


@pytest.mark.parametrize("text", ["", "many", ">=", "-1", "=> 1", ">=1.5", "1 2", "٣"])
def test_a_bad_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a count is"):
        parse_count(text)


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=x)"])
def test_a_pattern_without_a_linear_engine_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="no RE2 expression"):
        ProcessProbe(pattern=pattern)


def test_a_check_that_describes_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs one of"):
        ProcessProbe()


def test_a_name_is_the_programs_and_matches_whole(tmp_path: Path) -> None:
    name = marker()[-12:]
    program = tmp_path / name
    program.symlink_to(Path(sys.executable).resolve())
    with stranger(program, *sleeper()[1:]) as pid:
        assert told(name=name)[1].startswith(f"pid {pid}, 1 process")
        assert told(name=name[:-1])[0] is Verdict.FAIL
        assert told(name=name, pattern="time.sleep")[0] is Verdict.OK
        assert told(name=name, pattern=marker())[0] is Verdict.FAIL


def test_a_name_longer_than_the_kernel_keeps_is_found(tmp_path: Path) -> None:
    name = marker()
    script = tmp_path / name
    script.write_text(f"#!{Path(sys.executable).resolve()}\nimport time\ntime.sleep(600)\n")
    script.chmod(0o755)
    with stranger(script) as pid:
        assert told(name=name)[1].startswith(f"pid {pid}, 1 process")


def test_a_user_narrows_the_choice() -> None:
    word = marker()
    with stranger(*sleeper(word)):
        for user in (str(os.geteuid()), psutil.Process().username()):
            assert told(pattern=word, user=user)[0] is Verdict.OK
        assert told(pattern=word, user="65533") == (Verdict.FAIL, f"no process matches '{word}' and runs as 65533")
        assert told(pattern=word, user=word)[0] is Verdict.UNKNOWN


def test_a_zombie_is_dead(tmp_path: Path) -> None:
    word = marker()
    note = tmp_path / "pid"
    parent = f"""
import subprocess, sys, time
word = "{word[:20]}" + "{word[20:]}"  # not in one piece, so that this command line does not match
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)", word])
open({str(note)!r}, "w").write(str(child.pid) + "\\n")
time.sleep(600)
"""
    probe = ProcessProbe(pattern=word)
    with stranger(sys.executable, "-c", parent):
        wait_until(lambda: note.exists() and note.read_text().endswith("\n"))
        pid = int(note.read_text())
        assert look(probe).verdict is Verdict.OK
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: state_of(pid) == "Z")
        found = look(probe)
        assert (found.verdict, found.identity) == (Verdict.FAIL, None)
        assert found.message == f"the process that matches '{word}' is a zombie (pid {pid})"
        assert found.metrics["count"] == 0
        assert told(pid=pid) == (Verdict.FAIL, f"pid {pid} is a zombie")
        assert told(pattern=word, table=ProcessTable()) == (Verdict.FAIL, f"no process matches '{word}'")


def test_a_stopped_process_is_alive_and_said_to_be_stopped() -> None:
    word = marker()
    with stranger(*sleeper(word)) as pid:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: state_of(pid) == "T")
        verdict, message = told(pattern=word)
        assert verdict is Verdict.OK
        assert message.endswith("stopped by a signal")
        assert look(ProcessProbe(pattern=word)).stopped


def test_a_process_that_becomes_another_program_is_seen_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_table, "_SETTLED_TICKS", -1)  # so that memory alone would answer
    before, after, go = marker(), marker(), tmp_path / "go"
    script = f"""
import os, sys, time
while not os.path.exists({str(go)!r}):
    time.sleep(0.005)
os.execv(sys.executable, {[*sleeper()]!r} + [sys.argv[2][::-1]])
"""
    table = ProcessTable()
    was, becomes = ProcessProbe(pattern=before, table=table), ProcessProbe(pattern=after, table=table)
    with stranger(sys.executable, "-c", script, before, after[::-1]) as pid:
        assert (look(was).verdict, look(becomes).verdict) == (Verdict.OK, Verdict.FAIL)
        go.touch()
        wait_until(lambda: after.encode() in Path(f"/proc/{pid}/cmdline").read_bytes())
        assert (look(becomes).verdict, look(was).verdict) == (Verdict.OK, Verdict.FAIL)


def test_a_pid_with_a_new_owner_is_not_taken_for_the_old_one() -> None:
    word = marker()
    table = ProcessTable()
    probe = ProcessProbe(pattern=word, table=table)
    with stranger(*sleeper("someone else")) as pid:
        look(probe)
        stale = next(process for process in table if process.pid == pid)
        table._known[pid] = replace(stale, command_line=word, started_ticks=stale.started_ticks - 100)
        assert look(probe).verdict is Verdict.FAIL


def test_lifesign_its_ancestors_and_its_descendants_never_count() -> None:
    word = marker()
    script = """
import asyncio, subprocess, sys, time
from lifesign.checks.process import ProcessProbe
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", sys.argv[1]])
for keys in ({"pattern": sys.argv[1]}, {"pid": child.pid}, {"pid": __import__("os").getppid()}):
    found = asyncio.run(ProcessProbe(**keys).look(time.time_ns()))
    print(found.verdict, found.message)
child.kill()
child.wait()
"""
    command = f'"{sys.executable}" -c "$1" {word}; true'
    done = subprocess.run(["sh", "-c", command, "sh", script], capture_output=True, text=True, check=True, timeout=50)
    lines = done.stdout.splitlines()
    assert lines[0] == f"fail no process matches '{word}'"
    assert all(line.endswith("is lifesign itself or its kin, which never counts") for line in lines[1:])
    assert len(lines) == 3


def test_a_pid_is_looked_at_alone() -> None:
    word = marker()
    with stranger(*sleeper(word)) as pid:
        assert told(pid=pid)[1].startswith(f"pid {pid}, 1 process")
        assert told(pid=pid, pattern=word)[0] is Verdict.OK
        expected = (Verdict.FAIL, f"pid {pid} is another process, not one that matches 'unheard-of'")
        assert told(pid=pid, pattern="unheard-of") == expected
    nobody = a_pid_of_nobody()
    assert told(pid=nobody) == (Verdict.FAIL, f"pid {nobody} is not running")
    assert told(pid=nobody, count="==0")[0] is Verdict.OK


def test_a_pidfile_names_the_process(tmp_path: Path) -> None:
    pidfile = tmp_path / "mind.pid"
    assert told(pidfile=pidfile) == (Verdict.FAIL, f"there is no pidfile {pidfile}")
    with stranger(*sleeper(marker())) as pid:
        pidfile.write_text(f"{pid}\n")
        found = look(ProcessProbe(pidfile=pidfile))
        assert found.verdict is Verdict.OK
        assert found.identity is not None
        assert found.identity.pid == pid
        an_hour_ago = time.time() - 3600
        os.utime(pidfile, (an_hour_ago, an_hour_ago))
        expected = f"pid {pid} is another process (started after the pidfile was written)"
        assert told(pidfile=pidfile) == (Verdict.FAIL, expected)
    nobody = a_pid_of_nobody()
    pidfile.write_text(str(nobody))
    assert told(pidfile=pidfile) == (Verdict.FAIL, f"pidfile names pid {nobody}, which is not running")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"1", "no pid of a service"),
        (b"0", "no pid of a service"),
        (b"-1", "holds no pid"),
        (b"+12", "holds no pid"),
        (b"12 13", "holds no pid"),
        (b"0x10", "holds no pid"),
        (b"1e3", "holds no pid"),
        (b"\xb2\xb3", "holds no pid"),
        ("٣٤".encode(), "holds no pid"),
        (b"12\0", "holds no pid"),
        (b"99999999999999999999", "no pid of a service"),
        (b"4" * 65, "longer than 64 bytes"),
        pytest.param(str(os.getpid()).encode(), "lifesign itself or its kin", id="our own pid"),
        pytest.param(str(os.getppid()).encode(), "lifesign itself or its kin", id="our parent's pid"),
    ],
)
def test_a_hostile_pidfile_fails_with_words(content: bytes, words: str, tmp_path: Path) -> None:
    pidfile = tmp_path / "mind.pid"
    pidfile.write_bytes(content)
    verdict, message = told(pidfile=pidfile)
    assert verdict is Verdict.FAIL
    assert words in message


def test_a_pidfile_that_is_no_file_fails_and_never_blocks(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "socket"))
    for path in (fifo, tmp_path / "socket", tmp_path, Path("/dev/zero")):
        verdict, message = told(pidfile=path)
        assert verdict is Verdict.FAIL
        assert "not a regular file" in message
    unix.close()


def test_every_limit_is_held_to_by_each_process_and_named() -> None:
    word = marker()
    with stranger(*sleeper(word)) as pid:
        until_it_sleeps(pid)
        assert told(pattern=word, max_rss_bytes=2**40, max_cpu=100_000, max_fds=10_000)[0] is Verdict.OK
        verdict, message = told(pattern=word, max_rss_bytes=1024)
        assert verdict is Verdict.FAIL
        assert message.startswith(f"pid {pid} uses ")
        assert message.endswith(" MiB of memory, over the limit of 1 KiB")
        expected = f"pid {pid} uses 3 file descriptors, over the limit of 2"
        assert told(pattern=word, max_fds=2) == (Verdict.FAIL, expected)
        with stranger(*sleeper(word)) as other:
            until_it_sleeps(other)
            found = look(ProcessProbe(pattern=word, max_fds=3))
            assert (found.verdict, found.metrics["fds"]) == (Verdict.OK, 6)
            assert told(pattern=word, max_fds=2)[1].endswith("over the limit of 2 (and 1 more)")


def test_a_spinning_process_uses_its_cpu_and_a_resting_one_does_not() -> None:
    busy, resting = marker(), marker()
    with stranger(sys.executable, "-c", "while True: pass", busy) as pid, stranger(*sleeper(resting)) as rests:
        probe = ProcessProbe(pattern=busy, max_cpu=5)
        first = psutil.Process(pid).cpu_times().user
        look(probe)
        wait_until(lambda: psutil.Process(pid).cpu_times().user > first + 0.3)
        found = look(probe)
        assert found.verdict is Verdict.FAIL
        assert found.message.startswith(f"pid {pid} uses ")
        assert found.message.endswith(" % CPU, over the limit of 5 %")
        until_it_sleeps(rests)
        quiet = ProcessProbe(pattern=resting)
        look(quiet)
        assert look(quiet).metrics["cpu_percent"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("hidepid", ["hidepid=1", "hidepid=2"])
def test_processes_that_proc_hides_make_it_unknown(hidepid: str) -> None:
    word = marker()
    script = textwrap.dedent(
        """
        import asyncio, ctypes, os, sys, time
        from lifesign.checks.process import ProcessProbe
        if ctypes.CDLL(None).mount(b"proc", b"/proc", b"proc", 0, sys.argv[3].encode()) != 0:
            print("no mount"); sys.exit(0)
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
        pattern, pid = bytes.fromhex(sys.argv[1]).decode(), int(sys.argv[2])
        for keys in ({"pattern": pattern}, {"pid": pid}, {"pattern": pattern, "user": "65534"}, {"pattern": pattern,
            "count": "==0"}, {"pattern": pattern, "count": ">=0"}):
            found = asyncio.run(ProcessProbe(**keys).look(time.time_ns()))
            print(found.verdict, "hidepid" in found.message)
        """
    )
    command = ["unshare", "-m", "--propagation", "private", sys.executable, "-c", script, word.encode().hex()]
    with stranger(*sleeper(word)) as pid:
        done = subprocess.run([*command, str(pid), hidepid], capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
    if done.stdout.startswith("no mount"):
        pytest.skip("cannot mount /proc here")
    assert done.stdout.splitlines() == ["unknown True", "unknown True", "fail False", "unknown True", "ok False"]


def test_a_settled_machine_is_read_in_part_and_a_failure_only_told_after_all_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_table, "_SETTLED_TICKS", -1)
    word = marker()
    opened = 0
    watching = True

    def count_opens(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal opened
        if watching and event == "open" and str(arguments[0]).startswith("/proc/"):
            opened += 1

    sys.addaudithook(count_opens)
    with ExitStack() as running:
        for _ in range(40):
            running.enter_context(stranger("/bin/sleep", "600"))
        running.enter_context(stranger(*sleeper(word)))
        table = ProcessTable()
        probe = ProcessProbe(pattern=word, table=table)
        assert look(probe).verdict is Verdict.OK
        everyone = len(list(table))
        opened = 0
        assert look(probe).verdict is Verdict.OK
        in_part = opened
        opened = 0
        assert look(ProcessProbe(pattern=marker(), table=table)).verdict is Verdict.FAIL
        in_full = opened
    watching = False
    assert everyone > 40
    assert in_part < everyone
    assert in_full > 1.6 * everyone


@pytest.mark.proof
def test_a_look_at_three_hundred_processes_costs_a_third_of_psutils_at_most() -> None:
    """In processor time of our own and by turns, because whatever else runs on this machine comes and goes."""
    word = marker()
    with ExitStack() as running:
        pids = [running.enter_context(stranger("/bin/sleep", "600")) for _ in range(300)]
        pids.append(running.enter_context(stranger(*sleeper(word))))
        table = ProcessTable()
        probe = ProcessProbe(pattern=word, table=table)

        def all_are_settled() -> bool:
            assert look(probe).verdict is Verdict.OK
            known = {process.pid for process in table if process.is_settled}
            return known.issuperset(pids)

        wait_until(all_are_settled, timeout_s=60)
        ours, theirs = [], []
        for _ in range(30):
            ours.append(cpu_s(lambda: looks_on_one_loop(probe, 10)) / 10)
            theirs.append(cpu_s(lambda: those_psutil_finds(word)))
    print(f"ours {median(ours) * 1000:.2f} ms, psutil {median(theirs) * 1000:.2f} ms")  # noqa: T201
    assert median(ours) * 3 < median(theirs)


def cpu_s(deed: Callable[[], None]) -> float:
    """What `deed` costs this thread in seconds of the processor, in the program and in the kernel."""
    started = time.thread_time()
    deed()
    return time.thread_time() - started


def looks_on_one_loop(probe: ProcessProbe, times: int) -> None:
    async def every_look() -> None:
        for _ in range(times):
            assert (await probe.look(time.time_ns())).verdict is Verdict.OK

    asyncio.run(every_look())


def those_psutil_finds(word: str) -> None:
    found = [p for p in psutil.process_iter(["cmdline"]) if word in " ".join(p.info["cmdline"] or [])]
    assert len(found) == 1


def test_a_shell_that_starts_the_program_in_a_loop_is_counted_and_is_never_taken_for_the_program(
    tmp_path: Path,
) -> None:
    word = marker()
    with stranger("/bin/sh", "-c", f"while :; do sleep 600 & echo {word} >/dev/null; wait; done") as alone:
        probe = ProcessProbe(pattern=word)
        wait_until(lambda: look(probe).identity == Identity(alone, ANY))  # nothing else is seen to be the program
    loop = f"while :; do {shlex.join(sleeper(word))}; until [ -e {tmp_path}/again ]; do sleep 0.05; done; done"
    with stranger("/bin/sh", "-c", loop) as shell:
        probe = ProcessProbe(pattern=word)
        wait_until(lambda: (look(probe).metrics or {}).get("count") == 2 and look(probe).identity is not None)
        first = look(probe).identity
        assert first is not None
        assert first.pid != shell
        assert not look(probe).several
        os.kill(first.pid, signal.SIGKILL)
        wait_until(lambda: (look(probe).metrics or {}).get("count") == 1)
        assert look(probe).identity is None
        (tmp_path / "again").touch()
        wait_until(lambda: (look(probe).metrics or {}).get("count") == 2 and look(probe).identity is not None)
        second = look(probe).identity
        assert second is not None
        assert second.pid not in (shell, first.pid)
        os.kill(shell, signal.SIGKILL)
        os.kill(second.pid, signal.SIGKILL)


def test_a_process_that_must_not_be_there_is_no_life_of_the_component() -> None:
    word = marker()
    with stranger(*sleeper(word)) as pid:
        probe = ProcessProbe(pattern=word, count="0")
        found = asyncio.run(probe.look(0))
        assert found.verdict is Verdict.FAIL
        assert str(pid) in found.message
        assert found.identity is None
