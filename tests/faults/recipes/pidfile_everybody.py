"""A pidfile that names everybody there is."""

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "holds no pid")

    def inject(self) -> None:
        self.write(-1)
