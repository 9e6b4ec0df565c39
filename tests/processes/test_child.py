"""Disposable children under every fault that a check's program can have. The oracle is /proc, not our own words."""

import asyncio
import ctypes
import hashlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lifesign.processes.child import ChildResult, run_child
from tests.figures import Figures
from tests.stopwatch import Stopwatch

PYTHON = sys.executable


def our_children() -> set[int]:
    """Every child of this process, zombies included."""
    pids = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread may end while we read
            pids |= {int(pid) for pid in (task / "children").read_text().split()}
    return pids


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until_gone(pid: int) -> bool:
    for _ in range(4000):
        if not runs(pid):
            return True
        await asyncio.sleep(0.01)
    return False


def whole_number(mark: Path) -> int | None:
    text = mark.read_text() if mark.exists() else ""
    return int(text) if text.endswith("\n") else None


async def pid_in(mark: Path) -> int:
    for _ in range(4000):
        if (pid := whole_number(mark)) is not None:
            return pid
        await asyncio.sleep(0.01)
    raise AssertionError(f"{mark} was never written")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    children = our_children()
    yield
    assert our_children() <= children


async def python(code: str, timeout_s: float = 40.0, **more: object) -> ChildResult:
    return await run_child([PYTHON, "-I", "-S", "-c", code], timeout_s=timeout_s, **more)  # type: ignore[arg-type]


async def test_a_child_gives_its_code_and_both_its_outputs() -> None:
    result = await run_child(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=10)
    assert result == ChildResult(3, b"out\n", b"err\n")


async def test_a_child_reads_its_input_whole_and_then_its_end() -> None:
    data = os.urandom(3_000_000)
    result = await run_child(["sha256sum"], input=data, timeout_s=20)
    assert result == ChildResult(0, hashlib.sha256(data).hexdigest().encode() + b"  -\n")


async def test_a_child_that_ignores_its_input_does_not_hold_us() -> None:
    assert (await run_child(["true"], input=b"x" * 3_000_000, timeout_s=10)).returncode == 0


async def test_a_child_killed_by_a_signal_tells_which() -> None:
    assert (await python("import os; os.kill(os.getpid(), 11)")).returncode == -signal.SIGSEGV


@pytest.mark.parametrize("program", [PYTHON, "sh"])
async def test_a_child_has_a_session_of_its_own_and_no_terminal(program: str) -> None:
    code = (
        "import os\nprint(os.getpid() == os.getsid(0) == os.getpgid(0), os.isatty(0))\n"
        "try: open('/dev/tty')\nexcept OSError: print('none')"
    )
    argv = [PYTHON, "-c", code] if program == PYTHON else ["env", PYTHON, "-c", code]
    assert (await run_child(argv, timeout_s=10)).stdout == b"True False\nnone\n"


async def test_no_variable_of_ours_reaches_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFESIGN_TOKEN", "canary")
    told = (await run_child(["env"], timeout_s=10)).stdout.decode().splitlines()
    assert {line.partition("=")[0] for line in told} <= {"PATH", "LANG", "HOME"}


async def test_a_child_gets_exactly_the_environment_it_is_given() -> None:
    env = {"PATH": os.environ["PATH"], "A": "1"}
    told = (await run_child(["env"], timeout_s=10, env=env)).stdout.decode().splitlines()
    assert sorted(told) == sorted(f"{name}={value}" for name, value in env.items())


async def test_a_child_inherits_no_descriptor_and_no_ignored_signal() -> None:
    with socket.socket() as held:
        os.set_inheritable(held.fileno(), True)
        told = await run_child(["sh", "-c", "ls /proc/$$/fd; grep SigIgn /proc/$$/status"], timeout_s=10)
    *words, ignored = told.stdout.split()
    assert words == [b"0", b"1", b"2", b"SigIgn:"]
    ours = {number for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN}
    given_us = ours - {signal.SIGPIPE, signal.SIGXFSZ}  # these Python ignores; nohup, who may have begun us, SIGHUP
    assert int(ignored, 16) == sum(1 << (number - 1) for number in given_us)


async def test_a_child_works_in_the_folder_it_is_given(tmp_path: Path) -> None:
    assert (await run_child(["pwd"], timeout_s=10, cwd=str(tmp_path))).stdout.decode().strip() == str(tmp_path)


@pytest.mark.parametrize(
    ("argv", "cwd", "words"),
    [
        (["no-such-program"], None, "cannot start no-such-program: No such file or directory"),
        (["/etc/passwd"], None, "cannot start /etc/passwd: Permission denied"),
        (["true"], "/no/such/folder", "cannot enter /no/such/folder: No such file or directory"),
        (["tr\0ue"], None, "embedded null byte"),
    ],
)
async def test_what_cannot_start_says_why(argv: list[str], cwd: str | None, words: str) -> None:
    result = await run_child(argv, timeout_s=10, cwd=cwd)
    assert result.start_error is not None
    assert words in result.start_error
    assert result.returncode is None


async def test_a_child_that_hangs_is_killed_at_its_deadline_with_its_whole_group() -> None:
    async with Stopwatch() as watch:
        result = await run_child(["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait; wait"], timeout_s=0.7)
    assert watch.s < 1.7
    assert (result.timed_out, result.returncode) == (True, -signal.SIGKILL)
    assert await until_gone(int(result.stdout))


async def test_a_grandchild_that_holds_the_pipe_keeps_nobody_waiting_and_is_ended() -> None:
    before = time.monotonic()
    result = await run_child(["sh", "-c", "sleep 600 & echo $!"], timeout_s=30)
    assert time.monotonic() - before < 25
    assert (result.returncode, result.timed_out) == (0, False)
    assert await until_gone(int(result.stdout))


@pytest.mark.parametrize("after", ["", "; sleep 600"])
async def test_an_escapee_that_prints_for_ever_holds_us_no_longer_than_the_deadline(after: str) -> None:
    code = "setsid sh -c 'trap \"\" PIPE; echo $$; exec yes' & sleep 1" + after
    result = await run_child(["sh", "-c", code], timeout_s=2.5)
    escapee = int(result.stdout.splitlines()[0])
    try:
        assert result.truncated
        assert len(result.stdout) == 65536
    finally:
        if runs(escapee):
            os.kill(escapee, signal.SIGKILL)


async def test_endless_output_is_cut_and_memory_stays_flat() -> None:
    peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = await run_child(["yes"], timeout_s=20, max_output_bytes=1000)
    assert result.stdout == b"y\n" * 500
    assert (result.truncated, result.returncode, result.timed_out) == (True, -signal.SIGKILL, False)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before < 20_000  # KiB


async def test_a_little_too_much_output_is_cut_and_the_exit_code_is_kept() -> None:
    result = await run_child(["sh", "-c", "head -c 300000 /dev/zero; exit 2"], timeout_s=20)
    assert (len(result.stdout), result.truncated, result.returncode) == (65536, True, 2)


async def test_a_child_cannot_take_more_memory_than_its_limit() -> None:
    code = "try: x = bytearray(1 << 30)\nexcept MemoryError: print('refused')"
    told = await run_child(["env", PYTHON, "-c", code], timeout_s=20, memory_limit_bytes=512 << 20)
    assert told.stdout == b"refused\n"


@contextmanager
def limit(kind: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@contextmanager
def descriptors_left(spare: int) -> Iterator[None]:
    """A full table of descriptors, but for `spare` of them."""
    with limit(resource.RLIMIT_NOFILE, descriptors() + 30):
        held: list[int] = []
        try:
            with suppress(OSError):
                while True:
                    held.append(os.open("/dev/null", os.O_RDONLY))
            for _ in range(spare):
                os.close(held.pop())
            yield
        finally:
            for descriptor in held:
                os.close(descriptor)


async def test_no_descriptor_left_is_a_start_error_at_every_number_of_them_and_leaks_none() -> None:
    used = descriptors()
    told = []
    for spare in range(14):
        with descriptors_left(spare):
            result = await run_child(["true"], timeout_s=10)
        told.append(result.returncode)
        assert (result.start_error is None) == (result.returncode == 0)
        assert result.start_error is None or "Too many open files" in result.start_error
    assert told[0] is None
    assert told[-1] == 0
    assert descriptors() <= used


async def test_a_fork_that_fails_is_a_start_error() -> None:
    # As root there is no limit of processes: the test runs as somebody else, in a process of its own.
    code = (
        "import asyncio, os, resource, sys\n"
        "from lifesign.processes.child import run_child\n"
        "if os.getuid() == 0: os.setgroups([]); os.setgid(54321); os.setuid(54321)\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))\n"
        "print(asyncio.run(run_child(['true'], timeout_s=5)).start_error)\n"
    )
    ran = await asyncio.to_thread(subprocess.run, [PYTHON, "-c", code], capture_output=True, text=True, timeout=30)
    assert "cannot start true: Resource temporarily unavailable" in ran.stdout, ran.stderr


async def test_a_cancelled_child_is_killed_and_reaped_before_the_cancellation_goes_on(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    task = asyncio.create_task(run_child(["sh", "-c", f"echo $$ > {mark}; sleep 600; :"], timeout_s=600))
    pid = await pid_in(mark)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pid not in our_children()


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancel_during_the_spawn_leaves_nothing(turns: int) -> None:
    used, children = descriptors(), our_children()
    for _ in range(5):
        task = asyncio.create_task(run_child(["sleep", "600"], timeout_s=600))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # and the one who cancels is impatient
        with pytest.raises(asyncio.CancelledError):
            await task
    assert our_children() <= children
    assert descriptors() <= used


async def test_somebody_else_who_reaps_everything_confuses_nobody() -> None:
    task = asyncio.create_task(run_child(["sleep", "0.2"], timeout_s=10))
    await asyncio.sleep(0)
    os.waitpid(-1, 0)  # noqa: ASYNC222 - the loop must stand still meanwhile, so that we lose this race
    assert (await task).returncode is None


async def test_without_a_pidfd_children_are_still_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(pid: int, flags: int = 0) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", none)
    assert (await run_child(["sh", "-c", "exit 4"], timeout_s=10)).returncode == 4
    assert (await run_child(["sleep", "600"], timeout_s=0.3)).timed_out


@contextmanager
def dead_mount(folder: Path) -> Iterator[None]:
    """A FUSE file system whose server never answers, as a network mount whose server is gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        pytest.skip("no FUSE here")
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    if libc.mount(b"dead", os.fsencode(folder), b"fuse", 0, options) != 0:
        os.close(device)
        pytest.skip("no right to mount here")
    try:
        yield
    finally:
        os.close(device)
        libc.umount2(os.fsencode(folder), 2)


@pytest.mark.parametrize("where", ["program", "folder"])
async def test_a_program_on_a_dead_mount_blocks_neither_the_loop_nor_the_result(tmp_path: Path, where: str) -> None:
    beats = 0

    async def pulse() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    with dead_mount(tmp_path):
        heart = asyncio.create_task(pulse())
        argv, cwd = ([str(tmp_path / "check.sh")], None) if where == "program" else (["true"], str(tmp_path))
        result = await run_child(argv, timeout_s=0.5, cwd=cwd)
        heart.cancel()
    assert result.timed_out
    assert beats > 3, "the loop stood still until the end"


UNKILLABLE = """
import asyncio, ctypes, os, sys
if len(sys.argv) == 1:  # root's right to signal strangers ends with the next exec
    if os.getuid() != 0:
        sys.exit(77)
    ctypes.CDLL(None).prctl(24, 5, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_KILL
    os.execv(sys.executable, [sys.executable, "-c", sys.orig_argv[2], "again"])
from lifesign.processes.child import run_child

async def main():
    stranger = [sys.executable, "-ISc", "import os, time; os.setuid(54321); time.sleep(3)"]
    first = await run_child(stranger, timeout_s=1)
    print(first.returncode, first.timed_out)
    print((await run_child(stranger, timeout_s=1)).start_error is not None)
    print((await run_child(["true"], timeout_s=5)).returncode)
    while (last := await run_child(stranger, timeout_s=9)).start_error is not None:
        await asyncio.sleep(0.1)
    print(last.returncode)

asyncio.run(main())
"""


@pytest.mark.proof
async def test_a_child_that_cannot_be_ended_is_left_behind_and_gets_no_second_beside_it() -> None:
    ran = await asyncio.to_thread(
        subprocess.run, [PYTHON, "-c", UNKILLABLE], capture_output=True, text=True, timeout=40
    )
    if ran.returncode == 77:
        pytest.skip("only root can start a child that it may not kill")
    assert ran.stdout.splitlines() == ["None True", "True", "0", "0"], ran.stderr


async def test_a_child_of_a_killed_monitor_ends_by_its_own_alarm(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = (
        "import asyncio, sys\nfrom lifesign.processes.child import run_child\n"
        f"asyncio.run(run_child(['sh', '-c', 'echo $$ > {mark}; exec sleep 600'], timeout_s=0.5))"
    )
    monitor = await asyncio.create_subprocess_exec(PYTHON, "-c", code)
    pid = await pid_in(mark)
    monitor.kill()
    await monitor.wait()
    assert await until_gone(pid)


KINDS: list[tuple[list[str], float]] = [
    (["true"], 10.0),
    ([PYTHON, "-I", "-S", "-c", "print('well')"], 10.0),
    (["no-such-program"], 10.0),
    (["sleep", "9"], 0.05),  # timed out, most of them while they start
    (["sh", "-c", "trap '' TERM; echo; sleep 9; sleep 9"], 0.3),
    (["yes"], 10.0),  # prints for ever
    (["sh", "-c", "sleep 600 & exit 1"], 10.0),  # a grandchild keeps the pipes
    (["sh", "-c", "setsid sleep 3 & sleep 0.05"], 10.0),  # an escapee keeps them, out of anybody's reach, for 3 s
]


def marked(mark: str) -> list[str]:
    """The command lines of all processes, ours or not, that carry `mark` in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"LIFESIGN_MARK={mark}".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


async def many_runs(count: int, figures: Figures) -> None:
    mark, used = f"{os.getpid()}-{time.monotonic_ns()}", descriptors()
    env = {"PATH": os.environ["PATH"], "LIFESIGN_MARK": mark}
    told: Counter[tuple[int, int | None]] = Counter()
    before = our_children()  # of tests that ran in this process before

    async def run(number: int) -> None:
        kind = number % len(KINDS)
        argv, timeout_s = KINDS[kind]
        result = await run_child(argv, timeout_s=timeout_s, env=env)
        told[kind, result.returncode] += 1

    for first in range(0, count, 10):
        async with asyncio.TaskGroup() as group:
            for number in range(first, min(first + 10, count)):
                group.create_task(run(number))
        async with asyncio.timeout(60):  # what a busy machine has not let die yet is reaped by the loop
            while our_children() - before:  # noqa: ASYNC110 - a reaped child sets no event
                await asyncio.sleep(0.01)
        assert descriptors() <= used
    deadline = time.monotonic() + 60  # for the last escapees to end of themselves, and for what was killed to do so
    while (left := marked(mark)) and time.monotonic() < deadline:  # noqa: ASYNC110 - their ends set no event
        await asyncio.sleep(0.2)
    assert left == []
    assert told.total() == count
    assert told[3, -signal.SIGKILL] + told[4, -signal.SIGKILL] >= count // 5
    assert told[5, -signal.SIGKILL] >= count // 9
    figures("children", runs=count, killed=sum(many for (_, code), many in told.items() if code == -signal.SIGKILL))


async def test_eighty_runs_leave_no_zombie_no_orphan_and_no_descriptor(figures: Figures) -> None:
    await many_runs(80, figures)


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(4))
async def test_ten_thousand_runs_leave_no_zombie_no_orphan_and_no_descriptor(part: int, figures: Figures) -> None:
    await many_runs(2_500, figures)
