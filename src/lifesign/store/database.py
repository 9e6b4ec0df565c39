"""The SQLite file itself: opened, read, written and pruned by one thread that may block. It decides nothing.

Events and the memory of what they came from go in together or not at all. The file is in WAL mode with
`synchronous=NORMAL`: what was committed survives our death, and a power cut takes the newest at most, never the file.
"""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Never
from urllib.parse import quote

MOST_EVENTS = 1_000_000
PRUNE_ROWS = 2000
KEPT_ASIDE = 3
BUSY_S = 0.5
_CACHE_KIB = (
    512  # of four pages in five that are written none is read again; SQLite's own 2,000 are held by each file of ours
)

_CREATE = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, ts TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, document TEXT NOT NULL);
"""
_TAKE_OVER = (
    "INSERT INTO meta VALUES ('schema', ?) ON CONFLICT DO UPDATE SET value = excluded.value"
    " WHERE value <> excluded.value"
)
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class UnusableError(Exception):
    """The file cannot be used now; the text says why. Nothing was written."""


class Database:
    """One open file. Every method raises UnusableError, and may block.

    `others`: in whose hands the folder is, empty where in ours; then nothing is made or written there.
    """

    CREATE = _CREATE
    SCHEMA = 1  # a file of a lower one is taken over as it is opened, one of a higher is left alone

    def __init__(self, path: Path, others: Callable[[], str] = str) -> None:
        self.path = path
        self._others = others
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self.files = 0  # how many it has had: another one knows nothing of what was written before

    def open(self) -> None:
        """Opens or makes the file. One that is none of SQLite's is moved aside, one that is newer is left alone."""
        try:
            self._open()
        except UnusableError as error:
            if not isinstance(error.__cause__, sqlite3.DatabaseError) or not _is_broken(error.__cause__):
                raise
            self._move_aside()
            self._open()

    def opened(self) -> int:
        """How many files it has had, once the present one is open."""
        self._connected()
        return self.files

    def _open(self) -> None:
        self.close()
        if holder := self._others():
            raise UnusableError(f"{self.path.parent} is held by {holder}")
        try:
            _make(self.path)
            uri = f"file:{quote(str(self.path))}?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
            is_begun = self._check_version(self._connection)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("PRAGMA journal_size_limit=4194304")
            self._connection.execute("PRAGMA trusted_schema=OFF")
            self._connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            self._connection.executescript(self.CREATE)
            self._connection.execute(_TAKE_OVER, (str(self.SCHEMA),))
            before, self._file = self._file, _file_of(self.path)
            self.files += not is_begun or self._file != before
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise UnusableError(_words(self.path, error)) from error
        except UnusableError:
            self.close()
            raise

    def _check_version(self, connection: sqlite3.Connection) -> bool:
        """Whether there is anything of ours in it yet. Raises UnusableError for what another version wrote."""
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return False
        found = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        if found is not None and found[0] not in map(str, range(1, self.SCHEMA + 1)):
            words = f"{self.path} was written by another version of lifesign (schema {str(found[0])[:20]}): left alone"
            raise UnusableError(words)
        return True

    def _move_aside(self) -> None:
        aside, now_ns = f"{self.path.name}.bad-", time.time_ns()
        try:
            for suffix in ("", "-wal", "-shm"):
                found = self.path.with_name(self.path.name + suffix)
                if found.exists():
                    found.rename(self.path.with_name(f"{aside}{now_ns}{suffix}"))
            for old in sorted(self.path.parent.glob(f"{aside}*"))[: -3 * KEPT_ASIDE]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise UnusableError(_words(self.path, error)) from error

    def load(self, most_events: int) -> tuple[dict[str, str], list[str]]:
        """Every memory by its key, and the newest events, oldest first. A file that breaks here is moved aside."""
        try:
            return _read(self._connected(), most_events)
        except sqlite3.Error as error:
            self._give_up(error)

    def peek(self, most_events: int, *, leaves_no_trace: bool = False) -> tuple[dict[str, str], list[str]]:
        """The same from a file that cannot be written: as much as can be read, never an error.

        `leaves_no_trace`: nor is WAL's index made beside it, where there is no journal to be read with it.
        """
        modes = ["mode=ro", "immutable=1"]  # without a writable folder, WAL's index cannot be made
        if leaves_no_trace and not self.path.with_name(f"{self.path.name}-wal").exists():
            modes.reverse()
        for mode in modes:
            connection = None
            try:
                connection = sqlite3.connect(f"file:{quote(str(self.path))}?{mode}", uri=True, timeout=BUSY_S)
                self._check_version(connection)
                return _read(connection, most_events)
            except (sqlite3.Error, UnusableError):
                continue
            finally:
                if connection is not None:
                    connection.close()
        return {}, []

    def write(self, events: Sequence[tuple[str, str]], memory: Mapping[str, str | None]) -> None:
        """Appends (time, document) events and replaces memories (None: forgets), in one transaction."""
        connection = self._connected()
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO events (ts, document) VALUES (?, ?)", events)
            kept = [(key, text) for key, text in memory.items() if text is not None]
            connection.executemany("INSERT OR REPLACE INTO memory VALUES (?, ?)", kept)
            forgotten = [(key,) for key, text in memory.items() if text is None]
            connection.executemany("DELETE FROM memory WHERE key = ?", forgotten)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def prune(self, before: str) -> int:
        """Deletes a few events that are older than `before` (a time as they carry it) or too many; how many."""
        connection = self._connected()
        try:
            oldest = "SELECT id FROM events ORDER BY id LIMIT ?"
            floor = "(SELECT max(id) FROM events) - ?"
            done = connection.execute(
                f"DELETE FROM events WHERE id IN ({oldest}) AND (ts < ? OR id <= {floor})",  # noqa: S608  no outside text
                (PRUNE_ROWS, before, MOST_EVENTS),
            )
        except sqlite3.Error as error:
            self._give_up(error)
        return done.rowcount

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done within, or nothing."""
        connection = self._connected()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._connected().execute(query, values).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)

    def _connected(self) -> sqlite3.Connection:
        """The connection; anew where the file was taken away or replaced under us, none where the folder was."""
        if self._connection is None or _file_of(self.path) != self._file or self._others():
            self.open()
        assert self._connection is not None
        return self._connection

    def _give_up(self, error: sqlite3.Error) -> Never:
        """A broken file is moved aside, so that the next attempt begins a new one."""
        self.close()
        if _is_broken(error):
            self._move_aside()
        raise UnusableError(_words(self.path, error)) from error

    def close(self) -> None:
        """Closes the file. What is not committed is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _read(connection: sqlite3.Connection, most_events: int) -> tuple[dict[str, str], list[str]]:
    memory = connection.execute("SELECT key, document FROM memory").fetchall()
    newest = "SELECT document FROM events ORDER BY id DESC LIMIT ?"
    events = connection.execute(newest, (most_events,)).fetchall()
    texts = {key: document for key, document in memory if isinstance(key, str) and isinstance(document, str)}
    return texts, [document for (document,) in reversed(events) if isinstance(document, str)]


def _make(path: Path) -> None:
    """An empty file for us alone, if there is none. OSError where something else is in the way."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
    finally:
        os.close(descriptor)


def _file_of(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_dev, found.st_ino


def _is_broken(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _BROKEN


def _words(path: Path, error: Exception) -> str:
    return f"{path}: {(error.strerror if isinstance(error, OSError) else None) or error}"
