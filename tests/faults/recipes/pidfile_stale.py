"""A pidfile that outlived its process."""

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "which is not running")

    def inject(self) -> None:
        self.end()
