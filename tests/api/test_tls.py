"""The API over TLS: the same answers, and a handshake that stalls is cut off."""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import trustme

from lifesign.api.client import BadAnswer, Client, TimedOut
from lifesign.api.journal import Journal
from lifesign.api.server import ApiServer
from tests.api.fakes import FakeBackend


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_the_client_reads_the_state_over_tls(server_context: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    server = ApiServer(FakeBackend(), Journal())
    _, port = await server.start_tcp("127.0.0.1", 0, ssl_context=server_context)
    try:
        stranger = Client.connect(f"https://localhost:{port}", timeout_s=3)
        with pytest.raises(BadAnswer, match="TLS failed"):
            await asyncio.to_thread(stranger.state)
        assert (await asyncio.to_thread(replace(stranger, tls=trusting).state)).overall == "healthy"
    finally:
        await server.close()


async def test_a_client_that_ends_before_the_answer_is_let_go_without_a_word(
    server_context: ssl.SSLContext, trusting: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    backend = FakeBackend()
    server = ApiServer(backend, Journal())
    backend.probe_gate = asyncio.Event()
    _, port = await server.start_tcp("127.0.0.1", 0, token="t", ssl_context=server_context)
    try:
        _, writer = await asyncio.open_connection("localhost", port, ssl=trusting)
        head = b"POST /api/v1/components/gateway/probe HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n"
        writer.write(head + b"Content-Length: 0\r\n\r\n")
        async with asyncio.timeout(40):
            await backend.probing.wait()
            assert server._gates[0]._open
            writer.close()
            while server._gates[0]._open:  # noqa: ASYNC110 - of what is waited for there is no event
                await asyncio.sleep(0.01)
        backend.probe_gate.set()
    finally:
        await server.close()
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_stalled_handshake_is_cut_off(server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifesign.api.server._TLS_HANDSHAKE_S", 0.3)
    server = ApiServer(FakeBackend(), Journal())
    _, port = await server.start_tcp("127.0.0.1", 0, ssl_context=server_context)
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            started = time.monotonic()
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.to_thread(sock.recv, 1) == b""
            assert time.monotonic() - started < 30
    finally:
        await server.close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_server_that_stalls_in_the_handshake_does_not_hold_the_client(silent_port: int) -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut):
        Client.connect(f"https://127.0.0.1:{silent_port}", timeout_s=0.4).state()
    assert time.monotonic() - started < 30
