"""Thousands of atomic replaces a second: no event queue is deep enough."""

from tests.faults.families.heartbeat_file import Beating
from tests.faults.recipe import HEALTHY, Expect


class Fault(Beating):
    expect = Expect(HEALTHY)
    pace_s = 0.01

    def beat_broken(self) -> None:
        for _ in range(100):
            self.beat()
