"""A process that a check finds by its command line or its pidfile, and the ways in which it ends."""

import json
import subprocess
from pathlib import Path
from typing import ClassVar

from tests.checks.strangers import marker, sleeper
from tests.faults.recipe import Recipe, component


class Living(Recipe):
    """One process, told by a word on its command line; `keys` may ask for more."""

    batch = "lasting"
    keys: ClassVar[str] = ""

    def config(self, folder: Path) -> str:
        self.folder = folder
        self.word = marker()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start()
        return component(self.name, self.check(), more=self.keys)

    def check(self) -> str:
        """The body of its check."""
        return f'type = "process"\npattern = "{self.word}"'

    def start(self) -> subprocess.Popen[bytes]:
        """One more of it."""
        self.processes.append(subprocess.Popen(sleeper(self.word)))
        return self.processes[-1]

    def end(self) -> None:
        """Kills and buries all of them."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()

    def heal(self) -> None:
        self.end()
        self.start()

    def close(self) -> None:
        self.end()


class Pidfile(Living):
    """One process, named by a pidfile."""

    def check(self) -> str:
        return f'type = "process"\npidfile = {json.dumps(str(self.pidfile))}'

    @property
    def pidfile(self) -> Path:
        return self.folder / "it.pid"

    def start(self) -> subprocess.Popen[bytes]:
        process = super().start()
        self.write(process.pid)
        return process

    def write(self, pid: int) -> None:
        """Names `pid`, in one step."""
        fresh = self.folder / "it.pid.new"
        fresh.write_text(f"{pid}\n")
        fresh.replace(self.pidfile)
