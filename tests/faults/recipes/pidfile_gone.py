"""A pidfile that was removed."""

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "there is no pidfile")

    def inject(self) -> None:
        self.pidfile.unlink()
