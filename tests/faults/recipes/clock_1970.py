"""The wall clock falls back to its beginning, as on a board without a battery."""

import time

from tests.faults.families.clock import WallClock


class Fault(WallClock):
    def step_s(self) -> float:
        return 600.0 - time.time()
