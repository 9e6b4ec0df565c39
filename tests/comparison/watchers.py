"""The three programs, each in the foreground on a config of its own, and the alarms that it raises.

Every alarm is stamped when its line appears in the program's own log, by one and the same reader. All three look every
second and condemn after three failures in a row, where they can count.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.e2e.running import LIFESIGN, Daemon, wait_until
from tests.e2e.tail import Tail

BESIDE = "beside"  # what has a name like this is broken on purpose: an alarm on it is none of ours
_DEFAULTS = '[defaults]\ninterval = "1s"\ntimeout = "1s"\nfailure_threshold = 3\ngrace = "4s"\n'


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that would have woken a human. `at_s` is of the monotonic clock."""

    at_s: float
    words: str


class Watcher(ABC):
    """One program, started at once. `process` is it."""

    program: ClassVar[str]

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(mode=0o755)
        self.folder = folder
        self.log = folder / "log"
        with (folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
            )
        self._tail = Tail(self.log)

    @abstractmethod
    def command(self) -> list[str]:
        """Writes its config; its command line."""

    @abstractmethod
    def alarm(self, line: str) -> str | None:
        """What a human would have heard of this line of its log; None for nothing."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it watches."""

    def alarms(self) -> list[Alarm]:
        """All up to now, in order."""
        found = ((at_s, self.alarm(line)) for at_s, line in [*self._tail.lines])
        return [Alarm(at_s, words) for at_s, words in found if words is not None]

    def end(self) -> None:
        """Ends it, stopped or not."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:  # Monit ends only after its round, and one of hung targets is long
            self.process.kill()
            self.process.wait()
        self._tail.close()


class Lifesign(Watcher):
    """The daemon. Its alarms are what its alerts would be made of, and what it cannot judge."""

    program = "lifesign"

    def __init__(self, folder: Path, environment: Mapping[str, str], components: str) -> None:
        self._components = components
        super().__init__(folder, environment)
        self.daemon = Daemon(folder / "lifesign.toml", self.log, self.process)

    def command(self) -> list[str]:
        config = self.folder / "lifesign.toml"
        config.write_text(f'[monitor]\nstate_dir = "state"\n{_DEFAULTS}{self._components}')
        config.chmod(0o644)
        return [*LIFESIGN, "run", "-c", str(config), "--log-file", str(self.log)]

    def alarm(self, line: str) -> str | None:
        event: dict[str, Any] = json.loads(line)
        is_ours = not event.get("component", "").startswith(BESIDE)
        alarming = ("component.down", "component.unknown", "process.crash_loop")
        return f"{event['event']}: {event.get('message', '')}" if is_ours and event["event"] in alarming else None

    def is_ready(self) -> bool:
        return any('"component.healthy"' in line and f'"{BESIDE}' not in line for _, line in self._tail.lines)


class Monit(Watcher):
    """Monit. Its log calls a failure that met its cycles an error, and one that did not a warning."""

    program = "Monit"

    def __init__(self, folder: Path, environment: Mapping[str, str], checks: str) -> None:
        self._checks = checks
        super().__init__(folder, environment)

    def command(self) -> list[str]:
        files = "".join(f"set {name} {self.folder / name}\n" for name in ("pidfile", "idfile", "statefile"))
        config = self.folder / "monitrc"
        config.write_text(f"set daemon 1\nset log {self.log}\n{files}{self._checks}")
        config.chmod(0o600)
        return [shutil.which("monit") or "monit", "-I", "-c", str(config)]

    def alarm(self, line: str) -> str | None:
        told = re.search(r"\] error +: '(\w+)' (.*)", line)
        if (
            told is None
            or told[1].startswith(BESIDE)
            or ("PID changed" in told[2] and "changed pid" not in self._checks)
        ):
            return None  # a new pid is no alarm, unless the config makes it one
        return f"{told[1]}: {told[2]}"

    def is_ready(self) -> bool:
        return any("started" in line for _, line in self._tail.lines)


_PROGRAM = """
import os, select, sys, time
pid, crash = sys.argv[1:]
open(pid, "w").write(str(os.getpid()))
began = time.monotonic()
while not os.path.exists(crash) or time.monotonic() - began < 2:
    select.select([], [], [], 0.05)  # libfaketime breaks an absolute sleep, and this is none
sys.exit(1)
"""
_LISTENER = """
import sys
log = open(sys.argv[1], "a", buffering=1)
while True:
    print("READY", flush=True)
    header = dict(pair.split(":") for pair in sys.stdin.readline().split())
    log.write(header["eventname"] + " " + sys.stdin.read(int(header["len"])) + "\\n")
    print("RESULT 2\\nOK", end="", flush=True)
"""
_SUPERVISOR = """
[unix_http_server]
file={folder}/socket
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:it]
command={python} -I -S {folder}/program.py {folder}/it.pid {folder}/crash
autorestart=true
startsecs=1
[eventlistener:told]
command={python} -I -S {folder}/listener.py {folder}/log
events=PROCESS_STATE
"""


class Supervisor(Watcher):
    """Supervisor, with a program of its own: it watches only what it has started."""

    program = "Supervisor"

    def command(self) -> list[str]:
        (self.folder / "program.py").write_text(_PROGRAM)
        (self.folder / "listener.py").write_text(_LISTENER)
        config = self.folder / "supervisord.conf"
        config.write_text(_SUPERVISOR.format(folder=self.folder, python=sys.executable))
        return [shutil.which("supervisord") or "supervisord", "-c", str(config)]

    def alarm(self, line: str) -> str | None:
        if "processname:it" not in line:
            return None
        is_bad = "STATE_FATAL" in line or "STATE_BACKOFF" in line or "expected:0" in line
        return line if is_bad else None

    def is_ready(self) -> bool:
        return any("STATE_RUNNING processname:it" in line for _, line in self._tail.lines)

    def kill(self) -> None:
        """Its program is killed."""
        os.kill(self._pid(), signal.SIGKILL)

    def stop(self) -> None:
        """Its program is stopped by a signal, and hangs."""
        os.kill(self._pid(), signal.SIGSTOP)

    def crash(self) -> None:
        """Its program ends two seconds after each start from now on."""
        (self.folder / "crash").touch()

    def _pid(self) -> int:
        file = self.folder / "it.pid"
        wait_until(lambda: file.exists() and file.read_text() != "", "the program's pid")
        return int(file.read_text())
