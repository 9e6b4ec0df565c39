"""What can be wrong with the folder in which the monitor keeps its state."""

import subprocess
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from tests.faults.bystander import Worker
from tests.faults.recipe import HEALTHY, Expect, Recipe


class StateFault(Recipe):
    """`state` is the folder. `prepare` comes before the monitor starts, and so does `inject` but for `comes_later`.

    Its component lives throughout.
    """

    batch = "state"
    expect = Expect(HEALTHY)
    comes_later: ClassVar[bool] = False  # while the monitor runs, and not before
    had_a_life_before: ClassVar[bool] = False  # whether a monitor ran on it before
    is_writable: ClassVar[bool | None] = False  # what the monitor says of it; None where either is right

    def config(self, folder: Path) -> str:
        self.state = folder / "state"
        self.worker = Worker(folder, self.name)
        return self.worker.text

    def prepare(self) -> None:
        """Makes the folder what it must be before any monitor uses it."""

    @abstractmethod
    def spoil(self) -> None:
        """Makes it unfit."""

    def inject(self) -> None:
        self.spoil()

    def heal(self) -> None:
        """Left as it is: the monitor has the folder in use."""

    def close(self) -> None:
        self.worker.end()


class Tmpfs(StateFault):
    """The folder is a file system of its own, of `size`."""

    proof = True
    needs_root = True
    programs = ("mount", "umount")
    size: ClassVar[str] = "64k"

    def prepare(self) -> None:
        self.state.mkdir(mode=0o700)
        options = f"size={self.size},mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "state", str(self.state)], check=True)

    def close(self) -> None:
        super().close()
        if self.state.is_mount():
            subprocess.run(["umount", "--lazy", str(self.state)], check=True)
