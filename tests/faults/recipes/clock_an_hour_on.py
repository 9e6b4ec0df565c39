"""The wall clock is set an hour forward."""

from tests.faults.families.clock import WallClock


class Fault(WallClock):
    def step_s(self) -> float:
        return 3600.0
