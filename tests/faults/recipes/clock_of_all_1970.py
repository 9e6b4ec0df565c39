"""A board without a battery runs in 1970 until its clock is set; its heartbeats step along at their next beat."""

import time

from tests.e2e.running import wait_until
from tests.faults.families.clock_of_all import MachineClock


class Fault(MachineClock):
    pace_s = 2.0

    def step_s(self) -> float:
        return 600.0 - time.time()

    def heal(self) -> None:
        self._await_a_beat()
        super().heal()
        self._await_a_beat()

    def _await_a_beat(self) -> None:
        before_ns = self.worker.beat.stat().st_mtime_ns
        wait_until(lambda: self.worker.beat.stat().st_mtime_ns != before_ns, "a beat")
