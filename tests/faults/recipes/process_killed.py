"""A process that is killed."""

from tests.faults.families.process import Living
from tests.faults.recipe import DOWN, Expect


class Fault(Living):
    expect = Expect(DOWN, "not alive: no process matches")

    def inject(self) -> None:
        self.end()
