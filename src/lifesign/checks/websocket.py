"""The `websocket` check: the handshake succeeds, and a message matches where one is expected.

Not here: redirects (a WebSocket's handshake follows none), extensions, and fragments larger than the caps.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress

import h11
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from lifesign.checks.attempt import Attempt, Trouble, bounded
from lifesign.checks.expectation import Pattern
from lifesign.checks.http_exchange import status_words
from lifesign.checks.names import SHARED, Resolver
from lifesign.checks.net import Stream, open_stream
from lifesign.checks.webheaders import HeaderValue, RequestHeaders
from lifesign.checks.weburl import parse_url
from lifesign.core.model import Observation, Verdict
from lifesign.text import clean

MAX_MESSAGE_BYTES = 65536
MAX_READ_BYTES = 1 << 20
MAX_EVENTS = 10_000
FAREWELL_S = 0.5  # how long a peer gets to answer our goodbye; it changes no verdict
_TURN_EVENTS = 128
_HANDSHAKE = ("host", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions")


class WebSocketProbe:
    """Opens `url` (`ws://`, `wss://`) within `timeout_s` seconds in all.

    `headers`: a value may be called for its secret. `send`: a text message, sent once it is open. `expect`: an RE2
    pattern, searched in the first 64 KiB of each message. Raises ValueError with a sentence that repeats no secret.
    """

    def __init__(
        self,
        *,
        url: str,
        timeout_s: float,
        headers: Mapping[str, HeaderValue] | None = None,
        send: str | None = None,
        expect: str | None = None,
        verify_tls: bool = True,
        resolver: Resolver = SHARED,
    ) -> None:
        self._url = parse_url(url, ("ws", "wss"))
        self._timeout_s = timeout_s
        self._headers = RequestHeaders(headers or {})
        self._send = send
        self._pattern = None if expect is None else Pattern(expect)
        self._verify_tls = verify_tls
        self._resolver = resolver

    async def look(self, now_wall_ns: int) -> Observation:
        """One connection, closed politely where it was good."""
        del now_wall_ns
        return await bounded(self._timeout_s, self._walk)

    def close(self) -> None:
        """Nothing is held between two looks."""

    async def _walk(self, attempt: Attempt) -> Observation:
        request = self._request(attempt)
        security = self._url.security(self._verify_tls)
        stream = await open_stream(self._url.address, attempt, security, self._resolver)
        try:
            conversation = _Conversation(stream, attempt)
            await conversation.open(request)
            words = f"opened {stream.peer}"
            if self._send is not None:
                await conversation.say(self._send)
            if self._pattern is not None:
                await conversation.hear(self._pattern)
                words = f"{stream.peer} sent a message as expected"
            latency_s = attempt.elapsed_s
            await conversation.part()
            return Observation(Verdict.OK, words, latency_s)
        finally:
            stream.close()

    def _request(self, attempt: Attempt) -> Request:
        headers = self._headers.read(self._url, attempt)
        protocols = headers.pop("sec-websocket-protocol", b"").decode("ascii", "replace")
        return Request(
            host=headers["host"].decode("ascii", "replace"),
            target=self._url.target,
            subprotocols=[name for name in (part.strip() for part in protocols.split(",")) if name],
            extra_headers=[(name.encode("ascii"), v) for name, v in headers.items() if name not in _HANDSHAKE],
        )


class _Conversation:
    """One WebSocket from handshake to farewell. Every method but `part` raises Trouble."""

    def __init__(self, stream: Stream, attempt: Attempt) -> None:
        self._stream = stream
        self._attempt = attempt
        self._socket = WSConnection(ConnectionType.CLIENT)
        self._read_bytes = 0
        self._seen_events = 0
        self._unread: Iterator[Event] = iter(())

    async def open(self, request: Request) -> None:
        """The handshake."""
        peer, limit = self._stream.peer, self._attempt.limit
        self._attempt.at(f"{peer} accepted the connection and did not answer the handshake in {limit}")
        try:
            data = self._socket.send(request)
        except (h11.LocalProtocolError, UnicodeError):  # their words would repeat the header, secret or not
            raise Trouble("a header of the handshake cannot be sent: HTTP does not allow it", Verdict.UNKNOWN) from None
        await self._stream.send(data)
        while True:
            match await self._event():
                case AcceptConnection():
                    return
                case RejectConnection(status_code=status):
                    raise Trouble(f"{peer} answered {status_words(status)} instead of opening a WebSocket")

    async def say(self, text: str) -> None:
        """One text message."""
        self._attempt.at(f"{self._stream.peer} opened and did not take what was sent in {self._attempt.limit}")
        await self._stream.send(self._socket.send(TextMessage(data=text)))

    async def hear(self, expected: Pattern) -> None:
        """Messages until one matches; each counts by its first `MAX_MESSAGE_BYTES`."""
        peer, limit = self._stream.peer, self._attempt.limit
        self._attempt.at(f"{peer} opened and sent nothing in {limit}")
        message, last = bytearray(), b""

        def in_vain() -> str:
            return f"{peer} sent {self._attempt.quoted(last)}, and nothing that matches {expected} in {limit}"

        while True:
            event = await self._event()
            if isinstance(event, CloseConnection):
                raise self._closed(event)
            if not isinstance(event, (TextMessage, BytesMessage)):
                continue
            data = event.data.encode("utf-8", "replace") if isinstance(event.data, str) else event.data
            message += data[: MAX_MESSAGE_BYTES - len(message)]
            if event.message_finished and event.frame_finished:
                if expected.found_in(message):
                    return
                self._attempt.at(in_vain)
                last = bytes(message)
                message.clear()

    async def part(self) -> None:
        """Goodbye, and a short wait for the answer; whatever comes of it."""
        patience_s = min(FAREWELL_S, self._attempt.remaining_s / 2)
        with suppress(Trouble, TimeoutError):
            async with asyncio.timeout(patience_s):
                if self._socket.state is not ConnectionState.OPEN:
                    return
                await self._stream.send(self._socket.send(CloseConnection(code=1000)))
                while not isinstance(await self._event(), CloseConnection):
                    pass

    async def _event(self) -> Event:
        """The next event; pings are answered on the way, the newest for all (RFC 6455, 5.5.3)."""
        if self._seen_events % _TURN_EVENTS == 0:  # thousands of frames may stand in one chunk: others want their turn
            await asyncio.sleep(0)
        while True:
            ping: Ping | None = None
            while (event := self._parsed()) is not None:
                if isinstance(event, Ping):
                    ping = event
                    continue
                await self._answer(ping)
                return event
            await self._answer(ping)
            data = await self._stream.receive()
            if not data:
                opening = self._socket.state is ConnectionState.CONNECTING
                when = "during the handshake" if opening else "without a word"
                raise Trouble(f"{self._stream.peer} closed the connection {when}")
            self._read_bytes += len(data)
            if self._read_bytes > MAX_READ_BYTES:
                raise Trouble(f"{self._stream.peer} sent more than 1 MiB, and nothing as expected")
            self._feed(data)

    async def _answer(self, ping: Ping | None) -> None:
        if ping is not None and self._socket.state is ConnectionState.OPEN:
            await self._stream.send(self._socket.send(ping.response()))

    def _feed(self, data: bytes) -> None:
        try:
            self._socket.receive_data(data)
        except (RemoteProtocolError, ValueError) as error:  # ValueError: wsproto decodes hostile headers as ASCII
            raise self._not_websocket(error) from None
        self._unread = self._socket.events()

    def _parsed(self) -> Event | None:
        self._seen_events += 1
        if self._seen_events > MAX_EVENTS:
            raise Trouble(f"{self._stream.peer} sent {MAX_EVENTS} messages, and nothing as expected")
        try:
            return next(self._unread, None)
        except (RemoteProtocolError, ValueError, AssertionError) as error:
            raise self._not_websocket(error) from None

    def _not_websocket(self, error: Exception) -> Trouble:
        why = clean(self._attempt.hide(str(error)), 100) if isinstance(error, RemoteProtocolError) else "malformed"
        return Trouble(f"{self._stream.peer} does not speak WebSocket: {why[:1].lower()}{why[1:]}")

    def _closed(self, event: CloseConnection) -> Trouble:
        reason = f": {clean(self._attempt.hide(event.reason), 100)}" if event.reason else ""
        if self._socket.state is ConnectionState.OPEN:  # wsproto's own word for a frame that it refuses
            return Trouble(f"{self._stream.peer} broke the WebSocket protocol{reason}")
        return Trouble(f"{self._stream.peer} closed the WebSocket with code {int(event.code)}{reason}")
