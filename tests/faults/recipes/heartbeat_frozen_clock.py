"""A counter that runs on under a timestamp that stands."""

import json
import time

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import DOWN, Expect


class Fault(Beating):
    expect = Expect(DOWN, "no new work for")

    def beat_broken(self) -> None:
        self.cycle += 1
        self.write(json.dumps({"timestamp": self.since, "cycle": self.cycle}).encode())

    def inject(self) -> None:
        self.since = time.time()
        super().inject()
