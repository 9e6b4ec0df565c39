"""The file's own time is fresh and its content is old: a timer that touches a file is no work."""

import os

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import DOWN, Expect


class Fault(Beating):
    expect = Expect(DOWN, "no new work for")

    def beat_broken(self) -> None:
        os.utime(self.path)
