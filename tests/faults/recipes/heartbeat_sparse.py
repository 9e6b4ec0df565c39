"""A file of a tebibyte that takes no room, for as long as nobody reads it."""

from tests.faults.families.heartbeat_file import OddKind
from tests.faults.recipe import DOWN, Expect


class Fault(OddKind):
    expect = Expect(DOWN, "longer than 64 KiB")

    def plant(self) -> None:
        with self.path.open("wb") as file:
            file.truncate(1 << 40)
