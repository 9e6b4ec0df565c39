"""A component that is always well, watched in three ways. Whatever is broken beside it, nothing may be told of it."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.checks.strangers import marker
from tests.e2e.running import wait_until

NAME = "bystander"
_WORK = """
import json, os, select, socket, sys, threading, time
listener = socket.create_server(("127.0.0.1", 0))
def answer():
    while True:
        listener.accept()[0].close()
threading.Thread(target=answer, daemon=True).start()
beat, cycle = sys.argv[1], 0
while True:
    cycle, now = cycle + 1, time.time()
    with open(beat + ".new", "w") as file:
        json.dump({"timestamp": now, "cycle": cycle, "port": listener.getsockname()[1]}, file)
    os.utime(beat + ".new", (now, now))  # where its clock was stepped, so are the times of the files it writes
    os.replace(beat + ".new", beat)
    select.select([], [], [], float(sys.argv[2]))  # libfaketime breaks an absolute sleep, and this is none
"""
_CONFIG = """
[components.{name}.checks.beat]
type = "heartbeat"
path = {path}
stale_after = "8s"
[components.{name}.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
timeout = "5s"
[components.{name}.checks.process]
type = "process"
pattern = "{marker}"
timeout = "5s"
"""


class Worker:
    """A process that works: it beats, listens, and can be stopped or killed. `text` is its component as TOML."""

    def __init__(self, folder: Path, name: str = NAME, prefix: Sequence[str] = (), pace_s: float = 0.1) -> None:
        self.folder, self.name = folder, name
        self.beat = folder / f"{name}.json"
        self.word = marker()
        self._command = [*prefix, sys.executable, "-I", "-S", "-c", _WORK, str(self.beat), str(pace_s), self.word]
        self.process = subprocess.Popen(self._command)
        wait_until(self.beat.exists, f"a first heartbeat of {name}")
        self.port = json.loads(self.beat.read_text())["port"]
        path = json.dumps(str(self.beat))
        self.text = _CONFIG.format(name=name, path=path, port=self.port, marker=self.word)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def working(folder: Path, prefix: Sequence[str] = ()) -> Iterator[Worker]:
    """The bystander, started by way of `prefix`; ended afterwards whatever happened."""
    worker = Worker(folder, prefix=prefix)
    try:
        yield worker
    finally:
        worker.end()
