"""Reading the history, while a daemon writes it or when none does: lives, configs, moments, observations, counts, gaps.

Nothing is written. Whatever cannot be read is left out, but for the file itself. Not here: what it means (`replay`).
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

import msgspec

from lifesign.core.alerting import SinkSpec
from lifesign.core.conversation import ConversationMemory
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import Instant
from lifesign.core.spec import MonitorSpec
from lifesign.core.transcript import Deed, Outcome
from lifesign.records import dataclass
from lifesign.store import moments
from lifesign.store.block import Block
from lifesign.store.counting import Minutes
from lifesign.store.history_file import HISTORY_FILE, Gap
from lifesign.store.reading import FEW_PAGES

BUSY_S = 2.0
_Start: TypeAlias = tuple[Instant, tuple[ConversationMemory, ...]]


class NoHistoryError(Exception):
    """There is no history that can be read; the text says why, and where."""


@dataclass(frozen=True, slots=True)
class StoredLife:
    """One life of ours, and what it began from. Milliseconds are of the wall clock."""

    id: int
    began_ms: int
    last_ms: int
    start: Instant
    spec: MonitorSpec
    memory: MonitorMemory
    conversations: tuple[ConversationMemory, ...]


@dataclass(frozen=True, slots=True)
class StoredConfig:
    """A config, from the entry `key` of its life on."""

    key: int
    digest: str
    toml: str
    sinks: tuple[SinkSpec, ...]


class Figures(NamedTuple):
    """What was seen of one check in an hour or a minute since the epoch; no row where nobody watched."""

    at: int
    ok: int
    warn: int
    fail: int
    unknown: int
    latency_sum_us: int
    latency_max_us: int


class HistoryReader:
    """The history in the state folder `folder`. Close it. Raises NoHistoryError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / HISTORY_FILE
        if not self.path.is_file():
            raise NoHistoryError(f"there is no history in {folder}: `lifesign run` writes it while it watches")
        uri = f"file:{quote(str(self.path))}?mode=ro"
        try:
            self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S)
            self._rows(FEW_PAGES)
            self._rows("SELECT max(id) FROM lives")
        except sqlite3.Error as error:
            raise NoHistoryError(f"the history {self.path} cannot be read: {error}") from error

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise NoHistoryError(f"the history {self.path} cannot be read: {error}") from error

    def lives(self) -> list[StoredLife]:
        """Every life that can be read, the oldest first."""
        query = "SELECT id, began_ms, last_ms, start, spec, memory FROM lives ORDER BY id"
        found = []
        for number, began_ms, last_ms, start, spec, memory in self._rows(query):
            try:
                began, conversations = msgspec.json.decode(msgspec.convert(start, str), type=_Start)
                life = StoredLife(
                    msgspec.convert(number, int),
                    msgspec.convert(began_ms, int),
                    msgspec.convert(last_ms, int),
                    began,
                    msgspec.json.decode(msgspec.convert(spec, str), type=MonitorSpec),
                    msgspec.json.decode(msgspec.convert(memory, bytes), type=MonitorMemory),
                    conversations,
                )
            except (msgspec.MsgspecError, UnicodeError):
                continue
            found.append(life)
        return found

    def configs(self, life: int) -> list[StoredConfig]:
        """The configs of a life, in order."""
        query = "SELECT key, hash, toml, sinks FROM configs WHERE life = ? ORDER BY key"
        found = []
        for key, digest, toml, sinks in self._rows(query, (life,)):
            specs = msgspec.json.decode(msgspec.convert(sinks, str), type=tuple[SinkSpec, ...])
            found.append(StoredConfig(*msgspec.convert((key, digest, toml), tuple[int, str, str]), specs))
        return found

    def moments(self, life: int) -> list[tuple[int, Deed | Outcome]]:
        """What happened besides looks and ticks, by key."""
        query = "SELECT key, kind, document FROM moments WHERE life = ? ORDER BY key"
        found = []
        for row in self._rows(query, (life,)):
            key, kind, document = msgspec.convert(row, tuple[int, str, str])
            moment = moments.decode(kind, document)
            if moment is not None:
                found.append((key, moment))
        return found

    def blocks(self, life: int, since_ms: int = 0, until_ms: int = 1 << 62) -> Iterator[Block]:
        """The blocks of a life that touch that time, the oldest first. One that cannot be read is left out."""
        query = "SELECT id FROM blocks WHERE life = ? AND last_ms >= ? AND first_ms <= ? ORDER BY id"
        for (number,) in self._rows(query, (life, since_ms, until_ms)):
            for (body,) in self._rows("SELECT body FROM blocks WHERE id = ?", (number,)):
                try:
                    yield Block.decode(msgspec.convert(body, bytes))
                except (ValueError, msgspec.MsgspecError):
                    continue

    def newest_blocks(self, until_ms: int, most: int, most_entries: int) -> Iterator[tuple[int, Block]]:
        """With the time of its last entry, each block that began by then, the newest first; of all lives.

        At most `most`, and no more once these hold `most_entries`.
        """
        query = "SELECT id, last_ms, entries FROM blocks WHERE first_ms <= ? ORDER BY id DESC LIMIT ?"
        for row in self._rows(query, (until_ms, most)):
            number, last_ms, entries = msgspec.convert(row, tuple[int, int, int])
            for (body,) in self._rows("SELECT body FROM blocks WHERE id = ?", (number,)):
                try:
                    yield last_ms, Block.decode(msgspec.convert(body, bytes))
                except (ValueError, msgspec.MsgspecError):
                    continue
            most_entries -= entries
            if most_entries <= 0:
                return

    def hours(self, component: str, check: str) -> list[Figures]:
        """By the hour, of what is settled: all but the newest quarter of an hour or so."""
        query = (
            "SELECT hour, ok, warn, fail, unknown, latency_sum_us, latency_max_us FROM hours JOIN checks"
            " ON check_id = checks.id WHERE component = ? AND name = ? ORDER BY hour"
        )
        return [msgspec.convert(row, Figures) for row in self._rows(query, (component, check))]

    def minutes(self, component: str, check: str) -> list[Figures]:
        """By the minute, likewise."""
        query = (
            "SELECT body FROM minutes JOIN checks ON check_id = checks.id WHERE component = ? AND name = ?"
            " ORDER BY hour"
        )
        found: list[Figures] = []
        for (body,) in self._rows(query, (component, check)):
            counts = Minutes.decode(msgspec.convert(body, bytes)).counts
            found += [Figures(minute, *counts[minute]) for minute in sorted(counts)]
        return found

    def gaps(self) -> list[Gap]:
        """When nobody watched, the oldest first."""
        query = "SELECT start_ms, end_ms, component, why FROM gaps ORDER BY start_ms"
        return [msgspec.convert(row, Gap) for row in self._rows(query)]
