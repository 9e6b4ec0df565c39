"""A heartbeat log that is renamed, with nothing new in its place for a while."""

import time
from pathlib import Path

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import HEALTHY, Expect


class Fault(Beating):
    expect = Expect(HEALTHY)
    file = "beat.jsonl"

    def config(self, folder: Path) -> str:
        self.lines = 0
        return super().config(folder)

    def write(self, content: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(content + b"\n")

    def beat_broken(self) -> None:
        self.lines += 1
        if self.lines % 8 == 0:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            time.sleep(0.3)
        self.write(self.good())

    def clear(self) -> None:
        """What was logged is left alone."""
