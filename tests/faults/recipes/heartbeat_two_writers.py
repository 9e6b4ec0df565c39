"""Two programs that both believe to be the one: the process behind the file is replaced again and again."""

import json
import time

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import DEGRADED, Expect


class Fault(Beating):
    expect = Expect(DEGRADED, "crash loop", events=("process.replaced", "process.crash_loop"))
    keys = Beating.keys + '\nflap_window = "4s"'
    pace_s = 0.5

    def good(self) -> bytes:
        return self._by(1)

    def _by(self, writer: int) -> bytes:
        self.cycle += 1
        return json.dumps({"timestamp": time.time(), "cycle": self.cycle, "pid": 4_000_000 + writer}).encode()

    def beat_broken(self) -> None:
        self.write(self._by(self.cycle % 2 + 1))
