"""Every file of an earlier life holds garbage."""

import os

from tests.faults.families.state import StateFault


class Fault(StateFault):
    is_writable = None
    had_a_life_before = True

    def spoil(self) -> None:
        for path in self.state.rglob("*"):
            if path.is_file():
                path.write_bytes(os.urandom(20_000))
