"""Clients that send garbage, half requests, too much, or do not read: they are cut off, nobody else notices (P6)."""

import asyncio
import contextlib
import gzip
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lifesign.api import guard as guard_module
from lifesign.api.render import event_document
from lifesign.api.security import UnixListener
from lifesign.api.service import Service
from lifesign.core.events import Event, EventName
from tests.api.fakes import AT_WALL_NS, component, monitor
from tests.api.serving import TOKEN, Served, serving

GET_STATE = b"GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\n\r\n"
FOLLOW = GET_STATE.replace(b"state", b"events?follow=1")
HALF_A_BODY = b"POST /api/v1/components/gateway/beat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"


def _read_all(sock: socket.socket) -> bytes:
    """Everything until the other end closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := sock.recv(65536):
            received += chunk
    return received


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for is the server's, which has no event for a test
        await asyncio.sleep(0.01)


async def _ended_after_s(sock: socket.socket, started: float) -> float:
    await asyncio.to_thread(_read_all, sock)
    return time.monotonic() - started


@asynccontextmanager
async def _impatient(tmp_path: Path, head_s: float = 0.3, write_s: float = 0.3) -> AsyncIterator[Served]:
    """A server whose limits are short, so that the test is."""
    async with serving(tmp_path) as served:
        for gate in served.server._gates:
            gate.head_timeout_s, gate.write_timeout_s = head_s, write_s
        yield served


def test_the_limits_of_a_real_server_are_those_promised() -> None:
    assert (guard_module.HEAD_TIMEOUT_S, guard_module.KEEPALIVE_S) == (10.0, 30.0)
    assert guard_module.MAX_CONNECTIONS == 200


@pytest.mark.parametrize("tcp", [True, False])
@pytest.mark.parametrize("sent", [b"", b"G", b"GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\n", GET_STATE[:-1]])
async def test_a_half_sent_request_is_cut_off(tmp_path: Path, sent: bytes, tcp: bool) -> None:
    async with _impatient(tmp_path) as served:
        started = time.monotonic()
        sock = served.raw(tcp=tcp)
        sock.sendall(sent)
        assert 0.2 < await _ended_after_s(sock, started) < 20


async def test_a_head_that_drips_is_cut_off_though_bytes_keep_coming(tmp_path: Path) -> None:
    async with _impatient(tmp_path) as served:
        sock = served.raw()

        def drip() -> float:
            started = time.monotonic()
            with contextlib.suppress(OSError):
                for sign in b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 5000:
                    sock.sendall(bytes([sign]))
                    time.sleep(0.02)
            return time.monotonic() - started

        assert await asyncio.to_thread(drip) < 20


async def test_the_half_of_a_second_request_is_cut_off_too(tmp_path: Path) -> None:
    async with _impatient(tmp_path) as served:
        sock = served.raw()
        sock.sendall(GET_STATE)
        assert (await asyncio.to_thread(sock.recv, 65536)).startswith(b"HTTP/1.1 200")
        sock.sendall(b"GET /api")
        assert await _ended_after_s(sock, time.monotonic()) < 20


async def test_a_kept_connection_is_served_again(tmp_path: Path) -> None:
    async with _impatient(tmp_path) as served:
        sock = served.raw()
        for _ in range(3):
            sock.sendall(GET_STATE)
            assert (await asyncio.to_thread(sock.recv, 65536)).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.4)  # longer than a head may take: an idle connection is not a half request


@pytest.mark.parametrize("tcp", [True, False])
@pytest.mark.parametrize("sent", [GET_STATE, b"GET /api/health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"])
async def test_a_client_that_says_that_it_has_no_more_to_ask_is_answered_and_then_let_go(
    tmp_path: Path, sent: bytes, tcp: bool
) -> None:
    async with serving(tmp_path) as served:
        for _ in range(20):
            sock = served.raw(tcp=tcp)
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            head, _, body = (await asyncio.to_thread(_read_all, sock)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert f"\r\ncontent-length: {len(body)}".encode() in head.lower()
        async with asyncio.timeout(40):
            await _until(lambda: not any(gate._open for gate in served.server._gates))


async def test_what_needs_its_client_to_stay_is_refused_to_one_that_has_ended_its_half(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for sent in (FOLLOW, HALF_A_BODY):
            sock = served.raw()
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            answer = await asyncio.to_thread(_read_all, sock)
            assert answer.startswith(b"HTTP/1.1 400 ") or answer == b"", "it had begun before the end was seen"
            assert answer == b"" or b"keeps its half of the connection open" in answer
        assert served.backend.pushed == []


async def test_a_beat_whose_client_is_gone_before_the_answer_is_a_beat(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        sock = served.raw()
        sock.sendall(b"POST /api/v1/components/gateway/beat HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        sock.close()
        async with asyncio.timeout(40):
            await _until(lambda: bool(served.backend.pushed))
            await _until(lambda: not served.server._gates[0]._open)


async def test_the_place_of_a_client_that_is_gone_is_taken_for_as_long_as_its_request_takes(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        gate = served.backend.probe_gate = asyncio.Event()
        sock = served.raw()
        sock.sendall(b"POST /api/v1/components/gateway/probe HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        await served.backend.probing.wait()
        sock.close()
        assert await asyncio.to_thread(served.client.ready)
        gate.set()
        async with asyncio.timeout(40):
            await _until(lambda: not served.server._gates[0]._open)


@pytest.mark.parametrize(
    ("sent", "under_way"),
    [
        (b"", False),
        (b"GET /api", False),
        (b"\x00\xff\xfe garbage\r\n\r\n", False),
        (FOLLOW, False),
        (FOLLOW, True),
        (HALF_A_BODY, False),
        (HALF_A_BODY, True),
    ],
)
@pytest.mark.parametrize(
    "leaves", [socket.socket.close, lambda sock: sock.shutdown(socket.SHUT_WR)], ids=["gone", "half"]
)
async def test_a_client_that_is_gone_and_for_whom_there_is_no_answer_is_dropped(
    tmp_path: Path,
    sent: bytes,
    under_way: bool,
    leaves: Callable[[socket.socket], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HEAD_TIMEOUT_S", "KEEPALIVE_S", "WRITE_TIMEOUT_S"):
        monkeypatch.setattr(guard_module, name, 3600.0)
    monkeypatch.setattr("lifesign.api.acting.BODY_TIMEOUT_S", 3600.0)
    monkeypatch.setattr(guard_module, "BEGIN_TIMEOUT_S", 0.1)
    async with serving(tmp_path) as served, asyncio.timeout(60):
        held = served.server._gates[0]._open
        for _ in range(2):
            sock = served.raw()
            await _until(lambda: bool(held))
            sock.sendall(sent)
            if under_way:
                await _until(lambda: any(guard._needs_client for guard in held))
            leaves(sock)
            await _until(lambda: not held)
        assert served.backend.pushed == []


async def test_a_kept_connection_that_its_client_ends_is_let_go_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_module, "BEGIN_TIMEOUT_S", 3600.0)
    monkeypatch.setattr(guard_module, "KEEPALIVE_S", 3600.0)
    async with serving(tmp_path) as served:
        sock = served.raw()
        sock.sendall(GET_STATE)
        assert (await asyncio.to_thread(sock.recv, 65536)).startswith(b"HTTP/1.1 200")
        sock.shutdown(socket.SHUT_WR)
        assert await asyncio.to_thread(_read_all, sock) == b""


async def test_a_body_that_never_comes_is_408(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifesign.api.acting.BODY_TIMEOUT_S", 0.2)
    async with _impatient(tmp_path) as served:
        sock = served.raw()
        head = b"POST /api/v1/components/gateway/beat HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
        sock.sendall(head)
        assert (await asyncio.to_thread(_read_all, sock)).startswith(b"HTTP/1.1 408")
        assert served.backend.pushed == []


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\x1b[2J: y\r\n\r\n",
    ],
)
async def test_garbage_is_answered_400_and_closed_and_fills_no_log(
    tmp_path: Path, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lifesign")
    caplog.set_level(logging.INFO, "aiohttp")
    async with _impatient(tmp_path, head_s=2) as served:
        sock = served.raw()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(sent)
        answer = await asyncio.to_thread(_read_all, sock)
        assert answer == b"" or answer.split()[1] == b"400"
        assert answer == b"" or b"\r\nContent-Type: application/problem+json\r\n" in answer
        assert await asyncio.to_thread(served.client.ready)
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


@pytest.mark.parametrize("framing", [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"])
async def test_a_client_that_leaves_within_its_body_fills_no_log(
    tmp_path: Path, framing: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lifesign")
    async with serving(tmp_path) as served:
        sock = served.raw()
        sock.sendall(b"POST /api/v1/components/gateway/beat HTTP/1.1\r\nHost: x\r\n" + framing)
        async with asyncio.timeout(40):
            await _until(lambda: any(guard._in_request for guard in served.server._gates[0]._open))
            sock.close()
            await _until(lambda: any("Error handling request" in record.message for record in caplog.records))
        assert served.backend.pushed == []
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_a_body_over_64_kib_is_413_and_costs_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        status, _, body = await served.tcp(
            "POST", "/api/v1/components/gateway/beat", b"x" * 70_000, Authorization=f"Bearer {TOKEN}"
        )
        assert (status, body["status"]) == (413, 413)
        assert served.backend.pushed == []


async def test_a_compressed_body_is_not_unpacked(tmp_path: Path) -> None:
    bomb, beat = gzip.compress(b"[" + b" " * 20_000_000), gzip.compress(b"{}")
    async with serving(tmp_path) as served:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Encoding": "gzip"}
        status, _, _ = await served.tcp("POST", "/api/v1/components/gateway/beat", bomb, **headers)
        assert status in {413, 422}
        status, _, _ = await served.tcp("POST", "/api/v1/components/gateway/beat", beat, **headers)
        assert status == 422
        assert served.backend.pushed == []


@pytest.mark.parametrize("tcp", [True, False])
async def test_connections_past_the_limit_are_closed_at_once_and_the_others_live(tmp_path: Path, tcp: bool) -> None:
    async with serving(tmp_path) as served:
        held = [await asyncio.to_thread(served.raw, tcp=tcp) for _ in range(200)]
        for sock in held:
            sock.sendall(GET_STATE)
        for sock in held:
            assert (await asyncio.to_thread(sock.recv, 65536)).startswith(b"HTTP/1.1 200")
        for _ in range(20):
            assert await asyncio.to_thread(_read_all, served.raw(tcp=tcp)) == b""
        other = served.raw(tcp=not tcp)
        other.sendall(GET_STATE)
        assert (await asyncio.to_thread(other.recv, 65536)).startswith(b"HTTP/1.1 200")
        held.pop().close()
        for _ in range(100):  # the server hears of it on a later turn of its loop
            sock = served.raw(tcp=tcp)
            with contextlib.suppress(OSError):
                sock.sendall(GET_STATE)
                if await asyncio.to_thread(sock.recv, 65536):
                    return
        pytest.fail("a place that became free was not given away")


async def test_a_client_that_does_not_read_the_state_is_dropped(tmp_path: Path) -> None:
    async with _impatient(tmp_path) as served:
        served.backend.shown = monitor(*(component(f"component-{number}") for number in range(5000)))
        sock = served.raw()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(GET_STATE * 3)
        gate = served.server._gates[0]
        async with asyncio.timeout(40):
            await _until(lambda: bool(gate._open))
            await _until(lambda: not gate._open)


async def test_of_what_a_client_does_not_read_only_a_piece_is_held_for_it(tmp_path: Path) -> None:
    async with _impatient(tmp_path, 40, 40) as served:
        served.backend.shown = monitor(*[component(f"service-{number}") for number in range(3000)])
        sock = served.raw()
        sock.sendall(GET_STATE.replace(b"Host", b"Connection: close\r\nHost"))
        [gate] = [gate for gate in served.server._gates if isinstance(gate.listener, UnixListener)]
        async with asyncio.timeout(20):
            await _until(lambda: any(guard._write_timer for guard in gate._open))
        [guard] = gate._open
        assert guard._transport is not None
        assert 0 < guard._transport.get_write_buffer_size() < 300_000
        body = (await asyncio.to_thread(_read_all, sock)).partition(b"\r\n\r\n")[2]
        assert len(body) > 1_500_000
        assert len(json.loads(body)["components"]) == 3000


async def test_a_follower_that_does_not_read_is_dropped_and_the_journal_goes_on(tmp_path: Path) -> None:
    async with _impatient(tmp_path) as served:
        sock = served.raw()
        sock.sendall(b"GET /api/v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asyncio.to_thread(sock.recv, 65536)).startswith(b"HTTP/1.1 200")
        document = event_document(Event(EventName.COMPONENT_DOWN, AT_WALL_NS, message="x" * 1500), "m")
        told = 0
        async with asyncio.timeout(40):
            while told < 1000 or served.journal._subscriptions or served.server._gates[0]._open:
                served.journal.append(document)
                told += 1
                await asyncio.sleep(0)
        assert len((await asyncio.to_thread(served.client.events)).events) == 1000


async def test_open_streams_and_half_requests_do_not_hold_the_end_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for _ in range(10):
            served.raw().sendall(b"GET /api/v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            served.raw(tcp=True).sendall(b"GET /api")
            served.raw()
        gate = served.backend.probe_gate = asyncio.Event()
        served.raw().sendall(b"POST /api/v1/components/gateway/probe HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        await served.backend.probing.wait()
        started = time.monotonic()
        await served.server.close()
        assert time.monotonic() - started < 15
        assert not served.socket_path.exists()
        gate.set()


async def test_a_flood_from_one_client_leaves_the_loop_responsive(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(*(component(f"component-{number}") for number in range(50)))
        stop = False

        def flood() -> int:
            rounds = 0
            sock = served.raw()
            while not stop:
                sock.sendall(GET_STATE * 20)
                received = b""
                while received.count(b"HTTP/1.1 200") < 20:
                    received += sock.recv(1 << 20)
                rounds += 1
            return rounds

        flooding = asyncio.create_task(asyncio.to_thread(flood))
        turns_s = []
        for _ in range(50):  # a pause of 10 ms takes so much of the processor that this loop works meanwhile
            before_s = time.thread_time()
            await asyncio.sleep(0.01)
            turns_s.append(time.thread_time() - before_s)
        stop = True
        assert await flooding > 0
        assert sorted(turns_s)[len(turns_s) // 2] < 0.06


async def test_a_state_of_a_thousand_components_is_made_in_small_steps(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(*(component(f"component-{number}") for number in range(1000)))
        turns = 0
        asked = asyncio.create_task(Service(served.backend, served.journal).state_bytes())
        while not asked.done():
            turns += 1
            await asyncio.sleep(0)
        assert turns >= 10
        assert len(json.loads(asked.result())["components"]) == 1000
