"""A link to itself."""

from tests.faults.families.heartbeat_file import OddKind
from tests.faults.recipe import DOWN, Expect


class Fault(OddKind):
    expect = Expect(DOWN, "is a loop of symbolic links")

    def plant(self) -> None:
        self.path.symlink_to(self.path)
