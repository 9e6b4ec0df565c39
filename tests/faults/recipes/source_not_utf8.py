"""A module that is no text."""

from tests.faults.families.sources import Sources
from tests.faults.recipe import DOWN, Expect


class Fault(Sources):
    expect = Expect(DOWN, "a.py")

    def inject(self) -> None:
        (self.folder / "a.py").write_bytes(b"x = '\xff\xfe'\n")
