"""A file that was there and is gone."""

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import DOWN, Expect


class Fault(HeartbeatFile):
    expect = Expect(DOWN, "is gone")

    def inject(self) -> None:
        self.clear()
