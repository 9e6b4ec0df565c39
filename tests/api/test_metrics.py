"""`/metrics`: well-formed text of the Prometheus format, with what the state document says, and who may read it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from lifesign.api.documents import OutboxInfo
from lifesign.api.exposition import gauges_text
from lifesign.api.render import event_document
from lifesign.api.tally import BOUNDS_S, Looks, Tallies
from lifesign.core.events import Event, EventName
from lifesign.core.model import ComponentState
from tests.api.fakes import AT_WALL_NS, check, component, info, mind_down, monitor
from tests.api.serving import TOKEN, Served, serving

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(served: Served) -> tuple[str, Samples]:
    reply = await asyncio.to_thread(served.client.get, "/metrics")
    assert reply.status == 200
    text = reply.body.decode()
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples
            samples[key] = sample.value
    return text, samples


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"lifesign_{name}", frozenset(labels.items())]


async def test_what_is_down_stale_and_counted_stands_in_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        late = replace(check("late"), overdue=True, metrics={"queue depth": 7.0})
        served.backend.shown = monitor(mind_down(), component(checks=(late,)), overall=ComponentState.DOWN)
        _, samples = await scraped(served)
    assert of(samples, "overall_state", state="down") == 1
    assert of(samples, "overall_state", state="healthy") == 0
    states = ["paused", "down", "unknown", "degraded", "starting", "healthy"]
    assert [of(samples, "component_state", component="mind", state=state) for state in states] == [0, 1, 0, 0, 0, 0]
    assert of(samples, "layer_state", component="mind", layer="working", state="failed") == 1
    assert not [key for key in samples if ("layer", "startable") in key[1]]
    assert of(samples, "staleness_seconds", component="mind") == 612.0
    assert of(samples, "consecutive_failures", component="mind") == 61
    assert of(samples, "incident_open", component="mind") == 1
    assert of(samples, "incident_open", component="gateway") == 0
    assert of(samples, "restart_budget_left", component="mind") == 5
    assert ("lifesign_restart_budget_left", frozenset({("component", "gateway")})) not in samples
    assert of(samples, "check_latency_seconds", component="gateway", check="late") == pytest.approx(0.0123, abs=0.001)
    assert of(samples, "check_metric", component="gateway", check="late", metric="queue depth") == 7
    assert of(samples, "overdue_checks") == 1
    assert of(samples, "last_round_age_seconds") == 0.1
    assert samples["process_open_fds", frozenset()] > 0


async def test_what_was_told_or_done_stands_in_the_next_scrape(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(component())
        assert of((await scraped(served))[1], "component_state", component="gateway", state="down") == 0
        served.backend.shown = monitor(component("gateway", ComponentState.DOWN), overall=ComponentState.DOWN)
        event = Event(EventName.COMPONENT_DOWN, AT_WALL_NS, "gateway")
        served.journal.append(event_document(event, "test-monitor"))
        assert of((await scraped(served))[1], "component_state", component="gateway", state="down") == 1
        served.backend.shown = monitor(component("gateway", ComponentState.PAUSED), overall=ComponentState.UNKNOWN)
        await asyncio.to_thread(served.client.act, "gateway", "pause")
        assert of((await scraped(served))[1], "component_state", component="gateway", state="paused") == 1


async def test_alerts_that_wait_are_counted_where_somebody_is_told_of_any(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), overall=ComponentState.DOWN)
        _, samples = await scraped(served)
        assert ("lifesign_outbox_depth", frozenset()) not in samples
    async with serving(tmp_path) as served:
        outbox = OutboxInfo(depth=3, oldest_s=712.5, held_back=["feed", "mind"])
        told = msgspec.structs.replace(info(), outbox=outbox)
        served.backend.info = lambda: told  # type: ignore[method-assign]
        _, samples = await scraped(served)
    assert of(samples, "outbox_depth") == 3
    assert of(samples, "outbox_oldest_age_seconds") == 712.5
    assert of(samples, "outbox_held_back") == 2


async def test_what_was_counted_stands_in_it_as_a_histogram_and_counters(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.counted = Tallies(
            looks={"tcp": Looks((3, 1, *[0] * (len(BOUNDS_S) - 2), 1), 40.5)},
            events={"component.down": 2},
            restarts={("mind", "productive"): 1, ("mind", "unproductive"): 0},
            alerts={("ops", "sent"): 5},
        )
        text, samples = await scraped(served)
    assert "# TYPE lifesign_check_duration_seconds histogram" in text
    assert of(samples, "check_duration_seconds_bucket", type="tcp", le="0.0001") == 3
    assert of(samples, "check_duration_seconds_bucket", type="tcp", le="30.0") == 4
    assert of(samples, "check_duration_seconds_bucket", type="tcp", le="+Inf") == 5
    assert of(samples, "check_duration_seconds_count", type="tcp") == 5
    assert of(samples, "check_duration_seconds_sum", type="tcp") == 40.5
    assert of(samples, "events_total", event="component.down") == 2
    assert of(samples, "restarts_total", component="mind", outcome="productive") == 1
    assert of(samples, "alerts_total", sink="ops", outcome="sent") == 5


@given(st.lists(st.tuples(st.text(), st.text(), st.floats()), unique_by=lambda row: row[:2], max_size=5), st.text())
def test_gauges_are_written_as_prometheus_client_writes_them(rows: list[tuple[str, str, float]], words: str) -> None:
    families = [GaugeMetricFamily("a", words, labels=("z", "b")), GaugeMetricFamily("c_seconds", "One.", value=0.25)]
    for first, second, value in rows:
        families[0].add_metric((first, second), value)

    class Made(Collector):
        def collect(self) -> list[GaugeMetricFamily]:
            return families

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Made())
    assert gauges_text(families).encode() == generate_latest(registry)


async def test_it_is_for_readers_and_made_once_a_second_at_most(tmp_path: Path) -> None:
    async with serving(tmp_path, host="0.0.0.0") as served:
        assert (await served.tcp("GET", "/metrics"))[0] == 401
        first, _ = await scraped(served)
        served.backend.shown = monitor(mind_down(), overall=ComponentState.DOWN)
        assert (await scraped(served))[0] == first
        with pytest.raises(ValueError, match="Expecting value"):  # it is no JSON, and the token opens it
            await served.tcp("GET", "/metrics", Authorization=f"Bearer {TOKEN}")
