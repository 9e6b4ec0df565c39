"""The state folder lies on a file system that may not be written."""

import subprocess

from tests.faults.families.state import Tmpfs


class Fault(Tmpfs):
    def spoil(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.state)], check=True)
