"""Programs that a test starts: none outlives its block, however the test ends."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pexpect
import psutil


@contextmanager
def started(argv: Sequence[Any], **how: Any) -> Iterator["subprocess.Popen[Any]"]:
    """`subprocess.Popen(argv, **how)`, killed at the end of the block if it still runs.

    Popen's own block waits without an end for a program that a failed test never told to stop.
    """
    with subprocess.Popen(argv, **how) as process:
        try:
            yield process
        finally:
            process.kill()


def put_away(terminal: "pexpect.spawn[Any]") -> None:
    """Kills what runs on a terminal, if it still does, and closes that.

    pexpect's own `close(force=True)` fails where one that was killed takes more than a tenth of a second to end.
    """
    if terminal.isalive():
        terminal.kill(signal.SIGKILL)
        terminal.wait()
    terminal.close()


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more; one that is gone while it is asked has ended too."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
