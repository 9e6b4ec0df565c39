"""A folder in its place."""

from tests.faults.families.heartbeat_file import OddKind
from tests.faults.recipe import DOWN, Expect


class Fault(OddKind):
    expect = Expect(DOWN, "is a folder")

    def plant(self) -> None:
        self.path.mkdir()
