"""Somebody writes garbage over every file of the state folder while the monitor runs."""

import os
import stat

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    is_writable = None
    comes_later = True

    def spoil(self) -> None:
        for path in self.state.rglob("*"):
            if stat.S_ISREG(path.stat().st_mode):
                path.write_bytes(os.urandom(20_000))
