"""The outbox: alerts leave through it, each at least once, in the order of their component, over our own death.

Every entry is given to `keep` before it is sent, and taken away after it has arrived. One task a sink: a sink that
hangs delays no other. A failed attempt is repeated for ever, with growing waits; an entry that a newer one of the same
incident makes superfluous is left out. What a sink holds back (`max_issues`) stays, with its newest words: the longest
held is tried when an incident of that sink has ended, and now and then; with its own end it is forgotten. Not here:
what is said (`alert`), how it is sent (the sinks).
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec.structs import replace

from lifesign.alerts.alert import Alert
from lifesign.alerts.entry import ENTRY, SUPERFLUOUS, Entry, Outcome, is_of_one, is_superfluous
from lifesign.alerts.sink import HeldBackError, Memo, Sink, SinkError
from lifesign.text import clean

DELIVERY_S = 30.0
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 600.0
HELD_POLL_S = 300.0  # a human may have closed an issue meanwhile
MOST_ENTRIES = 1000  # of one sink; past it the oldest updates and reminders are given up, then the oldest of all
_MEMO = "sink/"

logger = logging.getLogger(__name__)


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
        self._surely_held: set[str] = set()
        self._number = 0

    def recall(self, texts: Mapping[str, str]) -> None:
        """Goes on with what was kept; entries of a sink that is no more are given up."""
        for key, text in sorted(texts.items()):
            if key.startswith(_MEMO):
                self._recall_memo(key, text)
            elif key.startswith(ENTRY):
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
            entry.next_s = 0.0 if entry.held else entry.next_s  # a config may allow more by now
            self._entries[entry.sink].append(entry)
        else:
            self._keep({key: None})

    def put(self, sink: str, alert: Alert) -> dict[str, str | None]:
        """Takes an alert; what is to be kept for it, and forgotten (None). It goes once `release` says so."""
        held = next((old for old in self._entries[sink] if old.held and is_of_one(old.alert, alert)), None)
        if held is not None and (held.key in self._surely_held or alert.stage != "recovered"):
            return self._about_held(held, alert)
        self._number += 1
        entry = Entry(sink=sink, number=self._number, alert=alert, since_s=self._now_s())
        entries, changes = self._entries[sink], dict[str, str | None]()
        if held is not None:  # it may have arrived after all: that is found out first
            held.held, held.next_s = False, 0.0
            changes[held.key] = msgspec.json.encode(held).decode()
        for old in [old for old in entries if is_superfluous(old, alert)] or self._overflow(sink):
            entries.remove(old)
            self._surely_held.discard(old.key)
            changes[old.key] = None
        entries.append(entry)
        changes[entry.key] = msgspec.json.encode(entry).decode()
        self._unkept.add(entry.key)
        return changes

    def _about_held(self, held: Entry, newer: Alert) -> dict[str, str | None]:
        """It is to say what is so now; with the end of its incident there is nothing to be said any more."""
        if newer.stage != "recovered":
            held.alert = replace(newer, stage="opened")
            return {held.key: msgspec.json.encode(held).decode()}
        self._entries[held.sink].remove(held)
        self._surely_held.discard(held.key)
        self._tell(Outcome(held.sink, newer, "held back to its end: nobody was told of it there"))
        return {held.key: None}

    def release(self, keys: Iterable[str]) -> None:
        """What stands under these keys is kept by now, or cannot be: it may be sent."""
        self._unkept.difference_update(keys)
        for wake in self._wakes.values():
            wake.set()

    def _overflow(self, sink: str) -> list[Entry]:
        entries = self._entries[sink]
        if len(entries) < MOST_ENTRIES:
            return []
        old = next((entry for entry in entries if entry.alert.stage in SUPERFLUOUS), entries[0])
        self._tell(Outcome(sink, old.alert, f"given up, for {MOST_ENTRIES} newer alerts wait for this sink"))
        return [old]

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """Those it sends to, by name."""
        return self._sinks

    @property
    def depth(self) -> int:
        """How many alerts have not arrived, but for what is held back."""
        return len(self.waiting)

    @property
    def oldest_s(self) -> float:
        """How long the oldest of them waits, in seconds; 0 where none does."""
        since = [entry.since_s for entry in self.waiting]
        return max(0.0, self._now_s() - min(since)) if since else 0.0

    @property
    def held_back(self) -> list[str]:
        """The components of which a sink will not hear before there is room, by name."""
        held = (entry for entries in self._entries.values() for entry in entries if entry.held)
        return sorted({entry.alert.component for entry in held})

    @property
    def waiting(self) -> list[Entry]:
        """What is under way and not held back, in the order of its sinks."""
        return [entry for entries in self._entries.values() for entry in entries if not entry.held]

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
            try:
                await self._deliver_next(name)
            except Exception:  # a bug of ours with one alert must not end this sink, nor the others beside it (G4)
                logger.exception("the outbox of the sink %s died and goes on in %g s", name, FIRST_WAIT_S)
                await asyncio.sleep(FIRST_WAIT_S)

    async def _deliver_next(self, name: str) -> None:
        """Tries what is due, or waits until something is."""
        self._wakes[name].clear()
        entry = self._next(name)
        wait_s = None if entry is None else entry.next_s - self._now_s()
        if entry is not None and wait_s is not None and wait_s <= 0:
            await self._attempt(entry)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wakes[name].wait()

    def _next(self, name: str) -> Entry | None:
        """The entry due first, of those that are the oldest of their component; of the held, the longest held."""
        first: dict[str, Entry] = {}
        for entry in self._entries[name]:
            first.setdefault(entry.alert.component, entry)
        longest = next((entry for entry in first.values() if entry.held), None)
        kept = [e for e in first.values() if e.key not in self._unkept and (not e.held or e is longest)]
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
        self._surely_held.discard(entry.key)  # from here on it may have arrived, whatever becomes of the answer
        memo_key = f"{_MEMO}{entry.sink}/{entry.alert.component}"
        try:
            async with asyncio.timeout(DELIVERY_S):
                memo = await self._sinks[entry.sink].deliver(entry.alert, self._memos.get(memo_key, {}))
        except HeldBackError as error:
            self._hold(entry, f"held back: {error}")
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
            if entry.held or entry.alert.stage == "recovered":
                self._make_way(entry.sink)

    def _hold(self, entry: Entry, trouble: str) -> None:
        if entry not in self._entries[entry.sink]:  # given up while it was under way, and told so
            return
        is_new, entry.held = not entry.held, True
        self._surely_held.add(entry.key)
        entry.next_s = self._now_s() + HELD_POLL_S
        changes: dict[str, str | None] = {entry.key: msgspec.json.encode(entry).decode()}
        self._tell(Outcome(entry.sink, entry.alert, trouble, is_new=is_new))
        for later in [e for e in self._entries[entry.sink] if e is not entry and is_of_one(e.alert, entry.alert)]:
            self._entries[entry.sink].remove(later)
            changes |= {later.key: None, **self._about_held(entry, later.alert)}
        self._keep(changes)

    def _make_way(self, sink: str) -> None:
        """There may be room now for the longest held, and then for the next."""
        held = next((entry for entry in self._entries[sink] if entry.held), None)
        if held is not None:
            held.next_s = 0.0

    def _forget(self, entry: Entry, besides: Mapping[str, str | None]) -> None:
        if entry in self._entries[entry.sink]:
            self._entries[entry.sink].remove(entry)
        self._keep({entry.key: None, **besides})

    def _again(self, entry: Entry, trouble: str, retry_after_s: float | None) -> None:
        entry.attempts, entry.held = entry.attempts + 1, False
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


async def _close(sink: Sink) -> None:
    try:
        await sink.close()
    except Exception:  # the adapter's border: closing is best effort
        logger.exception("a sink could not be closed")
