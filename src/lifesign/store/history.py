"""The history: takes the transcript from the event loop at once, and keeps it in a file by a thread of its own.

`take` neither waits nor raises. What comes faster than it can be written, or while nothing can be, is dropped past a
bound, and the drop is a gap of the history. The thread merges small blocks, counts what is in them, and deletes what is
too old, a little at a time. Its file is not the one with what we go on from: no bulk stands before a record that a
restart waits for.
"""

import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from lifesign.core.alerting import SinkSpec
from lifesign.core.conversation import ConversationMemory
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import Instant
from lifesign.core.spec import MonitorSpec
from lifesign.core.transcript import Entry, Moment, Reviewed
from lifesign.records import dataclass
from lifesign.store import moments
from lifesign.store.database import UnusableError
from lifesign.store.drafting import Draft, Drafting
from lifesign.store.findings import RANK_BITS
from lifesign.store.history_file import HISTORY_FILE, Gap, HistoryFile, StoredBlock
from lifesign.store.settling import Settling
from lifesign.text import clean

QUEUE_ENTRIES = 200_000
BLOCK_ENTRIES = 5_000  # what is alive for long is walked by the collector of garbage, on the loop's time
FLUSH_S = 2.0
WORK_NS, REST_S = 1_000_000, 0.002
_NS_PER_MS = 1_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Life:
    """What one life of ours began from."""

    start: Instant
    spec: MonitorSpec
    memory: MonitorMemory
    conversations: tuple[ConversationMemory, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that holds from now on: as it is written, and the sinks that it names."""

    toml: str
    sinks: tuple[SinkSpec, ...]


class History:
    """One file and its writer. `open` it; every other method may be called from any thread."""

    def __init__(self, folder: Path, settling: Settling, file: HistoryFile, retry_s: float) -> None:
        self._folder = folder
        self._file = file
        self._settling = settling
        self._retry_s = retry_s
        self._lock = threading.Lock()  # held for a few instructions, never over I/O
        self._queue: deque[list[Entry] | Life | Loaded] = deque()
        self._queued = 0
        self._dropped: Gap | None = None
        self._drafting: Drafting | None = None
        self._draft: Draft | None = None  # made, and not yet written
        self._life = 0
        self._files = 0  # as many as its file had when that life began
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._rest_at_ns = 0
        self.trouble = ""  # why nothing can be written, in a sentence
        self.dropped_entries = 0
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    @classmethod
    def open(
        cls, folder: Path, *, history_s: float, retry_s: float = 10.0, others: Callable[[], str] = str
    ) -> "History":
        """Starts the writer of the history in `folder`. Never raises for what is there or not.

        `others`: as `Database` has it.
        """
        file = HistoryFile(folder / HISTORY_FILE, others)
        history = cls(folder, Settling(file, history_s=history_s), file, retry_s)
        history._thread.start()
        return history

    def begin(self, life: Life, config: Loaded) -> None:
        """What comes from now on is of this life."""
        self._put(life, config)

    def configured(self, config: Loaded) -> None:
        """What comes from now on is under this config."""
        self._put(config)

    def _put(self, *items: Life | Loaded) -> None:
        with self._lock:
            self._queue.extend(items)
        self._wake.set()

    def take(self, entries: list[Entry]) -> None:
        """Keeps `entries`, which nobody touches any more; drops them where too many wait."""
        if not entries:
            return
        with self._lock:
            if self._queued + len(entries) > QUEUE_ENTRIES:
                self._drop(entries)
                return
            self._queue.append(entries)
            self._queued += len(entries)
            full = self._queued >= BLOCK_ENTRIES
        if full:
            self._wake.set()

    def _drop(self, entries: Sequence[Entry]) -> None:
        self.dropped_entries += len(entries)
        start_ms = _wall_ms(entries[0]) if self._dropped is None else self._dropped.start_ms
        self._dropped = Gap(start_ms, _wall_ms(entries[-1]), None, "the history could not be written fast enough")

    def close(self, timeout_s: float = 1.0) -> bool:
        """Writes what is left, for at most `timeout_s`; whether all of it is in the file."""
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self.trouble

    def _run(self) -> None:
        while not self._closing.is_set():
            if self.trouble:
                self._closing.wait(self._retry_s)
            else:
                self._wake.wait(FLUSH_S)
            self._wake.clear()
            self._work()
        self._work(last=True)
        self._file.close()

    def _work(self, *, last: bool = False) -> None:
        try:
            while self._write():
                pass
            if not (last or self._closing.is_set()):
                self._settling.advance(self._breathe)
            self._tell_trouble("")
        except UnusableError as error:
            self._tell_trouble(clean(str(error), 300))
        except Exception:  # a bug of ours must not end the history; what it was about is lost
            logger.exception("a part of the history could not be kept")

    def _tell_trouble(self, trouble: str) -> None:
        """Takes note of it, and tells its beginning and its end."""
        before, self.trouble = self.trouble, trouble
        if trouble and not before:
            logger.warning(
                "lifesign: warning: what is seen now is not kept, report and replay will lack it: %s", trouble
            )
        elif before and not trouble:
            logger.warning("lifesign: what is seen is kept again")

    def _breathe(self) -> None:
        """Makes a pause in long work. The event loop gives the interpreter away with each knock at a port, and whoever
        computes gives it back only after 5 ms: a second of settling would be one in which hardly a look is made.
        """
        if time.monotonic_ns() >= self._rest_at_ns:
            self._closing.wait(REST_S)
            self._rest_at_ns = time.monotonic_ns() + WORK_NS

    def _write(self) -> bool:
        """Writes one thing that waits; whether there was one. What cannot be written goes on waiting."""
        self._follow_the_file()
        if self._draft is not None:
            self._add(self._draft)
            self._draft = None
            return True
        with self._lock:
            head = self._queue[0] if self._queue else None
            dropped = self._dropped
        if isinstance(head, list):
            self._draft_next()
            return True
        if isinstance(head, Life):
            self._begin(head)
        elif isinstance(head, Loaded):
            self._configure(head)
        elif dropped is not None:
            self._file.add_gap(dropped)
            with self._lock:
                self._dropped = None if self._dropped is dropped else self._dropped
            return True
        else:
            return False
        with self._lock:
            self._queue.popleft()
        return True

    def _follow_the_file(self) -> None:
        """In a file that came after the one that was taken away, or broke, ours is a life that cannot be replayed:
        what led to now is gone. It has a number of its own there.
        """
        if self._life and self._file.opened() != self._files:
            self._life = self._file.begin(time.time_ns() // _NS_PER_MS, "", "", b"")
            self._files = self._file.files

    def _draft_next(self) -> None:
        entries: list[Entry] = []
        with self._lock:
            while self._queue and isinstance(self._queue[0], list) and len(entries) < BLOCK_ENTRIES:
                entries += self._queue[0]
                self._queued -= len(self._queue[0])
                self._queue.popleft()
        if self._drafting is not None:
            self._draft = self._drafting.draft(entries, self._breathe)

    def _begin(self, life: Life) -> None:
        start = msgspec.json.encode((life.start, life.conversations)).decode()
        spec = msgspec.json.encode(life.spec).decode()
        memory = msgspec.json.encode(life.memory)
        self._life = self._file.begin(life.start.wall_ns // _NS_PER_MS, start, spec, memory)
        self._files = self._file.files
        self._drafting = Drafting(life.start)
        self._settling.expect(sum(len(component.checks) for component in life.spec.components))

    def _configure(self, config: Loaded) -> None:
        digest = hashlib.sha256(config.toml.encode()).hexdigest()
        sinks = msgspec.json.encode(config.sinks).decode()
        key = 0 if self._drafting is None else self._drafting.last.mono_ns // 1_000 << RANK_BITS
        self._file.add_config(self._life, key, digest, config.toml, sinks)

    def _add(self, draft: Draft) -> None:
        first_ms, last_ms = draft.first_wall_ns // _NS_PER_MS, draft.last_wall_ns // _NS_PER_MS
        block = StoredBlock(0, self._life, first_ms, last_ms, draft.entries)
        rows = [(key, *moments.encode(moment)) for key, moment in draft.moments]
        gaps = [
            Gap(
                silent.start_wall_ns // _NS_PER_MS,
                silent.end_wall_ns // _NS_PER_MS,
                None,
                "the machine was suspended" if silent.suspended else "lifesign had stalled",
            )
            for silent in draft.silences
        ]
        gaps += [gap for _, moment in draft.moments if (gap := moments.gap_of(moment)) is not None]
        self._file.add(block, draft.block.encode(), rows, gaps)
        self._settling.added(draft.entries)


def _wall_ms(entry: Entry) -> int:
    now = entry.now if isinstance(entry, Moment | Reviewed) else entry[0] if isinstance(entry, tuple) else entry
    return now.wall_ns // _NS_PER_MS
