"""Reading the events of a store beside its writer, a page at a time, so that nobody waits for the other.

Not here: what they say. Who only reads makes no file, mends none and moves none aside.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

PAGE_ROWS = 250
SCANNED_ROWS = 100_000  # an answer may be incomplete beyond them, but it comes
BUSY_S = 0.5
FEW_PAGES = "PRAGMA cache_size=-128"  # who reads on and on comes back to none: SQLite's own 2,000 KiB would be in vain


def stored_texts(
    path: Path, *, after: int = 0, since: str = "", kinds: Sequence[str] = ()
) -> Iterator[tuple[int, str]]:
    """Number and document of every event with a number above `after`, oldest first.

    `since`: only those of this time (as they carry it) or later. `kinds`: only those whose name begins with one of
    these; a few others may be among them. What cannot be read is not told; a broken file ends it.
    """
    with _opened(path) as reader:
        if reader is None:
            return
        query = _query(kinds)
        likes = [f'%"event":"{kind}%' for kind in kinds]
        while True:
            try:
                rows = reader.execute(query, (after, since, *likes, PAGE_ROWS)).fetchall()
            except sqlite3.Error:
                return
            for number, document in rows:
                after = number
                if isinstance(document, str):
                    yield number, document
            if len(rows) < PAGE_ROWS:
                return


def _query(kinds: Sequence[str]) -> str:
    chosen = f" AND ({' OR '.join(['document LIKE ?'] * len(kinds))})" if kinds else ""
    return f"SELECT id, document FROM events WHERE id > ? AND ts >= ?{chosen} ORDER BY id LIMIT ?"  # noqa: S608


def texts_near(path: Path, needles: Sequence[str], moment: str, *, later: bool, most: int) -> list[str]:
    """At most `most` documents that contain one of `needles`, the nearest to `moment` first.

    Told before `moment` (RFC 3339, as events carry it), or `later`: after it.
    """
    with _opened(path) as reader:
        if reader is None or not needles:
            return []
        order, sign = ("ASC", ">") if later else ("DESC", "<")
        found = " OR ".join(["instr(document, ?)"] * len(needles))
        query = (
            f"SELECT document FROM events WHERE id BETWEEN ? AND ? AND ts {sign} ? AND ({found})"  # noqa: S608  no outside text
            f" ORDER BY id {order} LIMIT ?"
        )
        try:
            number = _first_from(reader, moment)
            bounds = (number, number + SCANNED_ROWS) if later else (number - SCANNED_ROWS, number - 1)
            rows = reader.execute(query, (*bounds, moment, *needles, most)).fetchall()
        except sqlite3.Error:
            return []
        return [document for (document,) in rows if isinstance(document, str)]


def _first_from(reader: sqlite3.Connection, moment: str) -> int:
    """The number from which on events are of that moment or later, found without an index: both only grow."""
    low, high = reader.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) + 1 FROM events").fetchone()
    while low < high:
        middle = (low + high) // 2
        row = reader.execute("SELECT ts FROM events WHERE id >= ? ORDER BY id LIMIT 1", (middle,)).fetchone()
        low, high = (low, middle) if row is None or row[0] >= moment else (middle + 1, high)
    return int(low)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads; None where there is nothing to be read."""
    for mode in ("mode=ro", "immutable=1"):  # without a writable folder, WAL's index cannot be made
        connection = None
        try:
            uri = f"file:{quote(str(path))}?{mode}"
            connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=False)
            connection.execute(FEW_PAGES)
            connection.execute("SELECT 1 FROM events LIMIT 1")
        except sqlite3.Error:
            if connection is not None:
                connection.close()
            continue
        with contextlib.closing(connection):
            yield connection
        return
    yield None
