"""The newest events that have been read, and the lines of those that a pattern lets through. Each is wrapped once.

Not here: how one looks (`drawing.history`), and when they are read (`screens.events`).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from lifesign.api.documents import EventDocument
from lifesign.tui.drawing.glyphs import UNICODE, Glyphs
from lifesign.tui.drawing.history import event_lines, matches
from lifesign.tui.drawing.spans import Line


class Told:
    """At most `most` events, oldest first."""

    def __init__(self, most: int) -> None:
        self._events: deque[EventDocument] = deque(maxlen=most)
        self._taken = 0
        self._drawn_for: tuple[str, int, Glyphs] = ("", 0, UNICODE)
        self._drawn = 0  # how many of those taken have been looked through
        self._wrapped: deque[tuple[int, Sequence[Line]]] = deque()  # each with its number among those taken
        self._lines: list[Line] = []

    def __len__(self) -> int:
        return len(self._events)

    @property
    def shown(self) -> int:
        """How many of them the pattern has let through."""
        return len(self._wrapped)

    def take(self, events: Iterable[EventDocument]) -> None:
        """They have happened since."""
        for event in events:
            self._events.append(event)
            self._taken += 1

    def lines(self, pattern: str, width: int, glyphs: Glyphs) -> Sequence[Line]:
        """The lines of those that `pattern` lets through, each `width` cells; the same list until one has come."""
        wanted = (pattern, width, glyphs)
        if wanted != self._drawn_for:
            self._drawn_for, self._drawn = wanted, 0
            self._wrapped.clear()
        elif self._drawn == self._taken:
            return self._lines
        oldest = self._taken - len(self._events)
        while self._wrapped and self._wrapped[0][0] < oldest:
            self._wrapped.popleft()
        begun = max(self._drawn, oldest)
        for number, event in enumerate(islice(self._events, begun - oldest, None), begun):
            if matches(event, pattern):
                self._wrapped.append((number, event_lines([event], width, glyphs)))
        self._drawn = self._taken
        self._lines = [line for _, lines in self._wrapped for line in lines]
        return self._lines
