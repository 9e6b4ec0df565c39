"""A board without a battery runs in 1970 until its clock is set; its heartbeats step along at their next beat."""

import time

from tests.e2e.running import wait_until
from tests.faults.families.clock_of_all import MachineClock


class Fault(MachineClock):
    pace_s = 2.0

    def step_s(self) -> float:
        return 600.0 - time.time()

    def heal(self) -> None:
        self._await_work_of("1970")
        super().heal()
        self._await_work_of("20")

    def _await_work_of(self, year: str) -> None:
        wait_until(lambda: self.running.component(self.name)["last_work_at"].startswith(year), f"work of {year}")
