"""A FIFO beside the modules, which is none of them."""

import os

from tests.faults.families.sources import Sources
from tests.faults.recipe import HEALTHY, Expect


class Fault(Sources):
    expect = Expect(HEALTHY)

    def inject(self) -> None:
        os.mkfifo(self.folder / "pipe.py")
