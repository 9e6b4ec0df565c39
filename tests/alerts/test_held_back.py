"""What `max_issues` holds back: told, kept with its newest words, and an issue in its turn as soon as there is room."""

import asyncio

import pytest
from msgspec.structs import replace

from lifesign.alerts.alert import Alert, Stage
from lifesign.alerts.outbox import HELD_POLL_S
from lifesign.alerts.sink import HeldBackError, Memo, SinkError
from lifesign.alerts.tracker import Tracker, TrackerRules
from tests.alerts.alerts import ObedientSink, alert
from tests.alerts.memory_forge import MemoryForge, Project
from tests.alerts.test_outbox import Desk, until

FULL = HeldBackError("2 issues are open, and max_issues allows no more")


def tracked(project: Project, max_issues: int = 2) -> Desk:
    """The outbox over a tracker with room for so many."""
    sink = Tracker(MemoryForge(project), lambda: "prod", TrackerRules(max_issues=max_issues))
    return Desk(forge=sink)  # type: ignore[arg-type]


def of(project: Project) -> list[str]:
    """The components that have an open issue, in the order of its making."""
    return [project.titles[number].partition(" ")[0] for number in project.open]


def told(desk: Desk) -> list[str]:
    """What is new of what was told, as the log has it."""
    return [f"{o.alert.component} {o.trouble.partition(':')[0] or o.alert.stage}" for o in desk.outcomes if o.is_new]


async def flushed(desk: Desk, *alerts: Alert) -> None:
    desk.put("forge", *alerts)
    assert await desk.outbox.flush(10)


async def test_the_longest_held_that_is_still_down_gets_the_issue_when_one_closes() -> None:
    project = Project()
    desk = tracked(project)
    await flushed(desk, *(alert(component=name) for name in "abcdef"))
    assert (of(project), desk.outbox.held_back, desk.outbox.depth) == (["a", "b"], ["c", "d", "e", "f"], 0)
    await flushed(desk, alert("recovered", component="c"))  # held to its end
    await flushed(desk, alert("recovered", component="a"))
    assert (of(project), desk.outbox.held_back) == (["b", "d"], ["e", "f"])
    await flushed(desk, alert("recovered", component="b"), alert("recovered", component="d"))
    assert (of(project), desk.outbox.held_back) == (["e", "f"], [])
    await flushed(desk, alert("recovered", component="e"), alert("recovered", component="f"))
    assert (of(project), desk.store) == ([], {})
    assert len(project.issues) == 5
    assert told(desk) == [
        *("a opened", "b opened", "c held back", "d held back", "e held back", "f held back"),
        *("c held back to its end", "a recovered", "d opened"),
        *("b recovered", "e opened", "d recovered", "f opened", "e recovered", "f recovered"),
    ]


async def test_its_issue_tells_what_is_so_when_it_is_made() -> None:
    project = Project()
    desk = tracked(project, max_issues=1)
    await flushed(desk, alert(component="a"), alert(component="b", diagnosis="slow"))
    await flushed(desk, alert("updated", component="b", diagnosis="its process is gone"))
    await flushed(desk, alert("recovered", component="a"))
    assert "its process is gone" in project.issues[2].body
    assert project.comments[2] == []


async def test_a_human_who_closes_one_makes_room_too() -> None:
    project = Project()
    desk = tracked(project, max_issues=1)
    await flushed(desk, alert(component="a"), alert(component="b"), alert(component="c"))
    project.human(1, closes=True)
    await flushed(desk)
    assert of(project) == []
    desk.now_s += HELD_POLL_S + 1
    await flushed(desk)
    assert (of(project), desk.outbox.held_back) == (["b"], ["c"])


async def test_what_is_held_is_so_after_our_death_and_is_not_told_twice() -> None:
    project = Project()
    desk = tracked(project, max_issues=1)
    await flushed(desk, alert(component="a"), alert(component="b"))
    desk.outbox = desk.fresh()
    assert (desk.outbox.held_back, desk.outbox.depth) == (["b"], 0)
    await flushed(desk)
    await flushed(desk, alert("recovered", component="a"))
    assert of(project) == ["b"]
    assert told(desk) == ["a opened", "b held back", "a recovered", "b opened"]


async def test_an_issue_made_with_its_answer_lost_is_closed_though_it_was_held_before() -> None:
    project = Project()
    desk = tracked(project, max_issues=1)
    await flushed(desk, alert(component="a"), alert(component="b"))

    class Lost(MemoryForge):
        async def create(self, title: str, body: str) -> None:  # type: ignore[override]
            await super().create(title, body)
            raise SinkError("the answer was lost")

    sink = desk.sinks["forge"]
    forge, sink._forge = sink._forge, Lost(project)  # type: ignore[attr-defined]
    desk.put("forge", alert("recovered", component="a"))
    assert not await desk.outbox.flush(10)
    sink._forge = forge  # type: ignore[attr-defined]
    assert (of(project), desk.outbox.held_back) == (["b"], [])
    desk.put("forge", alert("recovered", component="b"))
    desk.now_s += 60
    assert await desk.outbox.flush(10)
    assert (of(project), desk.store) == ([], {})


@pytest.mark.parametrize("dies", [False, True])
async def test_a_recovery_while_it_is_being_tried_is_lost_neither_way(dies: bool) -> None:
    """The issue may have been made when we died: that is found out before it is forgotten."""
    project = Project()
    desk = tracked(project, max_issues=1)
    await flushed(desk, alert(component="a"), alert(component="b"))
    if dies:  # with b's issue made, and nothing of it written down
        kept = dict(desk.store)
        await flushed(desk, alert("recovered", component="a"))
        desk.store = kept
        desk.outbox = desk.fresh()
    else:
        await flushed(desk, alert("recovered", component="a"))
    await flushed(desk, alert("recovered", component="b"))
    assert (of(project), desk.outbox.held_back) == ([], [])
    assert [key for key in desk.store if key.startswith("outbox/")] == []


async def test_a_recovery_that_comes_while_the_sink_decides_to_hold_leaves_nothing() -> None:
    class Slow(ObedientSink):
        async def deliver(self, alert: Alert, memo: Memo) -> Memo:
            await self.gate.wait()
            raise FULL

    sink = Slow()
    sink.gate.clear()
    desk = Desk(forge=sink)
    desk.put("forge", alert())
    async with desk.running():
        await asyncio.sleep(0)
        stages: tuple[Stage, ...] = ("updated", "recovered")
        for stage in stages:
            desk.put("forge", alert(stage))
        assert desk.outbox.depth == 2
        sink.gate.set()
        await until(lambda: desk.outbox.depth == 0)
    assert (desk.outbox.held_back, desk.store) == ([], {})
    assert told(desk) == ["mind held back", "mind held back to its end"]


async def test_however_many_are_held_one_request_in_a_while_is_made_for_all() -> None:
    sink = ObedientSink(*[FULL] * 200)
    desk = Desk(forge=sink)
    await flushed(desk, *(alert(component=f"c{number:03}") for number in range(100)))
    assert (len(sink.troubles), len(desk.outbox.held_back)) == (100, 100)
    for _ in range(10):
        desk.now_s += HELD_POLL_S + 1
        await flushed(desk, *(replace(alert("updated"), component="c007", incident="c007-1") for _ in range(3)))
    assert len(sink.troubles) == 90
