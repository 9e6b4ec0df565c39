"""Two where one is wanted."""

from tests.faults.families.process import Living
from tests.faults.recipe import DOWN, Expect


class Fault(Living):
    expect = Expect(DOWN, "2 processes match")

    def check(self) -> str:
        return super().check() + '\ncount = "==1"'

    def inject(self) -> None:
        self.start()
