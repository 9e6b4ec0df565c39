"""The newest events, in memory: history from a point on, and a live feed. Nothing here blocks or grows without bound.

A cursor is `EPOCH.NUMBER`: the number counts events, the epoch names this journal. A cursor of another journal (the
daemon was restarted) reads from the beginning of this one. Not here: what survives a restart.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from lifesign.api.documents import EventDocument, Events
from lifesign.api.kept_events import Entry, KeptEvents
from lifesign.text import format_timestamp, parse_timestamp

CAPACITY = 10_000
PAGE = 1000
QUEUE_LENGTH = 1000


@dataclass(eq=False, slots=True)
class Subscription:
    """One reader's live feed. `lost` is set when the reader was too slow and has been dropped."""

    queue: "asyncio.Queue[Entry | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH + 1))
    lost: bool = False

    async def next(self) -> Entry | None:
        """The next event; None when there will be no more."""
        return await self.queue.get()

    def offer(self, entry: Entry) -> bool:
        """Whether there was room."""
        if self.queue.qsize() < QUEUE_LENGTH:
            self.queue.put_nowait(entry)
            return True
        self.lost = True
        self.end()
        return False

    def end(self) -> None:
        """No more will come; what is queued is still read."""
        if not self.queue.full():
            self.queue.put_nowait(None)


class Journal:
    """The last `capacity` events. All methods are called on one event loop."""

    def __init__(self, capacity: int = CAPACITY, epoch: str | None = None) -> None:
        self._kept = KeptEvents(capacity)
        self._epoch = epoch or f"{time.time_ns():x}"
        self._last = 0
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def cursor(self) -> str:
        """The place after the newest event."""
        return self.cursor_of(self._last)

    def cursor_of(self, number: int) -> str:
        """The place after the event with that number."""
        return f"{self._epoch}.{number}"

    def append(self, document: EventDocument) -> str:
        """Takes an event in and gives it to every subscriber; its cursor."""
        self._last += 1
        entry = Entry(self._last, msgspec.json.encode(document))
        self._kept.add(entry)
        self._subscriptions = {subscription for subscription in self._subscriptions if subscription.offer(entry)}
        return self.cursor

    def since(self, since: str | None = None, limit: int = PAGE) -> Events:
        """At most `limit` events, oldest first, and where to go on: from `since` on, else the newest.

        `since`: an RFC 3339 time (inclusive) or a `next`. Raises ValueError with a sentence for the user.
        """
        entries = list(
            self._kept.after(self._last - limit) if since is None else islice(self._entries_since(since), limit)
        )
        return Events(
            events=[entry.document for entry in entries],
            next=self.cursor_of(entries[-1].number) if entries else self.cursor,
        )

    def entries_since(self, since: str) -> list[Entry]:
        """Every entry from `since` on. Raises ValueError as `since` does."""
        return list(self._entries_since(since))

    def documents(self) -> list[EventDocument]:
        """All that is held, oldest first. From any thread."""
        return [entry.document for entry in self._kept.after(0)]

    def concerning(self, component: str, among: int) -> list[EventDocument]:
        """Those of the newest `among` events that concern `component`, oldest first; no other is read again."""
        mark = b'"component":' + msgspec.json.encode(component)
        marked = [entry.document for entry in self._kept.after(self._last - among) if mark in entry.encoded]
        return [document for document in marked if document.component == component]

    def _entries_since(self, since: str) -> Iterator[Entry]:
        epoch, dot, number = since.rpartition(".")
        if dot and epoch.isalnum() and number.isascii() and number.isdigit() and len(number) < 20:
            return self._kept.after(int(number) if epoch == self._epoch else 0)
        try:
            floor = format_timestamp(parse_timestamp(since))
        except (ValueError, OverflowError):
            raise ValueError("since is an RFC 3339 time with a zone, or a `next` of an earlier answer") from None
        # One format of one length: the order of text is that of time.
        return (entry for entry in self._kept.after(0) if entry.ts >= floor)

    def subscribe(self) -> Subscription:
        """A live feed from this moment on; give it back with `drop`."""
        subscription = Subscription()
        if self._closed:
            subscription.end()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forgets a feed."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Ends every feed."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()
        self._subscriptions = set()
