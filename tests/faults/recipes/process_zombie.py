"""A process that is dead, with a parent that never asks for it."""

from tests.faults.families.process import Pidfile
from tests.faults.recipe import DOWN, Expect


class Fault(Pidfile):
    expect = Expect(DOWN, "is a zombie")

    def inject(self) -> None:
        self.processes[0].kill()
