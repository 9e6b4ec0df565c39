"""Real processes to restart: some obey, some do not, some are not what they seem. None is our descendant."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from lifesign.core.model import Identity
from lifesign.processes.stat import read_stat, started_at_s
from lifesign.restarts.restarter import Hint
from tests.checks.strangers import stranger, wait_until

_OBEYS = "import signal; signal.signal(signal.SIGTERM, signal.SIG_DFL)"
_IGNORES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
_SLOW = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.7), sys.exit(0)))
"""
_BODY = """
{prelude}
import os, sys, time
with open(sys.argv[1], "w") as ready:
    ready.write("ready")
while True:
    time.sleep(0.05)
"""


@contextmanager
def _running(folder: Path, prelude: str, *words: str) -> Iterator[int]:
    script, ready = folder / "worker.py", folder / "ready"
    script.write_text(_BODY.format(prelude=prelude))
    ready.unlink(missing_ok=True)
    with stranger(sys.executable, "-I", "-S", script, ready, *words) as pid:
        wait_until(lambda: ready.exists() and ready.read_text() == "ready")
        yield pid


def worker(folder: Path, *words: str) -> AbstractContextManager[int]:
    """One that ends on SIGTERM."""
    return _running(folder, _OBEYS, *words)


def deaf_worker(folder: Path) -> AbstractContextManager[int]:
    """One that ignores SIGTERM."""
    return _running(folder, _IGNORES)


def slow_worker(folder: Path) -> AbstractContextManager[int]:
    """One that needs 0.7 s for a clean stop."""
    return _running(folder, _SLOW)


def identity_of(pid: int) -> Identity:
    """As the process check would tell it."""
    stat = read_stat(pid)
    assert stat is not None
    return Identity(pid, started_at_s(stat))


def seen(pid: int) -> Hint:
    """What the core knows where a process check saw `pid`."""
    return Hint(identity_of(pid))


def pidfile(folder: Path, content: object) -> Path:
    """A pidfile of this content."""
    path = folder / "worker.pid"
    path.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())
    return path


def age(path: Path, seconds: float) -> None:
    """Makes `path` look written so long ago."""
    status = path.stat()
    written_ns = status.st_mtime_ns - int(seconds * 1e9)
    os.utime(path, ns=(written_ns, written_ns))
