"""A file that nobody has ever written, and then somebody does."""

from tests.faults.families.heartbeat_file import HeartbeatFile
from tests.faults.recipe import DOWN, Expect


class Fault(HeartbeatFile):
    expect = Expect(DOWN, "nobody has ever written")
    begins_broken = True

    def inject(self) -> None:
        self.clear()
