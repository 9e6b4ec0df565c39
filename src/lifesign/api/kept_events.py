"""The newest events as they are kept in memory for days: the older ones in pages of many.

Ten thousand small pieces, each replaced in its turn, would come to lie one on each page of memory that a moment's work
had filled and left. Not here: who asks for them (`journal`).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from lifesign.api.documents import EventDocument

PAGE = 64
_TS = len('{"ts":"')
_DECODER = msgspec.json.Decoder(EventDocument)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event and its place in the journal: as JSON, written once for all who follow, and half as large so."""

    number: int
    encoded: bytes

    @property
    def ts(self) -> str:
        """When it was, which comes first in what is written."""
        return self.encoded[_TS : self.encoded.index(b'"', _TS)].decode()

    @property
    def document(self) -> EventDocument:
        """The event, read anew at each call."""
        return _DECODER.decode(self.encoded)


@dataclass(frozen=True, slots=True)
class _Page:
    """`PAGE` events in a row, a line each; JSON holds no newline."""

    first: int
    lines: bytes

    @property
    def last(self) -> int:
        return self.first + PAGE - 1


class KeptEvents:
    """The newest `capacity` events, by numbers without a gap. One thread adds, any may read."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pages: deque[_Page] = deque()
        self._newest: list[Entry] = []
        self._last = 0

    def add(self, entry: Entry) -> None:
        """The next event; the oldest is forgotten for it."""
        self._last = entry.number
        self._newest.append(entry)
        if len(self._newest) == PAGE:
            lines = b"\n".join([one.encoded for one in self._newest])
            self._pages.append(_Page(self._newest[0].number, lines))
            self._newest = []
        while self._pages and self._pages[0].last <= self._last - self._capacity:
            self._pages.popleft()

    def after(self, number: int) -> Iterator[Entry]:
        """Those with a number above `number`, oldest first."""
        newest = list(self._newest)  # before the pages: what becomes one meanwhile is in both, and not in none
        number = max(number, self._last - self._capacity)
        for page in list(self._pages):
            if page.last <= number:
                continue
            for one, line in enumerate(page.lines.split(b"\n"), page.first):
                if one > number:
                    number = one
                    yield Entry(one, line)
        for entry in newest:
            if entry.number > number:
                yield entry
