"""The monitor does not run for a while: it was stopped, or had no processor."""

import signal
import time
from typing import Any, ClassVar

from tests.faults.families.monitor import STALLED, MonitorFault


class Stopped(MonitorFault):
    """SIGSTOP for `for_s` seconds. `inject` stops it, `heal` waits that time out and wakes it."""

    batch = "stopped"
    told = STALLED
    tells_at_once = False
    blinds = True
    for_s: ClassVar[float] = 3.0

    def inject(self) -> None:
        self.began_s = time.monotonic()
        self.running.process.send_signal(signal.SIGSTOP)

    def heal(self) -> None:
        time.sleep(max(0.0, self.began_s + self.for_s - time.monotonic()))  # the fault is that time passes
        self.wake()

    def wake(self) -> None:
        """From here on the monitor runs."""
        self.awake_s = time.monotonic()
        self.running.process.send_signal(signal.SIGCONT)

    def is_told_by(self, event: dict[str, Any]) -> bool:
        return bool(event["data"]["stalled_s"] > self.for_s - 1)
