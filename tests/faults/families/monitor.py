"""Faults of the monitor itself, beside targets that live: it must blame nobody, tell it, and not go blind."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from tests.e2e.running import Daemon
from tests.faults.bystander import Worker
from tests.faults.recipe import HEALTHY, Expect, Recipe

STALLED, JUMPED = "monitor.stalled", "clock.jumped"


class MonitorFault(Recipe):
    """Its component lives throughout. `attach` names the running daemon before the first `inject`."""

    expect = Expect(HEALTHY)
    told: ClassVar[str]  # the event by which the monitor tells it
    tells_at_once: ClassVar[bool]  # while it lasts; else only once it is over
    blinds: ClassVar[bool]  # whether a full grace follows in which failures are no evidence
    grace_s: ClassVar[float] = 1.2

    awake_s: float  # where it blinds: the moment of the monotonic clock at which the monitor ran again, or just before

    def config(self, folder: Path) -> str:
        self.worker = Worker(folder, self.name)
        return self.worker.text

    def attach(self, running: Daemon) -> None:
        """The daemon that is meant."""
        self.running = running

    def close(self) -> None:
        self.worker.end()

    def fail_for_real(self) -> None:
        """What must be told in spite of all."""
        self.worker.end()

    @abstractmethod
    def is_told_by(self, event: dict[str, Any]) -> bool:
        """Whether the size that `event` tells is that of this fault."""
