"""A real "mind": a gateway that takes connections, a worker that writes heartbeats, and its source."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.running import wait_until
from tests.ports import free_port

GATEWAY = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listener.accept()[0].close()
"""
THINK = """
import sys, time
from lifesign import Heartbeat
heart = Heartbeat("mind", path=sys.argv[1])
while True:
    heart.beat(model="m")
    time.sleep(0.1)
"""
CONFIG = """
[defaults]
interval = "300ms"
timeout = "2s"
grace = "1s"

[components.mind]
depends_on = ["gateway"]
[components.mind.checks.heartbeat]
type = "heartbeat"
path = "heartbeat.json"
stale_after = "4s"
progress = "cycle"
[components.mind.checks.process]
type = "process"
pattern = "{marker}"
[components.mind.checks.gateway]
type = "tcp"
address = "127.0.0.1:{port}"
[components.mind.checks.syntax]
type = "syntax"
paths = ["source/*.py"]

[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
"""


class Mind:
    """The running parts, each of which can be broken and mended by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.marker = f"think_{os.getpid()}_{self.port}"
        source = folder / "source"
        source.mkdir()
        self.source = source / f"{self.marker}.py"
        self.source.write_text(THINK)
        self.config = CONFIG.format(marker=self.marker, port=self.port)
        self.gateway: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.start_gateway()
        self.start_worker()
        wait_until((folder / "heartbeat.json").exists, "a first heartbeat")

    def start_gateway(self) -> None:
        self.gateway = subprocess.Popen([sys.executable, "-c", GATEWAY, str(self.port)])
        wait_until(self._listens, "the gateway listens")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop_gateway(self) -> None:
        _end(self.gateway)

    def start_worker(self) -> None:
        self.worker = subprocess.Popen([sys.executable, str(self.source), str(self.folder / "heartbeat.json")])

    def kill_worker(self) -> None:
        _end(self.worker)

    def hang_worker(self) -> None:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGSTOP)

    def wake_worker(self) -> None:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGCONT)

    def break_source(self) -> None:
        self.source.write_text(THINK + "def broken(:\n")

    def mend_source(self) -> None:
        self.source.write_text(THINK)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait()


@contextlib.contextmanager
def mind(folder: Path) -> Iterator[Mind]:
    """A mind in `folder`, ended afterwards whatever happened."""
    running = Mind(folder)
    try:
        yield running
    finally:
        running.stop_gateway()
        running.kill_worker()
