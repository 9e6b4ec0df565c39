"""A config that does not parse."""

from tests.faults.families.sources import Sources
from tests.faults.recipe import DOWN, Expect


class Fault(Sources):
    expect = Expect(DOWN, "c.toml")

    def inject(self) -> None:
        (self.folder / "c.toml").write_text("a = \n")
