"""Twenty seconds in which the monitor gets a hundredth of the processor, in slices a second and a half apart."""

import signal
import time

from tests.faults.families.stop import Stopped


class Fault(Stopped):
    for_s = 2.0  # what one slice tells at least, and one second
    proof = True

    def inject(self) -> None:
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            self.running.process.send_signal(signal.SIGCONT)
            time.sleep(0.015)
            self.running.process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)

    def heal(self) -> None:
        self.wake()
