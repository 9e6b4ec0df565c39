"""A module so deep that the compiler gives up on it."""

from tests.faults.families.sources import Sources
from tests.faults.recipe import DOWN, Expect


class Fault(Sources):
    expect = Expect(DOWN, "a.py")

    def inject(self) -> None:
        (self.folder / "a.py").write_text("x = " + "(" * 100_000 + ")" * 100_000)
