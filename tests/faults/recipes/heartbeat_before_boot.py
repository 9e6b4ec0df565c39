"""A file that was left by a program that ran before the last boot."""

import time

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import DOWN, Expect


class Fault(HeartbeatFile):
    expect = Expect(DOWN, "no new work for")

    def inject(self) -> None:
        self.write(b'{"timestamp": %d, "cycle": 1}' % (time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - 3600))
