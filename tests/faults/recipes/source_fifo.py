"""A FIFO that looks like a module: to read it blocks for ever."""

import os

from tests.faults.families.sources import Sources
from tests.faults.recipe import DOWN, Expect


class Fault(Sources):
    expect = Expect(DOWN, "no regular file matches")

    def inject(self) -> None:
        (self.folder / "a.py").unlink()
        os.mkfifo(self.folder / "a.py")
