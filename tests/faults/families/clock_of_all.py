"""The wall clock of the whole machine is stepped: of the monitor, and of the program that writes its heartbeat."""

from pathlib import Path
from typing import ClassVar

from tests.faults.bystander import Worker
from tests.faults.families.clock import WallClock


class MachineClock(WallClock):
    """As `WallClock`, with a worker whose timestamps step along."""

    batch = "wall clock of all"
    proof = True
    pace_s: ClassVar[float] = 0.1

    def config(self, folder: Path) -> str:
        settings = [f"{key}={value}" for key, value in self.environment(folder.parent).items()]
        self.worker = Worker(folder, self.name, ["env", *settings], self.pace_s)
        return self.worker.text
