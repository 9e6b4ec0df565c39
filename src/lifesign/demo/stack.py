"""The demo's stack: a private folder, five programs on free loopback ports, a config, and ten ways to break them.

Everything it starts ends with it, also when it is killed: each program ends with its standard input, the lifeline
that this process alone holds open, and the reaper ends the rest and removes the folder. Not here: when what is
broken (`director`), and what lifesign says to it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from lifesign.core.model import Layer
from lifesign.demo.config import Ports, config_text
from lifesign.demo.program import Control, Mode
from lifesign.demo.reaper import READY
from lifesign.demo.scenario import Scenario
from lifesign.demo.unwell import restart_scenarios

CLOSE_PATIENCE_S = 15.0
_SOURCE = Path(__file__).with_name("mind.py")
_SYNTAX_ERROR = "\ndef think(:\n"


class DemoStack:
    """Starts with `start()`, ends with `close()`; also a context manager."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lifesign-demo-"))
        self.config_path = self.folder / "lifesign.toml"
        self.state_dir = self.folder / "state"
        self.source_path = self.folder / "nexus" / "mind.py"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._held = contextlib.ExitStack()
        self._lifeline = self._lifeline_end = -1
        self._reaper: subprocess.Popen[bytes] | None = None
        self.ports = Ports(*(self._free_port() for _ in range(3)))

    def __enter__(self) -> "DemoStack":
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def start(self) -> None:
        """Writes the files and starts the reaper and the programs. Raises OSError."""
        self._lifeline_end, self._lifeline = os.pipe2(os.O_CLOEXEC)
        self._held.callback(os.close, self._lifeline_end)
        self._start_reaper()
        self.source_path.parent.mkdir()
        shutil.copyfile(_SOURCE, self.source_path)
        self.config_path.write_text(config_text(self.folder, self.ports))
        self.config_path.chmod(0o600)
        for role in ("gateway", "mind", "feed", "tools", "keeper"):
            self.start_program(role)

    def _start_reaper(self) -> None:
        """And waits until it is ready: what is started before it could outlive us."""
        reaper = self.spawn("reaper", ["-m", "lifesign.demo.reaper", str(self.folder)], stdout=subprocess.PIPE)
        assert reaper.stdout is not None
        if reaper.stdout.read(len(READY)) != READY:
            raise OSError("the demo's reaper does not start")
        self._reaper = reaper

    def _free_port(self) -> int:
        """A port that stays ours: bound and not listened on, so that only a program of ours can listen there."""
        held = self._held.enter_context(socket.socket())
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])

    def start_program(self, role: str) -> None:
        """Starts the program of `role`, again if it is dead."""
        ports = {"gateway": self.ports.gateway, "feed": self.ports.gateway}
        port = str(ports.get(role) or getattr(self.ports, role, 0))
        module = [str(self.source_path)] if role == "mind" else ["-m", "lifesign.demo.program", role]
        self.spawn(role, [*module, str(self.folder), port])

    def spawn(self, name: str, arguments: Sequence[str], *, stdout: int | None = None) -> subprocess.Popen[bytes]:
        """A Python of ours with `arguments` that ends with the stack. Its output goes to `NAME.log` unless `stdout`."""
        with self._log(name) as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=self._lifeline_end,
                stdout=log if stdout is None else stdout,
                stderr=log if stdout is None else subprocess.STDOUT,
                cwd="/" if name == "reaper" else self.folder,
                env=_environment(),
                process_group=self._reaper.pid if self._reaper else 0,
            )
        return self.processes[name]

    def _log(self, name: str) -> IO[bytes]:
        return (self.folder / f"{name}.log").open("ab")

    def kill_program(self, role: str) -> None:
        """SIGKILL, and reaped: no zombie stays."""
        self.processes[role].kill()
        self.processes[role].wait()

    def close(self) -> None:
        """Ends everything and removes the folder; idempotent. Takes as long as the slowest program, at most 15 s."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        self._held.close()
        deadline = time.monotonic() + CLOSE_PATIENCE_S
        for process in reversed(self.processes.values()):  # the reaper was the first and is the last
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0.1))
            if process.stdout is not None:
                process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def scenarios(self) -> tuple[Scenario, ...]:
        """Every way to break it. Their order keeps any three components from going down within ten seconds."""
        return (
            self._by_mode("the worker hangs", "its process lives, its port answers", "mind", Layer.WORKING, Mode.HANG),
            self._by_mode("its counter stands still", "its heartbeat is fresh", "mind", Layer.WORKING, Mode.STUCK),
            Scenario(
                "a syntax error in its source",
                "it still runs, but would not start again",
                "mind",
                Layer.STARTABLE,
                self._break_source,
                self._mend_source,
            ),
            self._by_death("its process is killed", "its source still parses", "mind", Layer.ALIVE),
            self._by_death("the tool server goes away", "optional: the whole is not down", "tools", Layer.READY),
            *restart_scenarios(self.folder),
            self._by_mode("the feed delivers nothing", "every reconnect succeeds", "feed", Layer.WORKING, Mode.IDLE),
            self._by_mode(
                "the gateway falls silent", "its process lives, its port is open", "gateway", Layer.READY, Mode.SILENT
            ),
        )

    def _by_mode(self, title: str, expect: str, component: str, layer: Layer, mode: Mode) -> Scenario:
        control = Control(self.folder, component)
        return Scenario(title, expect, component, layer, lambda: control.set(mode), lambda: control.set(Mode.WORK))

    def _by_death(self, title: str, expect: str, role: str, layer: Layer) -> Scenario:
        return Scenario(title, expect, role, layer, lambda: self.kill_program(role), lambda: self.start_program(role))

    def _break_source(self) -> None:
        with self.source_path.open("a") as source:
            source.write(_SYNTAX_ERROR)

    def _mend_source(self) -> None:
        shutil.copyfile(_SOURCE, self.source_path)


def _environment() -> dict[str, str]:
    """What a Python needs to find the same lifesign, and nothing that could be a secret."""
    names = (
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TERM",
        "COLORTERM",
        "NO_COLOR",
        "TZ",
        "TMPDIR",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    )
    return {name: os.environ[name] for name in names if name in os.environ}
