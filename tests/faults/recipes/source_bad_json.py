"""A data file that does not parse."""

from tests.faults.families.sources import Sources
from tests.faults.recipe import DOWN, Expect


class Fault(Sources):
    expect = Expect(DOWN, "b.json")

    def inject(self) -> None:
        (self.folder / "b.json").write_text('{"a": }')
