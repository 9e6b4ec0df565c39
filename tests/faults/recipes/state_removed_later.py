"""Somebody removes the state folder while the monitor runs."""

import shutil

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    is_writable = True
    comes_later = True

    def spoil(self) -> None:
        shutil.rmtree(self.state)
