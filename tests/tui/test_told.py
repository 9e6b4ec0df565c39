"""The history on the screen: the newest events alone, each wrapped once, and the same as if all were drawn anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.api.documents import EventDocument
from lifesign.tui import told as told_module
from lifesign.tui.drawing.glyphs import ASCII, UNICODE
from lifesign.tui.drawing.history import event_lines, matches
from lifesign.tui.told import Told
from tests.tui.documents import at

MOST = 5


def event(number: int) -> EventDocument:
    """The so-manieth."""
    words = f"number {number} " + "goes on " * (number % 4) * 4
    return EventDocument(ts=at(number), level="INFO", event="check.failed", component=f"c{number % 3}", message=words)


ASKED = st.tuples(st.integers(0, 7), st.sampled_from(["", "c1", "!c1", "none"]), st.sampled_from([60, 100]))


@given(st.lists(ASKED, max_size=12), st.sampled_from([UNICODE, ASCII]))
def test_it_shows_what_drawing_everything_anew_would_show(asked: list[tuple[int, str, int]], glyphs: object) -> None:
    told, happened = Told(MOST), list[EventDocument]()
    for count, pattern, width in asked:
        fresh = [event(len(happened) + number) for number in range(count)]
        happened += fresh
        told.take(fresh)
        kept = [one for one in happened[-MOST:] if matches(one, pattern)]
        assert list(told.lines(pattern, width, glyphs)) == event_lines(kept, width, glyphs)  # type: ignore[arg-type]
        assert (len(told), told.shown) == (min(len(happened), MOST), len(kept))


def test_one_event_more_wraps_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped: list[str | None] = []

    def noting(events: list[EventDocument], *rest: object) -> object:
        wrapped.extend(one.component for one in events)
        return event_lines(events, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(told_module, "event_lines", noting)
    told = Told(2000)
    told.take(event(number) for number in range(2000))
    before = told.lines("", 160, UNICODE)
    assert told.lines("", 160, UNICODE) is before
    assert len(wrapped) == 2000
    told.take([event(2000)])
    told.lines("", 160, UNICODE)
    assert len(wrapped) == 2001
