"""One request and its answer over one stream, HTTP/1.1, then goodbye. h11 parses; nothing is ever unpacked.

Not here: redirects, and what the answer ought to be.
"""

import asyncio
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus

import h11

from lifesign.checks.attempt import Attempt, Trouble
from lifesign.checks.net import Stream
from lifesign.records import dataclass
from lifesign.text import clean

MAX_HEADER_BYTES = 65536
MAX_BODY_BYTES = 1 << 20
_MAX_PIECES = 20_000  # a body of one-byte chunks costs a hundred times what it weighs
_MAX_INTERIM = 8
_TOO_LARGE = "the body is larger than 1 MiB"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `target`: path and query; `headers`: by lower-case name."""

    method: str
    target: str
    headers: Mapping[str, bytes]
    body: bytes | None = None


class Exchange:
    """Ask once with `ask`, then, where it matters, read the `body`. The caller closes the stream."""

    def __init__(self, stream: Stream, attempt: Attempt) -> None:
        self._stream = stream
        self._attempt = attempt
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
        self._heard_bytes = 0
        self._response: h11.Response | None = None

    async def ask(self, request: Request, heard: bytes | None = None) -> int:
        """Sends `request` and returns the answer's status. Raises Trouble.

        `heard`: it was sent already, and this came back so far.
        """
        data = _encoded(self._parser, request)
        self._attempt.at(f"{self._stream.peer} accepted the connection and did not answer in {self._attempt.limit}")
        if heard is None:
            await self._stream.send(data)
        elif heard:
            self._feed(heard)
        self._response = await self._head()
        return self._response.status_code

    def header(self, name: str) -> str:
        """The answer's header of this lower-case name, or an empty text."""
        assert self._response is not None
        wanted = name.encode("ascii")
        return next((value.decode("latin-1") for key, value in self._response.headers if key == wanted), "")

    async def body(self) -> bytes:
        """The whole body as it came, at most `MAX_BODY_BYTES`. Raises Trouble."""
        coding = self.header("content-encoding").strip().lower()
        if coding not in ("", "identity"):
            raise Trouble(
                f"the body is compressed ({clean(coding, 20)}), which is never unpacked, so it cannot be judged"
            )
        length = self.header("content-length")
        if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:
            raise Trouble(_TOO_LARGE)
        self._attempt.at(f"the body from {self._stream.peer} did not end in {self._attempt.limit}")
        found = bytearray()
        for piece in range(_MAX_PIECES):
            if piece % 128 == 127:  # thousands of chunks may stand in what was read at once: others want their turn
                await asyncio.sleep(0)
            event = await self._event()
            if isinstance(event, h11.EndOfMessage):
                return bytes(found)
            if not isinstance(event, h11.Data):
                raise Trouble(f"{self._stream.peer} closed the connection within the body")
            found += event.data
            if len(found) > MAX_BODY_BYTES:
                raise Trouble(_TOO_LARGE)
        raise Trouble(f"the body comes in more than {_MAX_PIECES} pieces")

    async def _head(self) -> h11.Response:
        for _ in range(_MAX_INTERIM):
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise Trouble(f"{self._stream.peer} closed the connection without an answer")
        raise Trouble(f"{self._stream.peer} keeps announcing an answer (1xx) and sends none")

    async def _event(self) -> h11.Event:
        """The parser's next event, fed as it needs."""
        while True:
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError as error:
                raise self._not_http(error) from None
            if event is not h11.NEED_DATA:
                assert not isinstance(event, type)  # PAUSED comes only where a request is being received
                return event
            self._feed(await self._stream.receive())

    def _feed(self, data: bytes) -> None:
        if data and not self._heard_bytes:
            self._attempt.at(f"the header from {self._stream.peer} did not end in {self._attempt.limit}")
        self._heard_bytes += len(data)
        self._parser.receive_data(data)

    def _not_http(self, error: h11.RemoteProtocolError) -> Trouble:
        peer = self._stream.peer
        if not self._heard_bytes:
            return Trouble(f"{peer} closed the connection without an answer")
        if error.error_status_hint == 431:
            return Trouble(f"the header from {peer} is larger than 64 KiB")
        if self._response is not None:
            return Trouble(f"the body from {peer} is broken off or malformed: {self._words(error)}")
        return Trouble(f"{peer} answers with something that is not HTTP/1.1: {self._words(error)}")

    def _words(self, error: Exception) -> str:
        return clean(self._attempt.hide(str(error)), 100)


def encoded(request: Request) -> bytes:
    """What `request` is on the wire. Raises h11.LocalProtocolError."""
    return _encoded(h11.Connection(h11.CLIENT), request)


def _encoded(parser: h11.Connection, request: Request) -> bytes:
    headers = {"accept": b"*/*", "accept-encoding": b"identity"} | dict(request.headers) | {"connection": b"close"}
    if request.body is not None or request.method in ("POST", "PUT", "PATCH"):
        headers["content-length"] = str(len(request.body or b"")).encode("ascii")
    pairs = [(name.encode("ascii"), value) for name, value in headers.items()]
    data = parser.send(h11.Request(method=request.method, target=request.target, headers=pairs)) or b""
    if request.body:
        data += parser.send(h11.Data(data=request.body)) or b""
    return data + (parser.send(h11.EndOfMessage()) or b"")


@cache
def status_words(status: int) -> str:
    """`503 Service Unavailable`; a status that nobody has named stands alone. The target's own words are not used."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
