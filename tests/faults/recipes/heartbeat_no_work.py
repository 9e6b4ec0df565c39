"""The program lives on, and finishes no work any more: the most common fault of all."""

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import DOWN, Expect


class Fault(Beating):
    expect = Expect(DOWN, "no new work for")

    def beat_broken(self) -> None:
        return
