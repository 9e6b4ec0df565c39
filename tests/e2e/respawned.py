"""A worker that a plain shell loop starts anew whenever it ends, and the ways in which it can hang."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.running import wait_until

WORKER = """
import os, pathlib, sys, time
from lifesign import Heartbeat
folder = pathlib.Path(sys.argv[1])
heart = Heartbeat("mind", path=folder / "heartbeat.json")
with (folder / "starts").open("a") as starts:
    starts.write(f"{os.getpid()}\\n")
slow = folder / "slow"
time.sleep(float(slow.read_text()) if slow.exists() else 0)
while True:
    hung = (folder / "hung").read_text() if (folder / "hung").exists() else ""
    if hung not in ("all", str(os.getpid())):
        heart.beat()
    time.sleep(0.05)
"""
COMPONENT = """
[defaults]
interval = "200ms"
timeout = "2s"
grace = "500ms"

[components.mind.checks.heartbeat]
type = "heartbeat"
path = "heartbeat.json"
stale_after = "1s"
[components.mind.checks.process]
type = "process"
pattern = "{marker}"  # matches the loop of the shell, too
"""


class Respawned:
    """The worker and its loop. A hung one lives, and writes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / f"worker_{os.getpid()}_{folder.name}.py"
        self.script.write_text(WORKER)
        self.config = COMPONENT.format(marker=self.script.name.replace(".", "[.]"))
        self.loop: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the loop; returns once the worker has begun."""
        loop = f'while :; do "{sys.executable}" "{self.script}" "{self.folder}"; sleep 0.1; done'
        self.loop = subprocess.Popen(["sh", "-c", loop], start_new_session=True, stderr=subprocess.DEVNULL)
        wait_until(lambda: bool(self.pids), "the worker's first start")

    @property
    def pids(self) -> list[int]:
        """Of every worker that was ever started, in that order."""
        starts = self.folder / "starts"
        return [int(line) for line in starts.read_text().split()] if starts.exists() else []

    def hang(self) -> None:
        """The worker of now hangs; the next one will not."""
        (self.folder / "hung").write_text(str(self.pids[-1]))

    def hang_for_good(self) -> None:
        """This one, and every one after it."""
        (self.folder / "hung").write_text("all")

    def mend(self) -> None:
        """Nobody hangs any more."""
        (self.folder / "hung").unlink()

    def stop(self) -> None:
        """Ends the loop and the worker."""
        if self.loop is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.loop.pid, signal.SIGKILL)
            self.loop.wait()


@contextlib.contextmanager
def respawned(folder: Path) -> Iterator[Respawned]:
    """A worker in `folder`, ended afterwards whatever happened."""
    running = Respawned(folder)
    try:
        yield running
    finally:
        running.stop()
