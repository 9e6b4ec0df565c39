"""A link that points nowhere."""

from tests.faults.families.heartbeat_file import OddKind
from tests.faults.recipe import DOWN, Expect


class Fault(OddKind):
    expect = Expect(DOWN, "is gone")

    def plant(self) -> None:
        self.path.symlink_to("nowhere")
