"""A worker that hangs: its process is there and its port still takes connections, but nothing is done any more."""

import signal
from pathlib import Path

from tests.faults.bystander import Worker
from tests.faults.recipe import DOWN, Expect, Recipe


class Fault(Recipe):
    batch = "lasting"
    expect = Expect(DOWN, "no new work for")

    def config(self, folder: Path) -> str:
        self.worker = Worker(folder, self.name)
        return self.worker.text.replace("8s", "3s")

    def inject(self) -> None:
        self.worker.process.send_signal(signal.SIGSTOP)

    def heal(self) -> None:
        self.worker.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.worker.end()
