"""Monitor and targets are stopped together, and the monitor is woken first: what it sees then is old and rests."""

import signal
import time
from pathlib import Path

from tests.e2e.running import wait_until
from tests.faults.bystander import Worker
from tests.faults.families.stop import Stopped


class Fault(Stopped):
    for_s = 12.0  # longer than the work signal may rest
    targets_later_s = 0.2  # within the grace that follows
    proof = True

    def config(self, folder: Path) -> str:
        text = super().config(folder)
        self.witness = Worker(folder, f"{self.name}_too")
        return text + self.witness.text

    def inject(self) -> None:
        super().inject()
        self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for worker in (self.worker, self.witness):
            worker.process.send_signal(number)

    def heal(self) -> None:
        super().heal()
        time.sleep(self.targets_later_s)
        before_ns = self.worker.beat.stat().st_mtime_ns
        self._signal(signal.SIGCONT)
        wait_until(lambda: self.worker.beat.stat().st_mtime_ns != before_ns, "work again")

    def close(self) -> None:
        super().close()
        self.witness.end()
