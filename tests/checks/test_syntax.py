"""The syntax check on real files and interpreters. What each file is worth was decided by hand."""

import asyncio
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lifesign.checks.syntax import SyntaxProbe
from lifesign.core.model import Observation, Verdict
from tests.processes.test_child import dead_mount, our_children
from tests.stopwatch import Stopwatch

LONG_AGO_S = 1_600_000_000


@pytest.fixture
def nexus(tmp_path: Path) -> Path:
    folder = tmp_path / "nexus"
    folder.mkdir()
    return folder


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def look(*paths: Path | str, timeout_s: float = 20.0, python: str | None = None) -> Observation:
    return await SyntaxProbe(paths=[str(path) for path in paths], timeout_s=timeout_s, python=python).look(0)


async def test_files_that_parse_are_counted_and_nothing_of_them_is_run(nexus: Path) -> None:
    mark = nexus.parent / "ran"
    write(nexus / "mind.py", f"open({str(mark)!r}, 'w')\nimport no_such_module\n")
    write(nexus / "a.json", '{"a": [1, 2.5, null]}')
    write(nexus / "b.toml", "a = 1\n")
    write(nexus / "notes.md", "def f(:\n")
    observation = await look(nexus / "*")
    assert (observation.verdict, observation.message) == (Verdict.OK, "3 files parse")
    assert observation.metrics == {"files": 3.0}
    assert not mark.exists()
    assert names_in(nexus) == {"a.json", "b.toml", "mind.py", "notes.md"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mind.py", "a = 1\n\ndef f(:\n", "nexus/mind.py:3: invalid syntax"),
        ("mind.py", b'x = "\xe9"\n', "nexus/mind.py:1: (unicode error) 'utf-8' codec can't decode"),
        ("mind.py", b"x = 1\0\n", "nexus/mind.py: source code string cannot contain null bytes"),
        ("mind.py", "# coding: no-such\n", "nexus/mind.py: unknown encoding: no-such"),
        ("mind.py", "x = " + "-" * 200_000 + "1", "nexus/mind.py: the compiler gave up on it"),
        ("mind.py", "x = 1" + "+1" * 200_000, "nexus/mind.py: the compiler gave up on it"),
        ("mind.py", "return\n", "nexus/mind.py:1: 'return' outside function"),
        ("a.json", '{"a": 1,\n"b" 2}', "nexus/a.json:2: "),
        ("a.json", "[" * 100_000, "nexus/a.json: the compiler gave up on it"),
        ("a.json", b'\n{"\xff": 1}', "nexus/a.json:2: not UTF-8"),
        ("a.toml", "x = 1\ny\n", "nexus/a.toml:2: Expected '=' after a key in a key/value pair"),
        ("a.toml", b"\nx = '\xff'", "nexus/a.toml:2: not UTF-8"),
        ("a.toml", "x = " + "[" * 100_000, "nexus/a.toml: the compiler gave up on it"),
    ],
)
async def test_a_file_that_does_not_parse_fails_and_says_where(
    nexus: Path, name: str, content: str | bytes, words: str
) -> None:
    write(nexus / name, content)
    observation = await look(nexus / "*")
    assert observation.verdict is Verdict.FAIL
    assert observation.message.startswith(words)


@pytest.mark.parametrize(
    "content",
    [
        b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
        b"\xef\xbb\xbfx = 1\n",
        b"x = 1\r\nif x:\r\n\ty = 2\r\n",
        b"x = '\\d'\nassert (x, 1)\n1 is 1\n",  # SyntaxWarnings
        b"from __future__ import annotations\nmatch = 1\n",
        b"",
    ],
)
async def test_what_only_looks_odd_parses(nexus: Path, content: bytes) -> None:
    write(nexus / "mind.py", content)
    assert (await look(nexus / "*.py")).message == "1 file parses"


async def test_the_first_error_is_told_and_the_others_are_counted(nexus: Path) -> None:
    for name in ("a.py", "b.py", "c.py"):
        write(nexus / name, "def f(:\n")
    write(nexus / "d.py", "x = 1\n")
    assert (await look(nexus / "*.py")).message == "nexus/a.py:1: invalid syntax (2 more fail)"
    assert (await look(nexus / "*.json", nexus / "*.py")).message == "nexus/a.py:1: invalid syntax (3 more fail)"


async def test_a_message_from_a_source_cannot_steer_a_terminal(nexus: Path) -> None:
    write(nexus / "\x1b]52;c;x\x07.py", "def f(:\n")
    message = (await look(nexus / "*.py")).message
    assert message.endswith(".py:1: invalid syntax")
    assert not any(ord(character) < 32 or ord(character) == 127 for character in message)


def segfaulting_python(folder: Path) -> str:
    """An interpreter whose compiler crashes on any file with the word CRASH in its name."""
    program = write(
        folder / "python-crashes",
        f"#!{sys.executable} -IS\n"
        "import builtins, os, sys\n"
        "real = compile\n"
        "def broken(source, path, *rest, **more):\n"
        "    if 'CRASH' in path: os.kill(os.getpid(), 11)\n"
        "    return real(source, path, *rest, **more)\n"
        "script = sys.argv[-1]\n"
        "code = real(open(script).read(), script, 'exec')\n"
        "builtins.compile = broken\n"
        "exec(code, {'__name__': '__main__'})\n",
    )
    program.chmod(0o755)
    return str(program)


async def test_a_file_that_crashes_the_compiler_is_named_and_the_others_are_still_parsed(nexus: Path) -> None:
    for name in ("a.py", "b-CRASH.py", "c.py", "d-CRASH.py", "e.py"):
        write(nexus / name, "x = 1\n")
    write(nexus / "f.json", "{}")
    observation = await look(nexus / "*", python=segfaulting_python(nexus.parent))
    assert observation.verdict is Verdict.FAIL
    assert observation.message == "nexus/b-CRASH.py: the compiler gave up on it (it crashed with SIGSEGV) (1 more fail)"
    assert observation.metrics == {"files": 6.0}


def interpreter(version: str) -> str:
    """One that works on this machine, or the test is skipped."""
    beside = Path(sys.base_prefix).parent.glob(f"{version}.*/bin/python{version}")
    for python in (shutil.which(f"python{version}"), *beside):
        if python and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0:
            return str(python)
    pytest.skip(f"no Python {version} here")


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.9", "3.10", "3.12", "3.13", "3.14"])
async def test_another_interpreter_judges_by_its_own_grammar(nexus: Path, version: str) -> None:
    python = interpreter(version)
    write(nexus / "new.py", "match x:\n    case 1: pass\n")
    write(nexus / "a.toml", "a = 1\n")
    write(nexus / "b.json", "{}\n")
    knows_match = tuple(int(part) for part in version.split(".")) >= (3, 10)
    observation = await look(nexus / "*", python=python)
    assert observation.verdict is (Verdict.OK if knows_match else Verdict.FAIL), observation.message
    assert observation.metrics == {"files": 3.0}


async def test_no_file_fails_and_names_the_pattern(nexus: Path) -> None:
    write(nexus / "a.py", "x = 1\n")
    write(nexus / "notes.md", "x")
    for pattern in ("*.toml", "*.md", "gone/*.py", "gone.py", "a.py/b.py"):
        observation = await look(nexus / "a.py", nexus / pattern)
        assert (observation.verdict, observation.message) == (Verdict.FAIL, f"no file matches {nexus / pattern}")


async def test_two_stars_reach_every_folder_but_hidden_ones_and_loops_of_links(nexus: Path) -> None:
    for name in ("a.py", "b/c.py", "b/d/e.py", ".venv/broken.py", "b/.hidden.py"):
        write(nexus / name, "def f(:\n" if "broken" in name or "hidden" in name else "x = 1\n")
    (nexus / "b" / "loop").symlink_to(nexus)
    assert (await look(nexus / "**" / "*.py")).message == "3 files parse"
    assert (await look(nexus / "**")).message == "3 files parse"
    assert (await look(nexus / "**" / "d" / "*.py")).message == "1 file parses"
    assert (await look(nexus / "?" / "[cx].py")).message == "1 file parses"
    assert (await look(nexus / ".venv" / "*.py")).verdict is Verdict.FAIL


async def test_brackets_in_a_real_name_are_no_pattern(nexus: Path) -> None:
    write(nexus / "app[1].py", "x = 1\n")
    assert (await look(nexus / "app[1].py")).message == "1 file parses"


async def test_a_file_that_matches_twice_counts_once(nexus: Path) -> None:
    write(nexus / "a.py", "x = 1\n")
    assert (await look(nexus / "*.py", nexus / "a.py", nexus / "**" / "*.py")).message == "1 file parses"


async def test_pipes_devices_sockets_and_folders_are_never_opened(nexus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(nexus / "a.py", "x = 1\n")
    os.mkfifo(nexus / "pipe.py")
    (nexus / "folder.py").mkdir()
    (nexus / "zero.py").symlink_to("/dev/zero")
    monkeypatch.chdir(nexus)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.py")
        assert (await look(nexus / "*.py")).message == "1 file parses"
        for name in ("pipe.py", "socket.py", "zero.py", "folder.py"):
            observation = await look(nexus / name)
            assert observation.verdict is Verdict.FAIL
            assert observation.message == f"no regular file matches {nexus / name}"


async def test_a_link_that_points_nowhere_or_in_a_circle_fails(nexus: Path) -> None:
    for name, target in (("gone.py", "nowhere.py"), ("circle.py", "circle.py")):
        (nexus / name).symlink_to(target)
        assert (await look(nexus / name)).message == f"nexus/{name}: the link points nowhere"
        (nexus / name).unlink()


async def test_a_huge_file_is_unknown_and_never_read(nexus: Path) -> None:
    with write(nexus / "huge.py", "").open("wb") as file:
        file.truncate(1 << 40)
    started = time.monotonic()
    observation = await look(nexus / "*.py")
    assert observation.verdict is Verdict.UNKNOWN
    assert observation.message == "cannot tell about nexus/huge.py: larger than 16 MiB"
    assert time.monotonic() - started < 15


async def test_a_broken_file_fails_even_where_another_cannot_be_told(nexus: Path) -> None:
    with write(nexus / "a-huge.py", "").open("wb") as file:
        file.truncate(1 << 40)
    write(nexus / "b.py", "def f(:\n")
    assert (await look(nexus / "*.py")).message == "nexus/b.py:1: invalid syntax"


def look_without_privilege(pattern: Path) -> str:
    """Root may read everything; here it gives up that right first, which an exec makes final."""
    code = (
        "import asyncio, ctypes, sys\n"
        "from lifesign.checks.syntax import SyntaxProbe\n"
        "for override in (1, 2): ctypes.CDLL(None).prctl(24, override, 0, 0, 0)\n"  # PR_CAPBSET_DROP, CAP_DAC_*
        "seen = asyncio.run(SyntaxProbe(paths=[sys.argv[1]], timeout_s=20).look(0))\n"
        "print(seen.verdict, seen.message)"
    )
    argv = [sys.executable, "-c", code, str(pattern)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=40, check=True).stdout.strip()


def test_what_may_not_be_read_is_unknown(nexus: Path) -> None:
    write(nexus / "secret.py", "def f(:\n").chmod(0)
    write(nexus / "a.py", "x = 1\n")
    told = look_without_privilege(nexus / "*.py")
    assert told == "unknown cannot tell about nexus/secret.py: Permission denied"
    nexus.chmod(0)
    try:
        for pattern in (nexus / "*.py", nexus / "a.py"):
            told = look_without_privilege(pattern)
            assert told.startswith("unknown cannot tell about ")
            assert told.endswith(": Permission denied")
    finally:
        nexus.chmod(0o755)


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("/no/such/python", "the interpreter does not start: cannot start /no/such/python: No such file or directory"),
        ("/etc/passwd", "the interpreter does not start: cannot start /etc/passwd: Permission denied"),
        ("true", "true -I -S did not do its work (a Python 3.7 or later?), exit 0"),
    ],
)
async def test_an_interpreter_that_does_not_work_is_unknown(nexus: Path, python: str, words: str) -> None:
    write(nexus / "a.py", "x = 1\n")
    observation = await look(nexus / "*.py", python=python)
    assert observation.verdict is Verdict.UNKNOWN
    assert observation.message.startswith(words)


def program(nexus: Path, command: str) -> str:
    path = write(nexus.parent / "program", f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return str(path)


async def test_an_interpreter_that_prints_for_ever_is_unknown(nexus: Path) -> None:
    write(nexus / "a.py", "x = 1\n")
    observation = await look(nexus / "*.py", python=program(nexus, "exec yes"))
    assert (observation.verdict, observation.message) == (Verdict.UNKNOWN, "too many files match")


async def test_an_interpreter_that_hangs_is_unknown_in_time(nexus: Path) -> None:
    write(nexus / "a.py", "x = 1\n")
    async with Stopwatch() as watch:
        observation = await look(nexus / "*.py", python=program(nexus, "sleep 600"), timeout_s=0.5)
    assert watch.s < 2.0
    assert (observation.verdict, observation.message) == (Verdict.UNKNOWN, "not finished within 500ms")


async def test_sources_on_a_dead_mount_are_unknown_in_time(nexus: Path) -> None:
    with dead_mount(nexus):
        async with Stopwatch() as watch:
            observation = await look(nexus / "*.py", timeout_s=0.5)
    assert watch.s < 2.0
    assert observation.verdict is Verdict.UNKNOWN


async def test_an_unchanged_file_is_not_compiled_again_and_a_changed_one_is(nexus: Path) -> None:
    heavy = write(nexus / "heavy.py", "x = [" + "1," * 400_000 + "]\n")
    os.utime(heavy, (LONG_AGO_S, LONG_AGO_S))
    probe = SyntaxProbe(paths=[str(nexus / "*.py")], timeout_s=30)
    while not probe._known:  # ctime cannot be set back: it must grow older than the clock tick of a file's times
        assert (await probe.look(0)).message == "1 file parses"
        await asyncio.sleep(0.2)
    known = dict(probe._known)
    first = min([(await probe.look(0)).latency_s for _ in range(3)])
    heavy.touch()
    second = min([(await probe.look(0)).latency_s for _ in range(2)])
    assert first < second / 2
    write(heavy, "def f(:\n")
    assert (await probe.look(0)).verdict is Verdict.FAIL
    write(heavy, "x = 1\n")
    assert (await probe.look(0)).verdict is Verdict.OK
    heavy.unlink()
    assert (await probe.look(0)).verdict is Verdict.FAIL
    assert known
    assert not probe._known


def children_so_far() -> int:
    """Grows with every child that was reaped: what they all needed of memory, in pages."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt


async def until_no_child_is_needed(probe: SyntaxProbe) -> Observation:
    for _ in range(100):
        before = children_so_far()
        observation = await probe.look(0)
        if children_so_far() == before:
            return observation
        await asyncio.sleep(0.1)
    raise AssertionError("every look starts a child")


async def test_where_nothing_changes_no_child_is_started_and_any_change_is_seen_at_once(nexus: Path) -> None:
    for name in ("a.py", "b/c.py", "d/e.py"):
        write(nexus / name, "x = 1\n")
    probe = SyntaxProbe(paths=[str(nexus / "**" / "*.py")], timeout_s=3)
    assert (await until_no_child_is_needed(probe)).message == "3 files parse"
    write(nexus / "b" / "new.py", "x = 1\n")
    assert (await probe.look(0)).message == "4 files parse"
    (nexus / "a.py").unlink()
    assert (await probe.look(0)).message == "3 files parse"
    write(nexus / "d" / "e.py", "x = (\n")
    assert (await probe.look(0)).verdict is Verdict.FAIL
    (nexus / "d").rename(nexus.parent / "d")
    assert (await probe.look(0)).message == "2 files parse"
    assert (await until_no_child_is_needed(probe)).message == "2 files parse"
    with dead_mount(nexus):
        assert (await probe.look(0)).verdict is Verdict.UNKNOWN  # asked on the loop, it would never come back


async def test_what_may_appear_where_nobody_looked_is_seen_all_the_same(nexus: Path) -> None:
    """Below a folder that lacks the way so far, and behind a link that points nowhere so far."""
    late = [nexus / "one" / "b" / "sub" / "x.py", nexus / "elsewhere" / "x.py"]
    write(nexus / "one" / "a" / "sub" / "x.py", "x = 1\n")
    write(nexus / "two" / "a" / "x.py", "x = 1\n")
    (nexus / "one" / "b").mkdir()
    (nexus / "two" / "link").symlink_to(nexus / "elsewhere")
    patterns = ["one/*/sub/x.py", "two/*/x.py"]
    probes = [SyntaxProbe(paths=[str(nexus / pattern)], timeout_s=20) for pattern in patterns]
    for _ in range(12):  # longer than everything needs to settle
        before = [(await probe.look(0)).metrics["files"] for probe in probes]
        await asyncio.sleep(0.2)
    for path in late:
        write(path, "x = 1\n")
    after = [(await probe.look(0)).metrics["files"] for probe in probes]
    assert (before, after) == ([1, 1], [2, 2])


async def test_a_change_of_the_same_size_within_a_clock_tick_is_seen(nexus: Path) -> None:
    source = write(nexus / "a.py", "x = 1\n")
    probe = SyntaxProbe(paths=[str(source)], timeout_s=20)
    for _ in range(5):
        assert (await probe.look(0)).verdict is Verdict.OK
        source.write_text("x = (\n")
        assert (await probe.look(0)).verdict is Verdict.FAIL
        source.write_text("x = 1\n")


async def test_a_cancelled_look_leaves_no_child(nexus: Path) -> None:
    write(nexus / "heavy.py", "x = [" + "1," * 2_000_000 + "]\n")
    before = our_children()
    task = asyncio.create_task(look(nexus / "*.py"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert our_children() <= before
