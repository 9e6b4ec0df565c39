"""A zombie, which has no command line any more to tell it by."""

from tests.faults.families.process import Living
from tests.faults.recipe import DOWN, Expect


class Fault(Living):
    expect = Expect(DOWN, "not alive")

    def inject(self) -> None:
        self.processes[0].kill()
