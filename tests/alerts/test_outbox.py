"""The outbox: nothing is lost, nothing overtakes, a sink that hangs delays nobody."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from lifesign.alerts.alert import Alert
from lifesign.alerts.entry import Outcome
from lifesign.alerts.outbox import MOST_ENTRIES, Outbox
from lifesign.alerts.sink import HeldBackError, SinkError
from tests.alerts.alerts import ObedientSink, alert


class Desk:
    """An outbox with its store, its log and a clock that is set by hand."""

    def __init__(self, **sinks: ObedientSink) -> None:
        self.store: dict[str, str] = {}
        self.outcomes: list[Outcome] = []
        self.now_s = 1000.0
        self.sinks = sinks
        self.outbox = self.fresh()

    def fresh(self) -> Outbox:
        outbox = Outbox(self.sinks, keep=self.keep, tell=self.outcomes.append, now_s=lambda: self.now_s)
        outbox.recall(self.store)
        return outbox

    def keep(self, changes: Mapping[str, str | None]) -> None:
        for key, text in changes.items():
            if text is None:
                self.store.pop(key, None)
            else:
                self.store[key] = text

    def put(self, sink: str, *alerts: Alert) -> None:
        for each in alerts:
            changes = self.outbox.put(sink, each)
            self.keep(changes)
            self.outbox.release(changes)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.outbox.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.001)


async def test_an_alert_is_kept_until_it_has_arrived_and_its_memo_is_given_back() -> None:
    sink = ObedientSink()
    desk = Desk(forge=sink)
    desk.put("forge", alert())
    assert [key for key in desk.store if key.startswith("outbox/")] == ["outbox/forge/000000000001"]
    async with desk.running():
        await until(lambda: sink.taken)
        desk.put("forge", alert("recovered"))
        await until(lambda: len(sink.taken) == 2)
    assert [(stage, dict(memo)) for _, stage, memo in sink.taken] == [("opened", {}), ("recovered", {"number": 1})]
    assert [key for key in desk.store if key.startswith("outbox/")] == []
    assert [(outcome.sink, outcome.trouble) for outcome in desk.outcomes] == [("forge", "")] * 2
    assert sink.closed


async def test_nothing_goes_before_it_is_kept() -> None:
    sink = ObedientSink()
    desk = Desk(forge=sink)
    changes = desk.outbox.put("forge", alert())
    async with desk.running():
        desk.put("forge", alert(component="feed"))
        await until(lambda: sink.taken)
        assert [component for component, _, _ in sink.taken] == ["feed"]
        desk.outbox.release(changes)
        await until(lambda: len(sink.taken) == 2)


async def test_after_our_death_it_goes_on_with_what_was_kept() -> None:
    sink = ObedientSink()
    desk = Desk(forge=sink)
    desk.put("forge", alert(), alert("recovered"), alert(component="feed"))
    desk.outbox = desk.fresh()
    assert desk.outbox.depth == 3
    async with desk.running():
        await until(lambda: len(sink.taken) == 3)
    assert [(component, stage) for component, stage, _ in sink.taken] == [
        ("mind", "opened"),
        ("mind", "recovered"),
        ("feed", "opened"),
    ]
    desk.put("forge", alert(number=2))
    assert "outbox/forge/000000000004" in desk.store


async def test_a_failed_attempt_is_repeated_later_and_told_when_its_words_are_new() -> None:
    down, full = SinkError("the forge is down"), SinkError("429", retry_after_s=120)
    sink = ObedientSink(down, down, full)
    desk = Desk(forge=sink)
    desk.put("forge", alert())
    async with desk.running():
        await until(lambda: len(desk.outcomes) == 1)
        assert sink.taken == []
        desk.now_s += 7
        desk.put("forge", alert("recovered"))  # wakes it, and overtakes nothing
        await until(lambda: len(desk.outcomes) == 2)
        desk.now_s += 13
        desk.outbox.release(())
        await until(lambda: len(desk.outcomes) == 3)
        desk.now_s += 119
        desk.outbox.release(())
        await asyncio.sleep(0)
        assert (sink.taken, desk.outbox.depth, desk.outbox.oldest_s) == ([], 2, 139)
        desk.now_s += 1
        desk.outbox.release(())
        await until(lambda: len(sink.taken) == 2)
    assert [(o.trouble, o.is_new) for o in desk.outcomes[:3]] == [
        ("the forge is down", True),
        ("the forge is down", False),
        ("429", True),
    ]


async def test_what_a_newer_alert_makes_superfluous_is_left_out() -> None:
    sink = ObedientSink()
    desk = Desk(forge=sink)
    desk.put("forge", alert(), alert("updated"), alert("reminder"), alert("updated", component="feed"))
    desk.put("forge", alert("updated"), alert("recovered"))
    async with desk.running():
        await until(lambda: desk.outbox.depth == 0)
    assert [(component, stage) for component, stage, _ in sink.taken] == [
        ("mind", "opened"),
        ("feed", "updated"),
        ("mind", "recovered"),
    ]


async def test_a_sink_that_hangs_delays_no_other_and_one_incident_delays_no_other() -> None:
    hangs, works = ObedientSink(), ObedientSink(SinkError("422"))
    hangs.gate.clear()
    desk = Desk(hangs=hangs, works=works)
    desk.put("hangs", alert())
    desk.put("works", alert(), alert(component="feed"))
    async with desk.running():
        await until(lambda: works.taken)
        assert [component for component, _, _ in works.taken] == ["feed"]
        assert desk.outbox.depth == 2


async def test_a_sink_that_dies_is_tried_again_without_its_words() -> None:
    class Dying(ObedientSink):
        async def deliver(self, alert: Alert, memo: Mapping[str, object]) -> Mapping[str, object]:  # type: ignore[override]
            raise RuntimeError("token=canary")

    desk = Desk(forge=Dying())
    desk.put("forge", alert())
    async with desk.running():
        await until(lambda: desk.outcomes)
    assert desk.outcomes[0].trouble == "the sink itself died: RuntimeError"
    assert desk.outbox.depth == 1


async def test_its_room_is_bounded_and_garbage_in_the_store_is_no_entry() -> None:
    desk = Desk(forge=ObedientSink())
    for number in range(MOST_ENTRIES + 5):
        desk.put("forge", alert(component=f"c{number}"))
    assert desk.outbox.depth == MOST_ENTRIES
    assert len(desk.store) == MOST_ENTRIES
    desk.store = {"outbox/forge/1": "{", "sink/forge/mind": "[", "outbox/gone/2": desk.store.popitem()[1]}
    assert desk.fresh().depth in (0, 1)


async def test_a_run_that_ends_tries_each_once() -> None:
    sink = ObedientSink(None, SinkError("down"))
    desk = Desk(forge=sink)
    desk.put("forge", alert(), alert(component="feed"))
    assert not await desk.outbox.flush(5)
    assert [component for component, _, _ in sink.taken] == ["mind"]
    assert desk.outbox.depth == 1


async def test_the_next_incident_of_a_component_does_not_overtake_the_one_before() -> None:
    """Else a tracker would open the second, and take it for the first, which then never had an issue."""
    sink = ObedientSink(SinkError("down"))
    desk = Desk(forge=sink)
    desk.put("forge", alert())
    assert not await desk.outbox.flush(5)
    desk.put("forge", alert("recovered"), alert(number=2))
    assert not await desk.outbox.flush(5)
    assert sink.taken == []
    desk.now_s += 60
    assert await desk.outbox.flush(5)
    assert [stage for _, stage, _ in sink.taken] == ["opened", "recovered", "opened"]


async def test_an_alert_that_is_given_up_while_it_is_under_way_is_told_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = ObedientSink(HeldBackError("20 issues are open, and max_issues allows no more"))
    sink.gate.clear()
    desk = Desk(forge=sink)
    async with desk.running():
        desk.put("forge", alert("opened", component="c0"))
        await until(lambda: sink.asked)
        desk.put("forge", *(alert("opened", component=f"c{number}") for number in range(1, MOST_ENTRIES + 1)))
        desk.put("forge", alert("recovered", component="c0"))
        assert next(o.alert.component for o in desk.outcomes if "given up" in o.trouble) == "c0"
        sink.gate.set()
        await until(lambda: len(sink.taken) > 2)
    assert "died" not in caplog.text


async def test_a_secret_whose_file_is_away_for_a_moment_is_told_by_name_and_the_alert_arrives() -> None:
    missing = "cannot read the secret file /etc/token: No such file or directory"
    sink = ObedientSink(SinkError(missing))
    desk = Desk(forge=sink)
    async with desk.running():
        desk.put("forge", alert())
        await until(lambda: desk.outcomes)
        assert desk.outcomes[0].trouble == missing
        desk.now_s += 10
        desk.outbox.release(())
        await until(lambda: len(desk.outcomes) == 2)
    assert desk.outcomes[1].trouble == ""
