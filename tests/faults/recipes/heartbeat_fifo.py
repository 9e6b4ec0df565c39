"""A FIFO in its place: to open it blocks for ever."""

import os

from tests.faults.families.heartbeat_file import OddKind
from tests.faults.recipe import DOWN, Expect


class Fault(OddKind):
    expect = Expect(DOWN, "is a FIFO")

    def plant(self) -> None:
        os.mkfifo(self.path)
