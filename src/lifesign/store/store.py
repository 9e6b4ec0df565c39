"""The store: takes what must survive from the event loop at once, and writes it by a thread of its own.

Whatever happens to the file, `record` neither waits nor raises. While nothing can be written, the newest of everything
is kept in memory, within bounds, and written once that works again: it is tried every few seconds.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from lifesign.records import dataclass
from lifesign.store.database import Database, UnusableError
from lifesign.text import clean, format_timestamp

QUEUE_EVENTS = 10_000
NEWEST_EVENTS = 10_000
LINGER_S = 0.05  # memories that come within it go into one transaction; an event ends the wait
PRUNE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the file held: memories by key, the newest events, oldest first; `trouble` is empty if all went well."""

    memory: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[str] = ()
    trouble: str = ""


class Store:
    """One file and its writer. `open` it; every other method may be called from any thread."""

    def __init__(
        self, database: Database, *, history_s: float, settled: Callable[[int], None] | None, retry_s: float
    ) -> None:
        self._database = database
        self._history_s = history_s
        self._settled = settled
        self._retry_s = retry_s
        self._lock = threading.Lock()  # held for a few instructions, never over I/O
        self._events: deque[tuple[str, str]] = deque(maxlen=QUEUE_EVENTS)
        self._memory: dict[str, str | None] = {}
        self._number = 0
        self._prune_at_s = time.monotonic() + PRUNE_EVERY_S
        self._wake = threading.Event()
        self._hurry = threading.Event()  # somebody waits for an event
        self._closing = threading.Event()
        self._is_loaded = threading.Event()
        self._loaded = Loaded()
        self._trouble = "it has not been opened yet"
        self.lost_events = 0
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        history_s: float = 90 * 86400.0,
        settled: Callable[[int], None] | None = None,
        retry_s: float = 3.0,
        others: Callable[[], str] = str,
    ) -> "Store":
        """Starts the writer of the file `path`. Never raises for what the file is or is not.

        `settled` is called by the writer's thread with the newest number (see `record`) that is committed, or that
        cannot be for now. `others`: as `Database` has it.
        """
        store = cls(Database(path, others), history_s=history_s, settled=settled, retry_s=retry_s)
        store._thread.start()
        return store

    @property
    def writable(self) -> bool:
        """Whether the last attempt to write, or to open, went well."""
        return not self._trouble

    @property
    def trouble(self) -> str:
        """Why it is not writable, in a sentence; empty if it is."""
        return self._trouble

    @property
    def files(self) -> int:
        """How many files it has had: one that was taken away, or broke, is followed by an empty one."""
        return self._database.files

    def load(self, timeout_s: float = 2.0) -> Loaded:
        """What the file held when it was opened; nothing, with the trouble, where that takes longer.

        Given away once, for nobody needs ten thousand events twice.
        """
        if not self._is_loaded.wait(timeout_s):
            return Loaded(trouble="the state could not be read in time")
        loaded, self._loaded = self._loaded, Loaded(trouble=self._loaded.trouble)
        return loaded

    def record(self, events: Sequence[tuple[str, str]], memory: Mapping[str, str | None]) -> int:
        """Takes (time, document) events and the memories they led to, for one transaction; its number.

        A memory of None is forgotten. Past `QUEUE_EVENTS` unwritten events the oldest are lost, and counted.
        """
        with self._lock:
            self.lost_events += max(0, len(self._events) + len(events) - QUEUE_EVENTS)
            self._events.extend(events)
            self._memory.update(memory)
            self._number += 1
            number = self._number
        if events:
            self._hurry.set()
        self._wake.set()
        return number

    def close(self, timeout_s: float = 1.0) -> bool:
        """Writes what is left, for at most `timeout_s`; whether all of it is committed."""
        self._closing.set()
        self._hurry.set()
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and self.writable

    def _run(self) -> None:
        self._load()
        self._is_loaded.set()
        while not self._closing.is_set():
            self._wait()
            self._write()
            self._prune()
        self._write()  # what came in while the last transaction was written
        self._database.close()

    def _load(self) -> None:
        try:
            self._database.open()
            self._loaded = Loaded(*self._database.load(NEWEST_EVENTS))
            self._trouble = ""
        except UnusableError as error:
            self._trouble = clean(str(error), 300)
            self._loaded = Loaded(*self._database.peek(NEWEST_EVENTS), trouble=self._trouble)

    def _wait(self) -> None:
        if self._trouble:
            self._closing.wait(self._retry_s)
        else:
            self._wake.wait(PRUNE_EVERY_S)
            self._hurry.wait(LINGER_S)
        self._wake.clear()
        self._hurry.clear()

    def _write(self) -> None:
        with self._lock:
            events, self._events = self._events, deque(maxlen=QUEUE_EVENTS)
            memory, self._memory = self._memory, {}
            number = self._number
        if not (events or memory or self._trouble):
            return
        try:
            self._database.write(list(events), memory)
            self._trouble = ""
        except UnusableError as error:
            self._trouble = clean(str(error), 300)
            self._take_back(events, memory)
        if self._settled is not None:
            self._settled(number)

    def _take_back(self, events: Sequence[tuple[str, str]], memory: Mapping[str, str | None]) -> None:
        with self._lock:
            self.lost_events += max(0, len(self._events) + len(events) - QUEUE_EVENTS)
            self._events = deque([*events, *self._events], maxlen=QUEUE_EVENTS)
            self._memory = {**memory, **self._memory}

    def _prune(self) -> None:
        now_s = time.monotonic()
        if self._trouble or now_s < self._prune_at_s:
            return
        try:
            deleted = self._database.prune(format_timestamp(time.time_ns() - int(self._history_s * 1e9)))
        except UnusableError as error:
            self._trouble = clean(str(error), 300)
            return
        self._prune_at_s = now_s + (LINGER_S if deleted else PRUNE_EVERY_S)
