"""A message that would steer a terminal: shown without its escapes, and no failure."""

import json
import time

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import HEALTHY, Expect


class Fault(Beating):
    expect = Expect(HEALTHY, "(\ufffd[2J\ufffd]52;c;aGk=\ufffd\ufffdK)")

    def beat_broken(self) -> None:
        self.cycle += 1
        message = "(\x1b[2J\x1b]52;c;aGk=\x07\u202eK)"
        self.write(json.dumps({"timestamp": time.time(), "cycle": self.cycle, "message": message}).encode())
