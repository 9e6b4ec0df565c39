"""Reading the events of a store beside its writer, a page at a time, so that nobody waits for the other.

Not here: what they say. Who only reads makes no file, mends none and moves none aside.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

PAGE_ROWS = 2000
BUSY_S = 0.5


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


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads; None where there is nothing to be read."""
    for mode in ("mode=ro", "immutable=1"):  # without a writable folder, WAL's index cannot be made
        connection = None
        try:
            uri = f"file:{quote(str(path))}?{mode}"
            connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=False)
            connection.execute("SELECT 1 FROM events LIMIT 1")
        except sqlite3.Error:
            if connection is not None:
                connection.close()
            continue
        with contextlib.closing(connection):
            yield connection
        return
    yield None
