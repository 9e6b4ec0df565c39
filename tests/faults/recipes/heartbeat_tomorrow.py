"""A timestamp of tomorrow: somebody's clock is wrong, which is no failure."""

import time

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import UNKNOWN, Expect


class Fault(HeartbeatFile):
    expect = Expect(UNKNOWN, "clock skew")

    def inject(self) -> None:
        self.write(b'{"timestamp": %d}' % (time.time() + 86_400))
