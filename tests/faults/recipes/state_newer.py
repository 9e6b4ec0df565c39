"""The state was written by a later version: it is left alone, and nothing of it is lost."""

import sqlite3
from contextlib import closing

from tests.faults.families.state import StateFault


class Fault(StateFault):
    proof = True
    had_a_life_before = True

    def spoil(self) -> None:
        with closing(sqlite3.connect(self.state / "state.db")) as database, database:
            database.execute("UPDATE meta SET value = '9999' WHERE key = 'schema'")
            assert database.total_changes == 1
