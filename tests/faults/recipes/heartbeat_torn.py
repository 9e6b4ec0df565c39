"""A writer that truncates, takes its time and writes: one of its states is an empty file."""

import time

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import HEALTHY, Expect


class Fault(Beating):
    expect = Expect(HEALTHY)
    proof = True  # beside other tests the writer may lose the processor in the midst of it, and that is told rightly

    def beat_broken(self) -> None:
        content = self.good()
        with self.path.open("wb", buffering=0) as file:
            time.sleep(0.003)
            file.write(content)
