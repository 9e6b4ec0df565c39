"""Real processes that are no descendants of the test, because descendants of the looker never count."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SLEEP = "import time; time.sleep(600)"

_LAUNCH = """
import subprocess, sys
null = subprocess.DEVNULL
print(subprocess.Popen(sys.argv[1:], stdin=null, stdout=null, stderr=null, start_new_session=True).pid)
"""


def marker() -> str:
    """A word that stands on no other command line."""
    return f"lifesign-test-{uuid.uuid4().hex}"


@contextmanager
def stranger(*argv: str | Path) -> Iterator[int]:
    """The pid of `argv`, started by a parent that is gone; killed at the end. It is past its exec."""
    command = [sys.executable, "-c", _LAUNCH, *map(str, argv)]
    pid = int(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def sleeper(*words: str) -> list[str]:
    """A command that sleeps, with `words` on its command line."""
    return [sys.executable, "-I", "-S", "-c", SLEEP, *words]


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Polls until `condition` holds; fails the test where it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def state_of(pid: int) -> str:
    """The letter of proc(5), empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def until_it_sleeps(pid: int) -> None:
    """Waits until a sleeper does: while it starts it has one descriptor more, and less memory."""
    wait_until(lambda: state_of(pid) == "S" and len(list(Path(f"/proc/{pid}/fd").iterdir())) == 3)
