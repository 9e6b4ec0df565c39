"""A module that does not parse."""

from tests.faults.families.sources import Sources
from tests.faults.recipe import DOWN, Expect


class Fault(Sources):
    expect = Expect(DOWN, "not startable: ")

    def inject(self) -> None:
        (self.folder / "a.py").write_text("def work(:\n")
