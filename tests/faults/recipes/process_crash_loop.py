"""Up and dead after two seconds, for ever: alive at nearly every look."""

import threading
from pathlib import Path

from tests.faults.families.process import Living
from tests.faults.recipe import DEGRADED, Expect


class Fault(Living):
    expect = Expect(DEGRADED, "crash loop", events=("process.replaced", "process.crash_loop"))

    def config(self, folder: Path) -> str:
        self._broken, self._closed = threading.Event(), threading.Event()
        text = super().config(folder)
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._thread.start()
        return text

    def check(self) -> str:
        return super().check() + '\nflap_window = "6s"\nfailure_threshold = 3'

    def _supervise(self) -> None:
        while not self._closed.is_set():
            if self._broken.wait(0.1) and not self._closed.wait(2):
                super().heal()

    def inject(self) -> None:
        self._broken.set()

    def heal(self) -> None:
        self._broken.clear()

    def close(self) -> None:
        self._closed.set()
        self._broken.set()
        self._thread.join()
        super().close()
