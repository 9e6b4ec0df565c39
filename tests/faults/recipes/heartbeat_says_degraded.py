"""A writer that says of itself that it limps."""

import time

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import DEGRADED, Expect


class Fault(HeartbeatFile):
    expect = Expect(DEGRADED, "the writer says degraded")

    def inject(self) -> None:
        self.write(b'{"timestamp": %f, "status": "degraded"}' % time.time())
