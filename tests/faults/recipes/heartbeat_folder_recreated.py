"""The folder goes, and another one of that name comes: a watch on the old one is deaf."""

import shutil
from pathlib import Path

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import DOWN, Expect


class Fault(HeartbeatFile):
    expect = Expect(DOWN, "is gone")

    def config(self, folder: Path) -> str:
        inner = folder / "inner"
        inner.mkdir()
        return super().config(inner)

    def inject(self) -> None:
        shutil.rmtree(self.path.parent)

    def heal(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        super().heal()
