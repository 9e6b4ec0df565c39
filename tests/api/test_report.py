"""`/api/v1/report`: what the server makes of the events that are kept, and how it refuses."""

import asyncio
from pathlib import Path

import jsonschema
import msgspec

from lifesign.api.documents import EventDocument
from lifesign.api.report_documents import Report
from tests.api.fakes import component, mind_down, monitor
from tests.api.serving import Served, serving

# The fake's clock says 2026-11-21T14:03:22.123Z.
PAST = [
    EventDocument(ts="2026-11-21T12:03:22.123Z", level="INFO", event="component.healthy", component="mind"),
    EventDocument(ts="2026-11-21T12:30:00.000Z", level="INFO", event="alert.sent", component="mind"),
    EventDocument(ts="2026-11-21T13:00:00.000Z", level="INFO", event="of.another.version", component="mind"),
    EventDocument(
        ts="2026-11-21T13:33:22.123Z", level="WARNING", event="check.failed", component="mind", check="heartbeat"
    ),
    EventDocument(
        ts="2026-11-21T13:33:22.123Z",
        level="ERROR",
        event="component.down",
        component="mind",
        data={"detected_after_s": 300.0},
    ),
]


async def asked(served: Served, component: str | None = None, since: str | None = None) -> Report:
    return await asyncio.to_thread(served.client.report, component, since)


async def test_uptime_is_made_of_the_events_that_are_kept(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown, served.backend.past = monitor(mind_down(), component()), PAST
        found = await asked(served)
        _, raw = await served.unix("GET", "/api/v1/report")
    jsonschema.validate(raw, msgspec.json.schema(Report))
    assert (found.schema, found.generated_at) == ("lifesign.report/1", "2026-11-21T14:03:22.123Z")
    mind, gateway = found.components
    assert [window.window for window in mind.windows] == ["24h", "7d", "30d", "90d"]
    day = mind.windows[0]
    assert (day.uptime, day.up_s, day.down_s, day.unwatched_s) == (0.75, 5400.0, 1800.0, 79200.0)
    assert day.watched == 0.083333
    assert day.layers == {"working": 0.75}
    assert (day.incidents, day.mean_detect_s, day.mean_recover_s) == (1, 300.0, None)
    assert (gateway.state, gateway.windows[0].uptime) == ("healthy", 1.0)
    assert gateway.windows[0].up_s == 60.0  # the view says: since a minute ago


async def test_one_component_from_a_time_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown, served.backend.past = monitor(mind_down(), component()), PAST
        found = await asked(served, "mind", "2026-11-21T13:03:22.123Z")
    [mind] = found.components
    [window] = mind.windows
    assert window.since == "2026-11-21T13:03:22.123Z"
    assert (window.uptime, window.watched) == (0.5, 1.0)


async def test_a_wrong_name_is_404_with_the_nearest_and_a_wrong_time_422(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        status, problem = await served.unix("GET", "/api/v1/report?component=gatewai")
        assert (status, problem["detail"]) == (404, 'no component "gatewai"; did you mean gateway?')
        for since in ("yesterday", "2026-11-21", "2026-11-21T13:03:22"):
            assert (await served.unix("GET", f"/api/v1/report?since={since}"))[0] == 422
