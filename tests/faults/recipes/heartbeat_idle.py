"""A counter that rests because there is no work, and says so: no stall."""

import json
import time

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import HEALTHY, Expect


class Fault(Beating):
    expect = Expect(HEALTHY)

    def beat_broken(self) -> None:
        self.write(json.dumps({"timestamp": time.time(), "cycle": self.cycle, "busy": False}).encode())
