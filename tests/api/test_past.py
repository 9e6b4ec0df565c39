"""`/api/v1/components/{name}/past`: how a component stood at its changes, stepped through, and how it refuses."""

import asyncio
from dataclasses import replace
from pathlib import Path

import jsonschema
import msgspec
import pytest

from lifesign.api.client import ProblemAnswer
from lifesign.api.documents import EventDocument
from lifesign.api.past import Past, PastState, Step
from lifesign.api.past_incidents import PastIncidents
from lifesign.core.hindsight import PastLook
from lifesign.core.model import CheckState, Layer, Verdict
from tests.api.fakes import AT_WALL_NS, FakeArchive, check, component, monitor
from tests.api.serving import Served, serving

# The fake's clock says 2026-11-21T14:03:22.123Z.
HEALTHY, BLIP, DOWN, SILENCED, RECOVERED = (
    f"2026-11-21T{time}.000Z" for time in ("13:00:00", "13:10:00", "13:10:20", "13:12:00", "13:20:00")
)
WHY = "not working: no new work for 612 s"


def event(ts: str, name: str, message: str = "", check: str | None = None, **more: object) -> EventDocument:
    document = EventDocument(
        ts=ts, level="INFO", event=name, component="mind", check=check, message=message, incident="i"
    )
    return msgspec.structs.replace(document, **more)


TOLD = [
    event(HEALTHY, "component.healthy", "all is well"),
    event(BLIP, "check.failing", "no new work", "port"),
    event(BLIP, "component.degraded", "suspect"),
    event("2026-11-21T13:10:05.000Z", "alert.sent", "told ops"),
    event("2026-11-21T13:10:06.000Z", "operator.action", "alice asked for a check now"),
    event(DOWN, "check.failed", "no new work", "port"),
    event(DOWN, "component.down", WHY),
    event("2026-11-21T13:11:00.000Z", "config.reloaded", component=None, check=None),
    event(SILENCED, "silence.added", "alice silenced it for 1 h"),
    event(RECOVERED, "check.passed", "connected", "port"),
    event(RECOVERED, "component.recovered", "recovered after 9m40s"),
    event(RECOVERED, "component.healthy", "all is well"),
]
LOOK = PastLook(AT_WALL_NS - 3_182_123_000_000, Verdict.FAIL, "refused", 0.0021, failures=3)  # 13:10:20


def kept(served: Served) -> None:
    served.backend.shown = monitor(component("mind", checks=(check(), check("gone", layer=Layer.WORKING))), component())
    served.backend.archive = FakeArchive(list(TOLD), {"port": LOOK})


async def asked(served: Served, moment: str, *, later: bool = False, count: int = 1) -> PastState | None:
    found = await asyncio.to_thread(served.client.past, "mind", Step(moment, later, count))
    assert (found.schema, found.component) == ("lifesign.past/1", "mind")
    return found.moment


async def test_it_steps_back_through_the_changes_and_forth_to_now(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        kept(served)
        back, at = [], "2026-11-21T14:03:22.123Z"
        while (moment := await asked(served, at)) is not None:
            at = moment.at
            back.append((moment.at, moment.until))
        forth = []
        while (moment := await asked(served, at, later=True)) is not None:
            at = moment.at
            forth.append(at)
        third = await asked(served, "", count=3)
        first = await asked(served, "2026-11-21T14:03:22.123Z", count=99)
        beyond = await asked(served, DOWN, later=True, count=3)
    assert back == [
        (RECOVERED, None),
        (SILENCED, RECOVERED),
        (DOWN, SILENCED),
        (BLIP, DOWN),
        (HEALTHY, BLIP),
    ]
    assert forth == [BLIP, DOWN, SILENCED, RECOVERED]
    assert third is not None
    assert third.at == DOWN
    assert first is not None
    assert first.at == HEALTHY
    assert beyond is None


async def test_a_moment_tells_what_is_known_of_it_and_nothing_of_now(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        kept(served)
        down = await asked(served, SILENCED)
        silenced = await asked(served, RECOVERED)
        _, raw = await served.unix("GET", f"/api/v1/components/mind/past?before={SILENCED}")
    jsonschema.validate(raw, msgspec.json.schema(Past))
    assert down is not None
    assert silenced is not None
    assert (down.state, down.since, down.diagnosis) == ("down", DOWN, WHY)
    assert [told.event for told in down.events] == ["check.failed", "component.down"]
    assert down.incident is not None
    assert (down.incident.id, down.incident.opened_at) == ("i", DOWN)
    port, gone = down.checks
    assert (port.state, port.message, port.consecutive_failures, port.latency_ms) == ("failed", "no new work", 3, 2.1)
    assert port.last_at == DOWN
    assert (gone.state, gone.last_at) == ("passing", None)  # all were healthy, and nothing was told of it since
    assert down.layers == {"ready": "failed", "working": "passing"}
    assert down.notices == []
    assert silenced.notices == ["alice silenced it for 1 h"]
    # A config was loaded in between: what was told before it proves nothing of what a check found after it.
    assert (silenced.state, silenced.diagnosis, silenced.layers["ready"]) == (None, "", None)


async def test_what_changed_nothing_is_no_step_however_often_it_was_told(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        kept(served)
        probes = [event(f"2026-11-21T13:{30 + n // 60}:{n % 60:02}.000Z", "operator.action", "c") for n in range(300)]
        served.backend.archive.told += probes
        newest, first = await asked(served, ""), await asked(served, "", count=5)
        none = await asked(served, RECOVERED, later=True)
    assert newest is not None
    assert newest.at == RECOVERED
    assert first is not None
    assert first.at == HEALTHY
    assert none is None


async def test_an_incident_whose_beginning_is_no_longer_kept_is_open_since_a_time_that_is_not_known(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served:
        kept(served)
        served.backend.archive.told = [event(SILENCED, "silence.added", "alice silenced it")]
        moment = await asked(served, "")
    assert moment is not None
    assert moment.incident is not None
    assert (moment.incident.id, moment.incident.opened_at) == ("i", None)


async def test_a_check_of_which_nothing_was_ever_told_is_not_known(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(component("mind", checks=(replace(check(), state=CheckState.PASSING),)))
        served.backend.archive = FakeArchive([event(BLIP, "silence.added", "alice silenced it")])
        moment = await asked(served, DOWN)
    assert moment is not None
    assert (moment.state, moment.consecutive_failures, moment.checks[0].state) == (None, None, None)


async def test_what_was_open_is_stepped_through_with_what_operators_did_about_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        kept(served)
        served.backend.archive.told.insert(8, event("2026-11-21T13:11:30.000Z", "ack.added", "alice has it"))
        newest = (await asyncio.to_thread(served.client.past_incidents, Step())).moment
        silenced = (await asyncio.to_thread(served.client.past_incidents, Step(RECOVERED))).moment
        first = (await asyncio.to_thread(served.client.past_incidents, Step(RECOVERED, count=99))).moment
        later = (await asyncio.to_thread(served.client.past_incidents, Step(DOWN, later=True, count=2))).moment
        beyond = (await asyncio.to_thread(served.client.past_incidents, Step(RECOVERED, later=True))).moment
        _, raw = await served.unix("GET", f"/api/v1/incidents/past?before={SILENCED}")
    jsonschema.validate(raw, msgspec.json.schema(PastIncidents))
    assert newest is not None
    assert (newest.at, newest.until, newest.known_since) == (RECOVERED, None, None)
    assert [(one.component, one.incident, one.notices) for one in newest.incidents] == [
        ("mind", None, ["alice silenced it for 1 h"])
    ]
    assert silenced is not None
    assert (silenced.at, silenced.until) == (SILENCED, RECOVERED)
    [open_then] = silenced.incidents
    assert (open_then.incident, open_then.opened_at, open_then.why) == ("i", DOWN, WHY)
    assert open_then.notices == ["alice has it", "alice silenced it for 1 h"]
    assert first is not None
    assert first.at == DOWN
    assert later == silenced
    assert beyond is None


@pytest.mark.parametrize(
    "query",
    ["before=noon", f"before={DOWN}&after={DOWN}", f"before={DOWN}&count=0", f"before={DOWN}&count=101"],
)
async def test_a_wrong_question_is_422_and_a_wrong_name_404(tmp_path: Path, query: str) -> None:
    async with serving(tmp_path) as served:
        kept(served)
        status, problem = await served.unix("GET", f"/api/v1/components/mind/past?{query}")
        assert (status, problem["status"]) == (422, 422)
        with pytest.raises(ProblemAnswer, match="mind"):
            await asyncio.to_thread(served.client.past, "mint", Step(DOWN))
