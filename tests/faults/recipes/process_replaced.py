"""Another process in the place of the first: a new life, and no failure."""

from tests.faults.families.process import Pidfile
from tests.faults.recipe import HEALTHY, Expect


class Fault(Pidfile):
    expect = Expect(HEALTHY, events=("process.replaced",), never=("process.crash_loop",))

    def inject(self) -> None:
        self.start()
        old = self.processes.pop(0)
        old.kill()
        old.wait()
