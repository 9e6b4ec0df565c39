"""Fresh timestamps over a counter that rests."""

import json
import time

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import DOWN, Expect


class Fault(Beating):
    expect = Expect(DOWN, "stuck: the progress value")

    def beat_broken(self) -> None:
        self.write(json.dumps({"timestamp": time.time(), "cycle": self.cycle}).encode())
