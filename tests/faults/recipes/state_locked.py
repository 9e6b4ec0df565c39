"""Another program holds a lock on the state's file and never lets go."""

import sqlite3

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    had_a_life_before = True
    holder: sqlite3.Connection | None = None

    def spoil(self) -> None:
        self.holder = sqlite3.connect(self.state / "state.db", isolation_level=None)
        self.holder.execute("BEGIN EXCLUSIVE")

    def close(self) -> None:
        super().close()
        if self.holder is not None:
            self.holder.close()
