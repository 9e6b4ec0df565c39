"""The wall clock of the monitor alone is stepped, by libfaketime. Targets and other clocks go on."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.families.monitor import JUMPED, MonitorFault

LIBRARIES = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), *Path("/usr/lib").glob("faketime/*MT.so.1")]


class WallClock(MonitorFault):
    """`inject` steps it by `step_s`, `heal` steps it back."""

    batch = "wall clock"
    told = JUMPED
    tells_at_once = True
    blinds = False

    @abstractmethod
    def step_s(self) -> float:
        """By how much, in seconds."""

    def environment(self, folder: Path) -> Mapping[str, str]:
        self._control = folder / "wall-clock"
        self._set(0)
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._control),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",  # files keep the times that their writers gave them
        }

    def _set(self, offset_s: float) -> None:
        fresh = self._control.with_name(self._control.name + ".new")
        fresh.write_text(f"{offset_s:+.0f}\n")
        fresh.replace(self._control)

    def inject(self) -> None:
        self._stepped_s = self.step_s()
        self._set(self._stepped_s)

    def heal(self) -> None:
        self._set(0)

    def is_told_by(self, event: dict[str, Any]) -> bool:
        return bool(abs(abs(event["data"]["step_s"]) - abs(self._stepped_s)) < 2)

    @classmethod
    def missing(cls) -> str:
        return super().missing() or ("" if LIBRARIES else "needs libfaketime (Debian: faketime)")
