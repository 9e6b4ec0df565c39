"""The outbox: alerts leave through it, each at least once, in the order of their incident, over our own death.

Every entry is given to `keep` before it is sent, and taken away after it has arrived. One task a sink: a sink that
hangs delays no other. A failed attempt is repeated for ever, with growing waits; an entry that a newer one of the same
incident makes superfluous is left out. Not here: what is said (`alert`), how it is sent (the sinks).
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from lifesign.alerts.alert import Alert
from lifesign.alerts.sink import HeldBackError, Memo, Sink, SinkError
from lifesign.text import clean

DELIVERY_S = 30.0
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 600.0
MOST_ENTRIES = 1000  # of one sink; past it the oldest updates and reminders are given up, then the oldest of all
_ENTRY, _MEMO = "outbox/", "sink/"
_SUPERFLUOUS = ("updated", "reminder")

logger = logging.getLogger(__name__)


class Entry(msgspec.Struct, kw_only=True):
    """One alert on its way to one sink. Times in Unix seconds."""

    sink: str
    number: int
    alert: Alert
    since_s: float
    attempts: int = 0
    next_s: float = 0.0

    @property
    def key(self) -> str:
        """Under which key it is kept."""
        return f"{_ENTRY}{self.sink}/{self.number:012}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt went. `trouble` is "" where it arrived; `is_new`: the first time that this trouble is met."""

    sink: str
    alert: Alert
    trouble: str = ""
    is_new: bool = True


class Outbox:
    """Entries of all sinks. Everything is called on one event loop; `now_s` is the wall clock in Unix seconds."""

    def __init__(
        self,
        sinks: Mapping[str, Sink],
        *,
        keep: Callable[[Mapping[str, str | None]], None],
        tell: Callable[[Outcome], None],
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self._sinks = dict(sinks)
        self._keep = keep
        self._tell = tell
        self._now_s = now_s or steady_clock()
        self._entries: dict[str, list[Entry]] = {name: [] for name in sinks}
        self._memos: dict[str, Memo] = {}
        self._wakes = {name: asyncio.Event() for name in sinks}
        self._troubles: dict[str, str] = {}
        self._unkept: set[str] = set()
        self._number = 0

    def recall(self, texts: Mapping[str, str]) -> None:
        """Goes on with what was kept; entries of a sink that is no more are given up."""
        for key, text in sorted(texts.items()):
            if key.startswith(_MEMO):
                self._recall_memo(key, text)
            elif key.startswith(_ENTRY):
                self._recall_entry(key, text)

    def _recall_memo(self, key: str, text: str) -> None:
        try:
            self._memos[key] = msgspec.json.decode(text, type=dict)
        except (msgspec.MsgspecError, UnicodeError):
            self._keep({key: None})

    def _recall_entry(self, key: str, text: str) -> None:
        try:
            entry = msgspec.json.decode(text, type=Entry)
        except (msgspec.MsgspecError, UnicodeError):
            self._keep({key: None})
            return
        self._number = max(self._number, entry.number)
        if entry.sink in self._entries:
            entry.next_s = min(entry.next_s, self._now_s() + LONGEST_WAIT_S)  # the wall clock may have been stepped
            self._entries[entry.sink].append(entry)
        else:
            self._keep({key: None})

    def put(self, sink: str, alert: Alert) -> dict[str, str | None]:
        """Takes an alert; what is to be kept for it, and forgotten (None). It goes once `release` says so."""
        self._number += 1
        entry = Entry(sink=sink, number=self._number, alert=alert, since_s=self._now_s())
        entries, changes = self._entries[sink], dict[str, str | None]()
        for old in [old for old in entries if _is_superfluous(old, alert)] or self._overflow(entries):
            entries.remove(old)
            changes[old.key] = None
        entries.append(entry)
        changes[entry.key] = msgspec.json.encode(entry).decode()
        self._unkept.add(entry.key)
        return changes

    def release(self, keys: Iterable[str]) -> None:
        """What stands under these keys is kept by now, or cannot be: it may be sent."""
        self._unkept.difference_update(keys)
        for wake in self._wakes.values():
            wake.set()

    def _overflow(self, entries: list[Entry]) -> list[Entry]:
        if len(entries) < MOST_ENTRIES:
            return []
        return [next((entry for entry in entries if entry.alert.stage in _SUPERFLUOUS), entries[0])]

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """Those it sends to, by name."""
        return self._sinks

    @property
    def depth(self) -> int:
        """How many alerts have not arrived."""
        return sum(map(len, self._entries.values()))

    @property
    def oldest_s(self) -> float:
        """How long the oldest of them waits, in seconds; 0 where none does."""
        since = [entry.since_s for entries in self._entries.values() for entry in entries]
        return max(0.0, self._now_s() - min(since)) if since else 0.0

    def address(self, component: str, incident: str) -> str | None:
        """Where a tracker has its issue of that incident; None where none has."""
        for name in self._sinks:
            memo = self._memos.get(f"{_MEMO}{name}/{component}", {})
            url = memo.get("url")
            if memo.get("incident") == incident and isinstance(url, str) and url:
                return url
        return None

    async def run(self) -> None:
        """Delivers until cancelled; then closes every sink."""
        try:
            async with asyncio.TaskGroup() as group:
                for name in self._sinks:
                    group.create_task(self._deliver_for_ever(name), name=f"sink {name}")
        finally:
            await self.close()

    async def close(self) -> None:
        """Closes every sink."""
        for sink in self._sinks.values():
            await _close(sink)

    async def _deliver_for_ever(self, name: str) -> None:
        while True:
            self._wakes[name].clear()
            entry = self._next(name)
            wait_s = None if entry is None else entry.next_s - self._now_s()
            if entry is not None and wait_s is not None and wait_s <= 0:
                await self._attempt(entry)
                continue
            try:
                async with asyncio.timeout(wait_s):
                    await self._wakes[name].wait()
            except TimeoutError:
                continue

    def _next(self, name: str) -> Entry | None:
        """The entry that is due first, of those that are the oldest of their incident."""
        first: dict[str, Entry] = {}
        for entry in self._entries[name]:
            first.setdefault(entry.alert.incident, entry)
        kept = [entry for entry in first.values() if entry.key not in self._unkept]
        return min(kept, key=lambda entry: (entry.next_s, entry.number), default=None)

    async def flush(self, timeout_s: float) -> bool:
        """Tries each waiting entry once, for at most so long: for a run that ends. Whether all have arrived."""
        try:
            async with asyncio.timeout(timeout_s):
                for name in self._sinks:
                    while (entry := self._next(name)) is not None and entry.next_s <= self._now_s():
                        await self._attempt(entry)
        except TimeoutError:
            pass
        return self.depth == 0

    async def _attempt(self, entry: Entry) -> None:
        memo_key = f"{_MEMO}{entry.sink}/{entry.alert.component}"
        try:
            async with asyncio.timeout(DELIVERY_S):
                memo = await self._sinks[entry.sink].deliver(entry.alert, self._memos.get(memo_key, {}))
        except HeldBackError as error:
            self._forget(entry, {})
            self._tell(Outcome(entry.sink, entry.alert, f"held back: {error}"))
        except SinkError as error:
            self._again(entry, str(error), error.retry_after_s)
        except TimeoutError:
            self._again(entry, f"no answer within {DELIVERY_S:g} s", None)
        except Exception as error:  # the adapter's border: a sink that dies is tried again
            logger.exception("the sink %s died", entry.sink)
            self._again(entry, clean(f"the sink itself died: {type(error).__name__}", 200), None)
        else:
            self._memos[memo_key] = memo
            self._troubles.pop(entry.sink, None)
            self._forget(entry, {memo_key: msgspec.json.encode(memo).decode() if memo else None})
            self._tell(Outcome(entry.sink, entry.alert))

    def _forget(self, entry: Entry, besides: Mapping[str, str | None]) -> None:
        if entry in self._entries[entry.sink]:
            self._entries[entry.sink].remove(entry)
        self._keep({entry.key: None, **besides})

    def _again(self, entry: Entry, trouble: str, retry_after_s: float | None) -> None:
        entry.attempts += 1
        wait_s = min(FIRST_WAIT_S * 2 ** min(entry.attempts - 1, 10), LONGEST_WAIT_S)
        wait_s *= random.uniform(0.8, 1.2)  # noqa: S311 - two watchdogs must not knock in step
        if retry_after_s is not None:
            wait_s = max(wait_s, min(retry_after_s, 3600.0))
        entry.next_s = self._now_s() + wait_s
        if entry in self._entries[entry.sink]:
            self._keep({entry.key: msgspec.json.encode(entry).decode()})
        is_new = self._troubles.get(entry.sink) != trouble
        self._troubles[entry.sink] = trouble
        self._tell(Outcome(entry.sink, entry.alert, trouble, is_new=is_new))


def steady_clock() -> Callable[[], float]:
    """The wall clock as of now, in Unix seconds, which from then on no step moves (T1); a suspend counts."""
    began_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return lambda: began_s + time.clock_gettime(time.CLOCK_BOOTTIME)


def _is_superfluous(old: Entry, newer: Alert) -> bool:
    same = old.alert.incident == newer.incident and old.alert.component == newer.component
    return same and old.alert.stage in _SUPERFLUOUS and newer.stage in (*_SUPERFLUOUS, "recovered")


async def _close(sink: Sink) -> None:
    try:
        await sink.close()
    except Exception:  # the adapter's border: closing is best effort
        logger.exception("a sink could not be closed")
