"""The feed's threads: one request in flight, every failure a reading, and nothing that outlives the console."""

import queue
import threading
import time
from collections.abc import Iterator

import pytest
from textual.message import Message

from lifesign.api.documents import Component, EventDocument, Events, State
from lifesign.api.failures import ClientError
from lifesign.api.past import Past, Step
from lifesign.api.past_incidents import PastIncidents
from lifesign.api.report_documents import Report
from lifesign.tui.feed import EventsRead, Feed, Polled, Probed
from lifesign.tui.pace import Pace
from lifesign.tui.reading import ReadingAhead
from tests.tui.desk import HandClock
from tests.tui.documents import HandSource, at, component, state


class SlowSource(HandSource):
    """A source that answers when it is let, and counts who is inside."""

    def __init__(self) -> None:
        super().__init__(state([component("a")]))
        self.let = threading.Semaphore(0)
        self.inside = 0
        self.most_inside = 0

    def state(self) -> State:
        """Answers when it is let."""
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.let.acquire(timeout=60)
        self.inside -= 1
        return super().state()


class BrokenSource:
    """An adapter with a bug in every call."""

    def state(self) -> State:
        """Fails as no source should."""
        raise KeyError("secret")

    def probe(self, component: str) -> Component:
        """Fails as no source should."""
        raise RecursionError(component)

    def act(
        self,
        component: str,
        action: str,
        *,
        author: str | None = None,
        reason: str | None = None,
        duration_s: float | None = None,
    ) -> Component:
        """Fails as no source should."""
        raise ZeroDivisionError

    def past(self, component: str, step: Step) -> Past:
        """Fails as no source should."""
        raise OSError(component, step)

    def report(self, component: str | None = None) -> Report:
        """Fails as no source should."""
        raise ValueError(component)

    def past_incidents(self, step: Step) -> PastIncidents:
        """Fails as no source should."""
        raise OSError(step)

    def follow_events(self) -> Iterator[EventDocument]:
        """Fails as no source should."""
        raise AssertionError

    def events(self, since: str | None = None) -> Events:
        """Refuses as a source may."""
        raise ClientError(f"no \x1b[31mevents {since}")


def test_one_poll_is_in_flight_however_often_it_is_asked_for() -> None:
    source, arrived = SlowSource(), queue.Queue[Message]()
    feed = Feed(lambda _: source, arrived.put)
    feed.start()
    for _ in range(20):
        feed.poll_soon()
    for _ in range(3):
        source.let.release()
        feed.poll_soon()
        assert isinstance(arrived.get(timeout=40), Polled)
    feed.stop()
    source.let.release()
    assert source.most_inside == 1


def test_a_source_that_hangs_does_not_keep_the_process_alive_and_nothing_arrives_after_the_stop() -> None:
    source, arrived = SlowSource(), queue.Queue[Message]()
    feed, others = Feed(lambda _: source, arrived.put), set(threading.enumerate())
    feed.start()
    threads = [thread for thread in threading.enumerate() if thread not in others]
    assert len(threads) == 2
    assert all(thread.daemon for thread in threads)
    feed.stop()
    source.let.release()
    for thread in threads:
        thread.join(40)
    assert arrived.empty()


def test_a_bug_in_the_source_is_a_lost_link_and_neither_thread_dies_of_it() -> None:
    arrived = queue.Queue[Message]()
    feed = Feed(lambda _: BrokenSource(), arrived.put)
    feed.start()
    assert feed.probe(("a", "b"))
    assert feed.read_events(None)
    seen: dict[type[Message], Message] = {}
    deadline_s = time.monotonic() + 40
    while len(seen) < 3 and time.monotonic() < deadline_s:
        message = arrived.get(timeout=40)
        seen[type(message)] = message
    feed.stop()
    polled, probed, read = seen[Polled], seen[Probed], seen[EventsRead]
    assert isinstance(polled, Polled)
    assert polled.reading.problem == "the console could not ask (KeyError)"
    assert isinstance(probed, Probed)
    assert [line.split(":")[0] for line in probed.problems] == ["a", "b"]
    assert isinstance(read, EventsRead)
    assert read.problem.isprintable()


def test_more_than_it_can_remember_is_refused_and_not_queued_for_ever() -> None:
    feed = Feed(lambda _: BrokenSource(), lambda _: None)
    asked = [feed.probe(("a",)) for _ in range(100)]
    assert not all(asked)
    feed.stop()


def test_the_tick_asks_for_a_poll_where_one_is_due_and_never_for_two() -> None:
    source, arrived, clock = SlowSource(), queue.Queue[Message](), HandClock()
    feed = Feed(lambda _: source, arrived.put, clock)
    feed.start()
    source.let.release()
    arrived.get(timeout=40)
    assert not feed.poll_if_due()
    clock.now_s += 1
    deadline_s = time.monotonic() + 40
    while not feed.poll_if_due():  # the thread may not have come so far
        assert time.monotonic() < deadline_s
    assert not feed.poll_if_due(), "one is under way"
    source.let.release()
    assert isinstance(arrived.get(timeout=40), Polled)
    feed.stop()
    source.let.release()


def test_what_happens_is_polled_for_when_it_does_and_not_at_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    source, arrived, clock = SlowSource(), queue.Queue[Message](), HandClock()
    answered = Pace.answered
    monkeypatch.setattr(Pace, "answered", lambda *told: answered(*told) + 1000)  # only news can make a second poll
    feed = Feed(lambda _: source, arrived.put, clock)
    feed.start()
    for _ in range(3):
        source.let.release()
        assert isinstance(arrived.get(timeout=40), Polled)
        clock.now_s += 0.5
        deadline_s = time.monotonic() + 40
        while not source.inside:  # the thread may not have come so far
            source.news.put(EventDocument(ts=at(0), level="info", event="component_state_changed"))
            threading.Event().wait(0.01)
            assert time.monotonic() < deadline_s
    feed.stop()
    source.let.release()
    assert source.most_inside == 1


class TalkativeSource(HandSource):
    """A source that tells of news until the test ends that."""

    def __init__(self) -> None:
        super().__init__(state([component("a")]))
        self.hears, self.ended = threading.Event(), threading.Event()

    def follow_events(self) -> Iterator[EventDocument]:
        """Nothing, for as long as the test likes."""
        self.hears.set()
        self.ended.wait(60)
        yield from ()


def test_a_daemon_counts_as_telling_of_news_for_as_long_as_somebody_hears_it() -> None:
    source = TalkativeSource()
    feed = Feed(lambda _: source, lambda _: None)
    feed.start()
    assert source.hears.wait(40)
    assert feed._pace.told
    source.ended.set()
    deadline_s = time.monotonic() + 40
    while feed._pace.told:
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.01)
    feed.stop()


def test_what_was_asked_for_while_the_console_was_imported_is_its_first_reading_and_nobody_asks_twice() -> None:
    source, arrived = SlowSource(), queue.Queue[Message]()
    ahead = ReadingAhead(lambda _: source)
    feed = Feed(lambda _: source, arrived.put, ahead=ahead.take)
    feed.start()
    source.let.release()
    first = arrived.get(timeout=40)
    assert isinstance(first, Polled)
    assert first.reading.state is source.document
    assert source.most_inside == 1
    assert ahead.take() is None
    feed.stop()
    source.let.release()
