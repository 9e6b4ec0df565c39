"""The clock of the whole machine is set an hour forward, and the heartbeats step along."""

from tests.faults.families.clock_of_all import MachineClock


class Fault(MachineClock):
    def step_s(self) -> float:
        return 3600.0
