"""Disposable child processes: where everything runs that can block, crash or print for ever.

A child has a session and a process group of its own, no terminal, a small environment and a deadline, after
which the whole group gets SIGKILL. We wait for the child alone, by pidfd: a grandchild that holds the pipe, or
one that escaped with setsid, keeps nobody waiting. Not here: what an exit code or an output means.
"""

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence

from lifesign.processes.child_process import KILL_WAIT_S, ChildProcess, unended
from lifesign.records import dataclass
from lifesign.text import clean

MAX_UNENDED = 32  # children that the kernel will not let die; with so many of them no further one is started
_ENVIRONMENT = ("PATH", "LANG", "HOME")


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How a child ended.

    `returncode`: its exit code, or minus the signal; None where it never started, could not be ended, or was reaped
    by someone else. `truncated`: more than the limit was printed; the first part is kept, and a child that prints
    far beyond it is killed. `start_error`: a sentence, where it never ran, with its errno in `start_errno`.
    """

    returncode: int | None
    stdout: bytes = b""
    stderr: bytes = b""
    timed_out: bool = False
    truncated: bool = False
    start_error: str | None = None
    start_errno: int | None = None


def minimal_environment() -> dict[str, str]:
    """PATH, LANG and HOME of ours, as far as they are set: no secret of ours reaches a child."""
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


async def run_child(
    argv: Sequence[str],
    *,
    input: bytes = b"",  # noqa: A002 - the word that subprocess uses
    timeout_s: float,
    max_output_bytes: int = 65536,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    memory_limit_bytes: int | None = None,
    leaves_others: bool = False,
) -> ChildResult:
    """Runs `argv` until it ends or `timeout_s` (> 0) is over; returns at most `KILL_WAIT_S` later.

    `env` is the whole environment (default: `minimal_environment()`); `max_output_bytes` holds for each of the two
    streams; `memory_limit_bytes` limits the address space. Never raises for a child that fails. When cancelled, the
    group is killed and the child reaped before the cancellation goes on. What it leaves behind in its group is killed
    at its end, unless `leaves_others` and its exit code is 0: it has started something then. While an earlier child
    with the same `argv` and `input` cannot be ended, or `MAX_UNENDED` of any kind, no further one is started.
    """
    job = hash((tuple(argv), input))
    if job in unended.values() or len(unended) >= MAX_UNENDED:
        return ChildResult(None, start_error=f"an earlier child cannot be ended, so no further {argv[0]} is started")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    child = ChildProcess(loop, job, max_output_bytes, leaves_others=leaves_others)
    try:
        child.spawn(argv, dict(minimal_environment() if env is None else env), cwd, timeout_s)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        child.close_pipes()
        return _not_started(argv, error)
    try:
        child.limit(memory_limit_bytes)
        child.talk(input)
        timed_out = not await child.ended(deadline - loop.time())
        if timed_out:
            child.kill()
            await child.ended(KILL_WAIT_S)
    except asyncio.CancelledError:
        child.kill()
        await child.ended_in_spite_of_cancellation()
        raise
    finally:
        child.release()
    return _result(child, argv, cwd, timed_out=timed_out)


def _not_started(argv: Sequence[str], error: Exception) -> ChildResult:
    number = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(number) if number else str(error)
    return ChildResult(None, start_error=clean(f"cannot start {argv[0]}: {reason}"), start_errno=number)


def _result(child: ChildProcess, argv: Sequence[str], cwd: str | None, *, timed_out: bool) -> ChildResult:
    step, _, number = child.report.decode().partition(" ")
    if number:
        what = f"enter {cwd}" if step == "enter" else f"start {argv[0]}"
        words = clean(f"cannot {what}: {os.strerror(int(number))}")
        return ChildResult(None, start_error=words, start_errno=int(number))
    return ChildResult(
        child.returncode,
        bytes(child.stdout.kept),
        bytes(child.stderr.kept),
        timed_out=timed_out,
        truncated=child.stdout.truncated or child.stderr.truncated,
    )
