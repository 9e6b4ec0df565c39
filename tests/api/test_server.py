"""What the routes answer, over real sockets: the words and codes are the contract's (section 6)."""

import asyncio
import json
import os
import pwd
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifesign.api.client import Client
from lifesign.api.render import event_document, state_document
from lifesign.core.events import Event, EventName
from lifesign.core.model import ComponentState, Verdict
from tests.api.fakes import AT_WALL_NS, FakeBackend, component, info, mind_down, monitor
from tests.api.serving import TOKEN, Served, serving

S = ComponentState


def _event(number: int, name: EventName = EventName.COMPONENT_DOWN) -> Event:
    return Event(name, AT_WALL_NS + number * 1_000_000_000, component="mind", message=f"event {number}")


def _append(served: Served, *numbers: int) -> None:
    for number in numbers:
        served.journal.append(event_document(_event(number), "test-monitor"))


async def test_ready_says_200_whatever_the_state(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), overall=S.DOWN)
        served.backend.last_round_age_s = 1e9
        assert await served.unix("GET", "/api/health/ready") == (200, {"ready": True})


@pytest.mark.parametrize(
    ("overall", "status"),
    [(S.HEALTHY, 200), (S.STARTING, 200), (S.DEGRADED, 200), (S.DOWN, 503), (S.UNKNOWN, 503)],
)
async def test_the_status_code_follows_the_overall_state(tmp_path: Path, overall: S, status: int) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(component(), overall=overall)
        found, body = await served.unix("GET", "/api/health/status")
        assert (found, body["overall"]) == (status, str(overall))
        assert list(body["components"][0]) == ["name", "state", "optional", "since", "diagnosis"]


async def test_a_monitor_that_finished_no_round_for_long_is_503_and_unknown(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.last_round_age_s = 4.9
        assert (await served.unix("GET", "/api/health/status"))[0] == 200
        for age_s in (5.1, float("inf"), float("nan")):
            served.backend.last_round_age_s = age_s
            status, body = await served.unix("GET", "/api/health/status")
            assert (status, body["overall"]) == (503, "unknown")
            assert (await served.unix("GET", "/api/health/status/gateway"))[0] == 503


async def test_an_answer_that_took_over_a_quarter_of_a_second_is_no_200(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.view_takes_s = 0.3
        for path in ("/api/health/status", "/api/health/status/gateway"):
            assert (await served.unix("GET", path))[0] == 503
        served.backend.view_takes_s = 0.0
        assert (await served.unix("GET", "/api/health/status"))[0] == 200


async def test_a_stalled_monitor_does_not_hide_that_something_is_down(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), overall=S.DOWN)
        served.backend.last_round_age_s = 60
        status, body = await served.unix("GET", "/api/health/status")
        assert (status, body["overall"]) == (503, "down")


async def test_a_monitor_that_cannot_tell_its_state_is_503(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.view_failure = RuntimeError("broken")
        assert await served.unix("GET", "/api/health/status") == (503, {"overall": "unknown", "components": []})
        status, body = await served.unix("GET", "/api/v1/state")
        assert (status, body["title"]) == (500, "Internal Server Error")
        assert "broken" not in json.dumps(body)


@pytest.mark.parametrize(("state", "status"), [(S.HEALTHY, 200), (S.DEGRADED, 200), (S.DOWN, 503), (S.UNKNOWN, 503)])
async def test_one_components_status_is_503_when_it_is_down_optional_or_not(
    tmp_path: Path, state: S, status: int
) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(component("tools", state, optional=True))
        found, body = await served.unix("GET", "/api/health/status/tools")
        assert (found, body["state"]) == (status, str(state))
        assert (await served.unix("GET", "/api/health/status"))[0] == 200


async def test_an_unknown_component_is_404_with_the_nearest_name(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for method, path in (("GET", "/api/health/status/gatway"), ("POST", "/api/v1/components/gatway/probe")):
            status, body = await served.unix(method, path)
            assert (status, body["status"]) == (404, 404)
            assert "did you mean gateway" in body["detail"]


async def test_the_state_over_the_socket_is_the_state_document(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(mind_down(), component(), overall=S.DOWN)
        found = await asyncio.to_thread(served.client.state)
        assert found == state_document(served.backend.shown, info())


async def test_the_state_after_a_probe_and_after_an_event_is_never_an_older_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert (await asyncio.to_thread(served.client.state)).overall == "healthy"
        served.backend.shown = monitor(component("gateway", S.DOWN), overall=S.DOWN)
        await asyncio.to_thread(served.client.probe, "gateway")
        assert (await asyncio.to_thread(served.client.state)).overall == "down"
        served.backend.shown = monitor(component())
        _append(served, 1)
        assert (await asyncio.to_thread(served.client.state)).overall == "healthy"


async def test_a_probe_answers_with_the_component_as_it_is_afterwards(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        gate = served.backend.probe_gate = asyncio.Event()
        asked = asyncio.create_task(asyncio.to_thread(served.client.probe, "gateway"))
        await served.backend.probing.wait()
        served.backend.shown = monitor(component("gateway", S.DOWN))
        gate.set()
        assert (await asked).state == "down"
        name, author = served.backend.probed[0]
        assert name == "gateway"
        assert author == pwd.getpwuid(os.getuid()).pw_name


async def test_history_is_told_page_by_page_and_by_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        _append(served, 0, 1, 2)
        everything = await asyncio.to_thread(served.client.events)
        assert [event.message for event in everything.events] == ["event 0", "event 1", "event 2"]
        nothing_more = await asyncio.to_thread(served.client.events, everything.next)
        assert nothing_more.events == []
        _append(served, 3)
        newer = await asyncio.to_thread(served.client.events, nothing_more.next)
        assert [event.message for event in newer.events] == ["event 3"]
        by_time = await asyncio.to_thread(served.client.events, "2026-11-21T15:03:24.123+01:00")
        assert [event.message for event in by_time.events] == ["event 2", "event 3"]


async def test_the_plus_of_an_offset_need_not_be_encoded(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        _append(served, 0, 1, 2)
        status, body = await served.unix("GET", "/api/v1/events?since=2026-11-21T15:03:24.123+01:00")
        assert (status, [event["message"] for event in body["events"]]) == (200, ["event 2"])


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-11-21T14:03:22", "follow=maybe"])
async def test_a_bad_query_is_422(tmp_path: Path, query: str) -> None:
    async with serving(tmp_path) as served:
        status, body = await served.unix("GET", f"/api/v1/events?{query}")
        assert (status, body["status"]) == (422, 422)
        assert body["detail"]


async def test_followed_events_come_live_after_the_backlog_and_end_with_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        _append(served, 0)
        stream = served.client.follow_events("2026-11-21T00:00:00Z")
        assert (await asyncio.to_thread(next, stream)).message == "event 0"
        _append(served, 1)
        assert (await asyncio.to_thread(next, stream)).message == "event 1"
        rest = asyncio.create_task(asyncio.to_thread(list, stream))
        started = asyncio.get_running_loop().time()
        await served.server.close()
        assert asyncio.get_running_loop().time() - started < 15
        assert await rest == []


async def test_a_stream_goes_on_where_a_lost_one_ended(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        _append(served, 0, 1)
        cursor = served.journal.cursor
        _append(served, 2)
        sock = served.raw()
        head = f"GET /api/v1/events?follow=1 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {cursor}\r\n\r\n"
        sock.sendall(head.encode())
        received = b""
        while b"data:" not in received:
            received += await asyncio.to_thread(sock.recv, 65536)
        assert b"event 2" in received
        assert b"event 1" not in received


async def test_a_stream_ends_when_the_daemon_is_killed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        _append(served, 0)
        stream = served.client.follow_events("2026-11-21T00:00:00Z")
        assert (await asyncio.to_thread(next, stream)).message == "event 0"
        for gate in served.server._gates:
            gate.abort_all()
        assert await asyncio.to_thread(list, stream) == []


async def test_the_cursor_in_the_stream_is_a_since(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        sock = served.raw()
        sock.sendall(b"GET /api/v1/events?follow=1&since=2026-01-01T00:00:00Z HTTP/1.1\r\nHost: x\r\n\r\n")
        _append(served, 0, 1)
        received = b""
        while received.count(b"data:") < 2:
            received += await asyncio.to_thread(sock.recv, 65536)
        cursor = received.split(b"id: ")[1].split(b"\n")[0].decode()
        events = await asyncio.to_thread(served.client.events, cursor)
        assert [event.message for event in events.events] == ["event 1"]


async def _beat(served: Served, path: str, body: Any = None) -> tuple[int, Any]:
    return await served.unix("POST", f"/api/v1/components/gateway{path}", body)


async def test_a_beat_without_a_body_is_work_finished_now(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert (await _beat(served, "/beat"))[0] == 200
        name, observation = served.backend.pushed[0]
        assert (name, observation.verdict) == ("gateway", Verdict.OK)
        assert observation.signal is not None


async def test_a_beat_carries_what_a_heartbeat_carries(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        body = {"timestamp": 1795269802.5, "cycle": 7, "busy": False, "status": "degraded", "message": "slow", "m": "x"}
        assert (await _beat(served, "/beat", body))[0] == 200
        observation = served.backend.pushed[0][1]
        assert observation.verdict is Verdict.WARN
        assert "slow" in observation.message
        assert observation.data == {"m": "x"}
        assert observation.signal is not None
        assert observation.signal.timestamp_ns == 1795269802_500_000_000
        assert (observation.signal.progress, observation.signal.busy) == (7, False)


@pytest.mark.parametrize("path", ["/beat/fail", "/fail"])
async def test_a_fail_is_a_failure_with_its_message_and_no_proof_of_work(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path) as served:
        assert (await _beat(served, path, {"message": "exit code 3"}))[0] == 200
        observation = served.backend.pushed[0][1]
        assert (observation.verdict, observation.signal) == (Verdict.FAIL, None)
        assert "exit code 3" in observation.message


@pytest.mark.parametrize("path", ["/beat/start", "/start"])
async def test_a_start_is_no_observation(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path) as served:
        assert (await _beat(served, path))[0] == 200
        assert served.backend.pushed == []
        assert served.backend.begun == ["gateway"]


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"not json",
        b'{"cycle": true}',
        b'{"cycle": NaN}',
        b'{"timestamp": NaN}',
        b'{"timestamp": 0}',
        b'{"cycle": 1, "cycle": 2}',
        b'{"busy": "no"}',
        b'{"status": "fine"}',
        b'{"\\u0074imestamp": 1795269802, "cycle": 1}',
        b"{" * 20,
        b'{"a":' * 20 + b"1" + b"}" * 20,
        b"\xff\xfe",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    ],
)
async def test_a_body_that_is_no_heartbeat_is_422_and_no_beat(tmp_path: Path, body: bytes) -> None:
    async with serving(tmp_path) as served:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        status, _, found = await served.tcp("POST", "/api/v1/components/gateway/beat", body, **headers)
        assert (status, found["status"]) == (422, 422)
        assert served.backend.pushed == []


async def test_a_beat_for_a_component_without_a_push_check_is_409(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.push_component = "other"
        assert (await _beat(served, "/beat"))[0] == 409


async def test_no_such_route_and_a_wrong_method_are_problems_too(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        status, headers, body = await served.tcp("GET", "/no/such/route")
        assert (status, headers["Content-Type"], body["status"]) == (404, "application/problem+json", 404)
        status, headers, body = await served.tcp("DELETE", "/api/v1/state")
        assert (status, headers["Content-Type"]) == (405, "application/problem+json")
        assert "GET" in headers["Allow"]
        assert body["detail"] == f"this route takes {headers['Allow']}, and not what was asked for"


async def test_every_served_route_is_described_and_every_described_route_is_served(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        _, document = await served.unix("GET", "/api/v1/openapi.json")
        described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
        routes = served.server._app.router.routes()
        real = {(route.method, route.resource.canonical) for route in routes if route.resource is not None}
        assert described == {(method, path) for method, path in real if method != "HEAD"}
        assert len(described) > 15
        for method, path in described:
            where = path.replace("{name}", "gateway").replace("{component}", "gateway")
            call = served.client.post if method == "POST" else served.client.get
            status = (await asyncio.to_thread(call, where)).status
            expected = 422 if path.endswith(("/silence", "/hold")) else 202 if path.endswith("/restart") else 200
            assert status == expected, (method, path, status)


async def test_the_description_is_valid_openapi_with_every_reference_resolved(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        _, document = await served.unix("GET", "/api/v1/openapi.json")
    names = set(document["components"]["schemas"])
    text = json.dumps(document)
    referenced = {part.split('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert referenced
    assert referenced <= names
    assert document["openapi"].startswith("3.1")


async def test_a_component_name_with_signs_in_it_is_reached(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        plain = component()
        served.backend.shown = monitor(replace(plain, spec=replace(plain.spec, name="a b/ä?")))
        status, document = await asyncio.to_thread(served.client.component_status, "a b/ä?")
        assert (status, document.name) == (200, "a b/ä?")


async def test_the_client_finds_a_server_over_tcp_with_its_token(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        client = Client.connect(f"http://127.0.0.1:{served.port}", token=TOKEN)
        assert (await asyncio.to_thread(client.probe, "gateway")).name == "gateway"
        assert await asyncio.to_thread(client.ready)
    assert not await asyncio.to_thread(client.ready)


def test_the_fake_has_the_shape_of_the_seam() -> None:
    from lifesign.api.backend import Backend

    backend: Backend = FakeBackend()
    assert backend
