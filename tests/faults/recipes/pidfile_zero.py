"""A pidfile that names the whole process group."""

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "no pid of a service")

    def inject(self) -> None:
        self.write(0)
