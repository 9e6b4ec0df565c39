"""A pidfile without a word."""

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "is empty")

    def inject(self) -> None:
        self.pidfile.write_text("")
