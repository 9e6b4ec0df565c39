"""The websocket check against aiohttp's server and against hostile ones."""

import asyncio
import base64
import hashlib
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web

from lifesign.checks.websocket import WebSocketProbe
from lifesign.core.model import Observation, Verdict
from tests.checks.hostile import Behaviour, presenting, reset, saying, serving, silence, trusted_authority
from tests.ports import free_port
from tests.stopwatch import Stopwatch

CANARY = "canary-7f3a9e1b"
Talk = Callable[[web.WebSocketResponse, web.Request], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk, *protocols: str) -> AsyncIterator[str]:
    """An honest server that runs `talk` on each WebSocket; gives its address."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse(protocols=protocols)
        await opened.prepare(request)
        await talk(opened, request)
        return opened

    app = web.Application()
    app.router.add_get("/stream", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        await web.SockSite(runner, listening).start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            await runner.cleanup()


async def listen(opened: web.WebSocketResponse, request: web.Request) -> None:
    """Says nothing; stays until the peer leaves."""
    async for _ in opened:
        pass


def opening(*frames: bytes, pause_s: float = 0.0, then_wait: bool = True, repeat: bool = False) -> Behaviour:
    """A right handshake by hand, then raw bytes."""

    async def open_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        key = next(line for line in head if line.lower().startswith(b"sec-websocket-key:")).partition(b":")[2].strip()
        # RFC 6455, 1.3
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        while True:
            for frame in frames:
                writer.write(frame)
                await writer.drain()
                await asyncio.sleep(pause_s)
            if not repeat:
                break
        if then_wait:
            await asyncio.Event().wait()

    return open_up


def text_frame(text: str, first: int = 0x81) -> bytes:
    data = text.encode()
    assert len(data) < 126
    return bytes([first, len(data)]) + data


async def look(behaviour: Behaviour, timeout_s: float = 30.0, **options: str) -> Observation:
    async with serving(behaviour) as server:
        async with Stopwatch() as watch:
            found = await WebSocketProbe(url=f"ws://{server.address}/stream", timeout_s=timeout_s, **options).look(0)  # type: ignore[arg-type]
        assert watch.s < timeout_s + 0.5
        return Observation(found.verdict, found.message.replace(server.address, "HERE"), found.latency_s)


async def test_a_websocket_that_opens_is_ok_and_is_closed_politely() -> None:
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def talk(opened: web.WebSocketResponse, request: web.Request) -> None:
        await listen(opened, request)
        await codes.put(opened.close_code)

    async with talking(talk) as address:
        found = await WebSocketProbe(url=f"ws://{address}/stream", timeout_s=30).look(0)
        async with asyncio.timeout(40):
            code = await codes.get()
    assert (found.verdict, found.message) == (Verdict.OK, f"opened {address}")
    assert code == 1000


async def test_what_is_sent_is_answered_as_expected_over_pings_and_other_messages() -> None:
    async def talk(opened: web.WebSocketResponse, request: web.Request) -> None:
        await opened.ping(b"are you there")
        await opened.send_str("welcome")
        async for message in opened:
            assert message.type is WSMsgType.TEXT
            await opened.send_bytes(b"pong:" + message.data.encode())

    async with talking(talk) as address:
        url = f"ws://{address}/stream"
        good = await WebSocketProbe(url=url, timeout_s=30, send="hé", expect="^pong:h.$").look(0)
        first = await WebSocketProbe(url=url, timeout_s=30, expect="^welcome$").look(0)
        never = await WebSocketProbe(url=url, timeout_s=0.4, send="x", expect="never").look(0)
    assert (good.verdict, good.message) == (Verdict.OK, f"{address} sent a message as expected")
    assert first.verdict is Verdict.OK
    assert never.verdict is Verdict.FAIL
    assert never.message == f'{address} sent "pong:x", and nothing that matches "never" in 0.4 s'


async def test_a_ping_is_answered() -> None:
    pong = asyncio.Event()

    async def demanding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await opening(b"\x89\x04ping" + text_frame("welcome"), then_wait=False)(reader, writer)
        assert (await reader.readexactly(2)) == b"\x8a\x84"  # a pong of four bytes, masked
        pong.set()
        await reader.readexactly(8)
        writer.write(text_frame("well done"))
        await asyncio.Event().wait()

    assert (await look(demanding, expect="well done")).verdict is Verdict.OK
    assert pong.is_set()


async def test_only_the_first_64_kib_of_a_message_count() -> None:
    def message(text: bytes) -> Behaviour:
        return opening(b"\x82\x7f" + len(text).to_bytes(8, "big") + text)

    inside = await look(message(b"x" * 65530 + b"needle" + b"x" * 5000), expect="needle")
    outside = await look(message(b"x" * 65531 + b"needle" + b"x" * 5000), timeout_s=0.4, expect="needle")
    assert (inside.verdict, outside.verdict) == (Verdict.OK, Verdict.FAIL)


async def test_headers_protocol_and_credentials_are_sent() -> None:
    seen: list[web.Request] = []

    async def talk(opened: web.WebSocketResponse, request: web.Request) -> None:
        seen.append(request)
        await opened.send_str(str(opened.ws_protocol))

    async with talking(talk, "v2.feed") as address:
        found = await WebSocketProbe(
            url=f"ws://user:pass@{address}/stream?a=b",
            timeout_s=30,
            headers={"X-Key": lambda: CANARY, "Sec-WebSocket-Protocol": "v1.feed, v2.feed", "Host": "feed.example"},
            expect="v2.feed",
        ).look(0)
    assert found.verdict is Verdict.OK
    assert seen[0].headers["X-Key"] == CANARY
    assert seen[0].headers["Host"] == "feed.example"
    assert seen[0].headers["Authorization"] == "Basic " + base64.b64encode(b"user:pass").decode()
    assert seen[0].query["a"] == "b"


async def test_a_websocket_that_opens_and_stays_silent_fails_by_its_timeout() -> None:
    async with talking(listen) as address:
        found = await WebSocketProbe(url=f"ws://{address}/stream", timeout_s=0.4, expect="x").look(0)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"{address} opened and sent nothing in 0.4 s")


async def test_a_server_that_never_says_goodbye_delays_nothing_for_long() -> None:
    found = await look(opening(text_frame("hello")), timeout_s=30, expect="hello")
    assert found.verdict is Verdict.OK
    assert found.latency_s < 10


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("200 OK", "HERE answered 200 OK instead of opening a WebSocket"),
        ("401 Unauthorized", "HERE answered 401 Unauthorized instead of opening a WebSocket"),
        ("302 Found\r\nLocation: /x", "HERE answered 302 Found instead of opening a WebSocket"),
        ("100 Continue", "HERE answered 100 Continue instead of opening a WebSocket"),
        (
            "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: d3Jvbmc=",
            "HERE does not speak WebSocket: bad accept token",
        ),
        (
            "101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade",
            "HERE does not speak WebSocket: missing header, 'Upgrade: websocket'",
        ),
        (
            "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: \xff\xfe",
            "HERE does not speak WebSocket: malformed",
        ),
        ("2000 OK", "HERE does not speak WebSocket: bad HTTP message"),
        ("200 OK\r\nx: " + "y" * 200_000, "HERE does not speak WebSocket: bad HTTP message"),
    ],
)
async def test_another_answer_to_the_handshake_fails_with_its_own_words(status: str, words: str) -> None:
    answer = f"HTTP/1.1 {status}\r\n\r\n".encode("latin-1")
    found = await look(saying(answer, then_wait=True, wait_for=b"\r\n\r\n"))
    assert (found.verdict, found.message) == (Verdict.FAIL, words)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (silence, "HERE accepted the connection and did not answer the handshake in 0.4 s"),
        (reset, "HERE reset the connection"),
        (saying(wait_for=b"\r\n\r\n"), "HERE closed the connection during the handshake"),
        (saying(b"garbage\r\n\r\n", then_wait=True), "HERE does not speak WebSocket: bad HTTP message"),
        (opening(b"\x88\x06\x03\xf3oops"), "HERE closed the WebSocket with code 1011: oops"),
        (opening(b"\x88\x00"), "HERE closed the WebSocket with code 1005"),
        (opening(b"\x88\x01\x00"), "HERE broke the WebSocket protocol: "),
        (opening(b"\xff\xff\xff\xff"), "HERE broke the WebSocket protocol: "),
        (opening(b"\x83\x00"), "HERE broke the WebSocket protocol: "),
        (opening(b"\x81\x81abcdx"), "HERE broke the WebSocket protocol: "),
        (opening(b"\x81\x02\xff\xfe"), "HERE broke the WebSocket protocol: "),
        (opening(b"\x81\xff" + b"\xff" * 8), "HERE broke the WebSocket protocol: "),
        (opening(b"\x80\x01x"), "HERE broke the WebSocket protocol: "),
        (opening(b"\x89\x7e\x01\x00" + b"x" * 256), "HERE broke the WebSocket protocol: "),
        (opening(then_wait=False), "HERE reset the connection"),
        (opening(b"\x81\x05hel"), "HERE opened and sent nothing in 0.4 s"),
    ],
)
async def test_a_broken_conversation_fails_with_its_own_words(behaviour: Behaviour, words: str) -> None:
    found = await look(behaviour, timeout_s=0.4 if words.endswith("in 0.4 s") else 30, expect="never")
    assert found.verdict is Verdict.FAIL
    if words == "HERE reset the connection":  # FIN or RST, whichever the kernel sends first
        assert found.message in (words, "HERE closed the connection without a word")
    else:
        assert found.message.startswith(words)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (opening(text_frame("x" * 100), repeat=True), "messages, and nothing as expected"),
        (opening(b"\x89\x00" * 1000, repeat=True), "messages, and nothing as expected"),
        (opening(b"\x82\x7e\xff\xff" + b"x" * 65535, repeat=True), "sent more than 1 MiB, and nothing as expected"),
        (opening(b"\x82\x7f\x00\x00\x00\x7f" + b"\xff" * 4, b"x" * 65536, repeat=True), "sent more than 1 MiB"),
    ],
)
async def test_a_flood_fails_and_costs_no_memory(behaviour: Behaviour, words: str) -> None:
    tracemalloc.start()
    try:
        found = await look(behaviour, expect="never")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.verdict is Verdict.FAIL
    assert words in found.message
    assert peak < 4 << 20


async def test_no_secret_and_no_escape_comes_back_in_a_message() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await opening(text_frame("\x1b]0;" + "A" * 70 + CANARY), then_wait=True)(reader, writer)

    async with serving(echo) as server:
        found = await WebSocketProbe(
            url=f"ws://{CANARY}@{server.address}/{CANARY}",
            timeout_s=0.4,
            headers={"Authorization": lambda: f"Bearer {CANARY}"},
            expect="never",
        ).look(0)
    assert found.verdict is Verdict.FAIL
    assert "AAAA" in found.message
    assert "canary" not in found.message
    assert "\x1b" not in found.message


@pytest.mark.parametrize("headers", [{"Host": "a..b"}, {"Sec-WebSocket-Protocol": "ä"}])
async def test_a_header_that_cannot_be_sent_is_unknown(headers: dict[str, str]) -> None:
    async with serving(silence) as server:
        found = await WebSocketProbe(url=f"ws://{server.address}/", timeout_s=30, headers=headers).look(0)
    assert found.verdict is Verdict.UNKNOWN
    assert "cannot be sent" in found.message


async def test_a_closed_port_fails() -> None:
    port = free_port()
    found = await WebSocketProbe(url=f"ws://localhost:{port}/", timeout_s=30).look(0)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"connection refused by localhost:{port}")


async def test_a_secure_websocket_verifies_its_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    with trusted_authority(monkeypatch.setenv) as authority:
        async with serving(opening(text_frame("hi")), presenting(authority.issue_cert("127.0.0.1"))) as server:
            good = await WebSocketProbe(url=f"wss://{server.address}/", timeout_s=30, expect="hi").look(0)
            bad = await WebSocketProbe(url=f"wss://localhost:{server.port}/", timeout_s=30).look(0)
    assert good.verdict is Verdict.OK
    assert bad.message == f"the certificate of localhost:{server.port} is for 127.0.0.1, not localhost"


@pytest.mark.parametrize("url", ["http://host/", "ws://", "host:80", "ws://h:0/"])
def test_an_address_that_is_no_websocket_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        WebSocketProbe(url=url, timeout_s=1)
