"""Somebody removes the state folder while the monitor runs."""

import shutil

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    is_writable = True
    comes_later = True

    def spoil(self) -> None:
        gone = self.state.with_name("gone")
        self.state.rename(gone)  # at once, for the monitor writes there while we remove
        shutil.rmtree(gone, ignore_errors=True)
