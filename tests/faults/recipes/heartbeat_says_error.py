"""A writer that says of itself that it fails."""

import time

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import DOWN, Expect


class Fault(HeartbeatFile):
    expect = Expect(DOWN, "the writer says error: no more tokens")

    def inject(self) -> None:
        self.write(b'{"timestamp": %f, "status": "error", "message": "no more tokens"}' % time.time())
