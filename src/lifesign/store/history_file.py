"""The history's SQLite file: blocks of the transcript, what was counted of them, gaps. One thread writes; it may block.

`lives`: each start of ours, with what it began from. `configs` and `moments`: what happened besides looks, by the key
of the transcript. `blocks`: the observations, as they come small and unsettled, later merged. `minutes` and `hours`:
counts by check, of what is settled. `gaps`: when nobody watched, and why. Not here: when to do what (`history`).
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lifesign.records import dataclass
from lifesign.store.counting import Counts, Minutes
from lifesign.store.database import Database

HISTORY_FILE = "history.db"
_FORGET_BLOCK = (
    "DELETE FROM blocks WHERE id = (SELECT id FROM blocks WHERE settled = 1 ORDER BY id LIMIT 1) AND (? OR last_ms < ?)"
)
_FORGET_MINUTES = (
    "DELETE FROM minutes WHERE (check_id, hour) IN (SELECT check_id, hour FROM minutes WHERE hour < ? LIMIT 500)"
)
_FORGET_HOURS = (
    "DELETE FROM hours WHERE (hour, check_id) IN (SELECT hour, check_id FROM hours WHERE hour < ? LIMIT 500)"
)
_ENDED = "(SELECT id FROM lives WHERE last_ms < ? AND id NOT IN (SELECT life FROM blocks))"
_FORGET_MOMENTS = f"DELETE FROM moments WHERE life IN {_ENDED}"  # noqa: S608  no outside text
_FORGET_CONFIGS = f"DELETE FROM configs WHERE life IN {_ENDED}"  # noqa: S608  likewise
_FORGET_LIVES = f"DELETE FROM lives WHERE id IN {_ENDED}"  # noqa: S608  likewise


class Gap(NamedTuple):
    """When nobody watched; `component` is None for all. `end_ms` is None while it lasts."""

    start_ms: int
    end_ms: int | None
    component: str | None
    why: str


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """One row of `blocks`, but for its body."""

    id: int
    life: int
    first_ms: int
    last_ms: int
    entries: int


class HistoryFile(Database):
    """One open file. Every method raises UnusableError, and may block."""

    SCHEMA = (
        2  # since 2 a fresh block may hold its observations as `rows`, which 1 would not find; the tables are as in 1
    )
    CREATE = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lives (id INTEGER PRIMARY KEY, began_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    start TEXT NOT NULL, spec TEXT NOT NULL, memory BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS configs (life INTEGER, key INTEGER, hash TEXT NOT NULL, toml TEXT NOT NULL,
    sinks TEXT NOT NULL, PRIMARY KEY (life, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moments (life INTEGER, key INTEGER, kind TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (life, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, life INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, entries INTEGER NOT NULL, settled INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS unsettled ON blocks (id) WHERE settled = 0;
CREATE TABLE IF NOT EXISTS checks (id INTEGER PRIMARY KEY, component TEXT, name TEXT, UNIQUE (component, name));
CREATE TABLE IF NOT EXISTS minutes (check_id INTEGER, hour INTEGER, body BLOB NOT NULL,
    PRIMARY KEY (check_id, hour)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hours (hour INTEGER, check_id INTEGER, ok INTEGER, warn INTEGER, fail INTEGER,
    unknown INTEGER, latency_sum_us INTEGER, latency_max_us INTEGER, PRIMARY KEY (hour, check_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (id INTEGER PRIMARY KEY, start_ms INTEGER NOT NULL, end_ms INTEGER, component TEXT,
    why TEXT NOT NULL);
"""

    def begin(self, began_ms: int, start: str, spec: str, memory: bytes) -> int:
        """A new life; its number. The time since the last one ended is a gap."""
        with self._transaction() as connection:
            last = connection.execute("SELECT max(last_ms) FROM lives").fetchone()[0]
            if last is not None and last < began_ms:
                self._add_gap(connection, Gap(last, began_ms, None, "lifesign did not run"))
            values = (began_ms, began_ms, start, spec, memory)
            done = connection.execute("INSERT INTO lives VALUES (NULL, ?, ?, ?, ?, ?)", values)
            assert done.lastrowid is not None
            return done.lastrowid

    def add_config(self, life: int, key: int, digest: str, toml: str, sinks: str) -> None:
        """What is configured from that key on."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO configs VALUES (?, ?, ?, ?, ?)", (life, key, digest, toml, sinks)
            )

    def add(
        self, block: StoredBlock, body: bytes, moments: Iterable[tuple[int, str, str]], gaps: Iterable[Gap]
    ) -> None:
        """A fresh block with (key, kind, document) of the moments beside it, and the gaps in it."""
        with self._transaction() as connection:
            values = (block.life, block.first_ms, block.last_ms, block.entries, body)
            connection.execute("INSERT INTO blocks VALUES (NULL, ?, ?, ?, ?, 0, ?)", values)
            rows = ((block.life, *moment) for moment in moments)
            connection.executemany("INSERT OR REPLACE INTO moments VALUES (?, ?, ?, ?)", rows)
            connection.execute("UPDATE lives SET last_ms = ? WHERE id = ?", (block.last_ms, block.life))
            for gap in gaps:
                self._add_gap(connection, gap)

    def add_gap(self, gap: Gap) -> None:
        """A gap by itself."""
        with self._transaction() as connection:
            self._add_gap(connection, gap)

    def _add_gap(self, connection: sqlite3.Connection, gap: Gap) -> None:
        if gap.start_ms < 0:  # the end of one that lasts
            ended = "UPDATE gaps SET end_ms = ? WHERE end_ms IS NULL AND component IS ?"
            connection.execute(ended, (gap.end_ms, gap.component))
        else:
            connection.execute("INSERT INTO gaps VALUES (NULL, ?, ?, ?, ?)", gap)

    def unsettled(self, most: int) -> list[StoredBlock]:
        """The oldest blocks that are not settled, of one life."""
        query = "SELECT id, life, first_ms, last_ms, entries FROM blocks WHERE settled = 0 ORDER BY id LIMIT ?"
        found = [StoredBlock(*row) for row in self._rows(query, (most,))]
        return [block for block in found if block.life == found[0].life]

    def body(self, block: StoredBlock) -> bytes:
        """Of one of these."""
        [[body]] = self._rows("SELECT body FROM blocks WHERE id = ?", (block.id,))
        return bytes(body)

    def settle(
        self, blocks: Sequence[StoredBlock], merged: StoredBlock, body: bytes, counted: Iterable[Counts]
    ) -> None:
        """One block for all of these, and what is counted of it."""
        with self._transaction() as connection:
            values = (blocks[0].id, merged.life, merged.first_ms, merged.last_ms, merged.entries, body)
            connection.executemany("DELETE FROM blocks WHERE id = ?", [(block.id,) for block in blocks])
            connection.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, 1, ?)", values)
            for counts in counted:
                self._count(connection, counts)

    def _count(self, connection: sqlite3.Connection, counts: Counts) -> None:
        check, hour = (counts.check.component, counts.check.check), counts.hour
        connection.execute("INSERT OR IGNORE INTO checks VALUES (NULL, ?, ?)", check)
        row = connection.execute("SELECT id FROM checks WHERE component = ? AND name = ?", check).fetchone()
        connection.execute(
            "INSERT INTO hours VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ok = ok + excluded.ok,"
            " warn = warn + excluded.warn, fail = fail + excluded.fail, unknown = unknown + excluded.unknown,"
            " latency_sum_us = latency_sum_us + excluded.latency_sum_us,"
            " latency_max_us = max(latency_max_us, excluded.latency_max_us)",
            (hour, row[0], *counts.total),
        )
        held = connection.execute("SELECT body FROM minutes WHERE check_id = ? AND hour = ?", (row[0], hour)).fetchone()
        minutes = Minutes.decode(held[0]).joined(counts.minutes) if held else counts.minutes
        connection.execute("INSERT OR REPLACE INTO minutes VALUES (?, ?, ?)", (row[0], hour, minutes.encode()))

    def used_bytes(self) -> int:
        """How much of the file holds something."""
        [[pages, free, size]] = self._rows(
            "SELECT page_count, freelist_count, page_size"
            " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        )
        return int((pages - free) * size)

    def forget(self, raw_before_ms: int, minutes_before_ms: int, before_ms: int, most_bytes: int) -> bool:
        """Deletes a little of what is too old, or of the oldest blocks where there is too much; whether it did."""
        too_much = self.used_bytes() > most_bytes
        steps = (
            (_FORGET_BLOCK, (too_much, raw_before_ms)),
            (_FORGET_MINUTES, (minutes_before_ms // 3_600_000,)),
            (_FORGET_HOURS, (before_ms // 3_600_000,)),
            ("DELETE FROM gaps WHERE end_ms < ?", (before_ms,)),
            (_FORGET_MOMENTS, (before_ms,)),
            (_FORGET_CONFIGS, (before_ms,)),
            (_FORGET_LIVES, (before_ms,)),
        )
        with self._transaction() as connection:
            deleted = [connection.execute(query, values).rowcount for query, values in steps]  # every one of them
        return any(deleted)
