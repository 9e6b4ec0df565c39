"""The journal: bounded, in order, and never waiting for a reader."""

import asyncio
from collections import deque
from pathlib import Path

import msgspec
import pytest

from lifesign.api.documents import EventDocument
from lifesign.api.journal import QUEUE_LENGTH, Journal
from lifesign.api.kept_events import PAGE, Entry, KeptEvents
from tests.api.serving import serving


def _document(number: int) -> EventDocument:
    return EventDocument(
        ts=f"2026-11-21T14:{number // 60 % 60:02}:{number % 60:02}.000Z", level="INFO", event=str(number)
    )


def _names(documents: list[EventDocument]) -> list[int]:
    return [int(document.event) for document in documents]


def test_only_the_newest_events_are_kept() -> None:
    journal = Journal(capacity=3)
    for number in range(10):
        journal.append(_document(number))
    assert _names(journal.since().events) == [7, 8, 9]


def test_what_concerns_a_component_is_sought_among_the_newest_alone_and_not_in_the_words_of_others() -> None:
    journal = Journal()
    for number, name in enumerate(["mind", "feed", "mind", "mindful", "mind"]):
        told = EventDocument(
            ts="2026-11-21T14:00:00.000Z", level="INFO", event=str(number), component=name, data={"component": "mind"}
        )
        journal.append(told)
    assert _names(journal.concerning("mind", among=4)) == [2, 4]
    assert _names(journal.concerning("mind", among=100)) == [0, 2, 4]
    assert journal.concerning("nobody", among=100) == []


def test_pages_follow_each_other_without_gap_or_overlap() -> None:
    journal = Journal()
    for number in range(10):
        journal.append(_document(number))
    found: list[int] = []
    cursor = "2026-11-21T14:00:02.000Z"
    while page := journal.since(cursor, limit=3).events:
        found += _names(page)
        cursor = journal.since(cursor, limit=3).next
    assert found == [2, 3, 4, 5, 6, 7, 8, 9]


def test_without_since_the_newest_page_is_told() -> None:
    journal = Journal()
    for number in range(10):
        journal.append(_document(number))
    assert _names(journal.since(limit=4).events) == [6, 7, 8, 9]
    assert journal.since(journal.since(limit=4).next).events == []


def test_an_empty_journal_tells_where_to_go_on() -> None:
    journal = Journal()
    cursor = journal.since().next
    journal.append(_document(1))
    assert _names(journal.since(cursor).events) == [1]


def test_a_cursor_of_an_earlier_life_of_the_daemon_loses_nothing() -> None:
    before, after = Journal(epoch="1"), Journal(epoch="2")
    for number in range(5):
        before.append(_document(number))
    after.append(_document(100))
    assert _names(after.since(before.cursor).events) == [100]


@pytest.mark.parametrize(
    "since", ["", "x", "1.", ".1", "1.x", "a b.1", "2026-11-21", "99999-01-01T00:00:00Z", "1." + "9" * 30]
)
def test_a_since_of_no_kind_is_refused(since: str) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        Journal().since(since)


async def test_a_reader_that_falls_behind_is_dropped_and_costs_no_more() -> None:
    journal = Journal()
    slow, quick = journal.subscribe(), journal.subscribe()
    for number in range(QUEUE_LENGTH + 500):
        journal.append(_document(number))
        entry = await quick.next()
        assert entry is not None
        assert entry.document.event == str(number)
    assert slow.lost
    assert slow.queue.qsize() == QUEUE_LENGTH + 1
    for _ in range(QUEUE_LENGTH):
        assert await slow.next() is not None
    assert await slow.next() is None
    assert not quick.lost


async def test_every_feed_ends_with_the_journal_also_one_that_begins_after() -> None:
    journal = Journal()
    feed = journal.subscribe()
    journal.append(_document(1))
    journal.close()
    assert await feed.next() is not None
    assert await feed.next() is None
    assert await journal.subscribe().next() is None


async def test_a_quiet_stream_shows_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifesign.api.streaming.KEEP_ALIVE_S", 0.05)
    async with serving(tmp_path) as served:
        sock = served.raw()
        sock.sendall(b"GET /api/v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while received.count(b": still here") < 2:
            received += await asyncio.to_thread(sock.recv, 65536)


@pytest.mark.parametrize("capacity", [1, 63, 64, 65, 200])
def test_the_newest_are_kept_exactly_wherever_a_page_of_them_ends(capacity: int) -> None:
    kept, wanted = KeptEvents(capacity), deque[int](maxlen=capacity)
    for number in range(1, 3 * PAGE + capacity):
        kept.add(Entry(number, msgspec.json.encode(_document(number))))
        wanted.append(number)
        for after in (0, number - capacity, number - 2, number):
            assert [entry.number for entry in kept.after(after)] == [one for one in wanted if one > after]
    assert _names([entry.document for entry in kept.after(0)]) == list(wanted)
