"""Somebody writes garbage over every file of the state folder while the monitor runs."""

import contextlib
import os
import stat

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    is_writable = None
    comes_later = True

    def spoil(self) -> None:
        for path in self.state.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # the monitor makes files there, and takes them away
                if stat.S_ISREG(path.stat().st_mode):
                    path.write_bytes(os.urandom(20_000))
