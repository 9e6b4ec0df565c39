"""A link to a device that never ends."""

from tests.faults.families.heartbeat_file import OddKind
from tests.faults.recipe import DOWN, Expect


class Fault(OddKind):
    expect = Expect(DOWN, "is a device")

    def plant(self) -> None:
        self.path.symlink_to("/dev/zero")
