"""Every file of an earlier life ends in its middle."""

import os

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    is_writable = None
    had_a_life_before = True

    def spoil(self) -> None:
        for path in self.state.rglob("*"):
            if path.is_file():
                os.truncate(path, path.stat().st_size // 2)
