"""One HTTP/1.1 request on a connected socket, and its answer: what our own API needs of the protocol, strictly.

`http.client` reads headers with the `email` package, and costs a command that asks one question as much as Python
itself. Not here: the socket and its deadline (`wire`), and what is asked (`client`).
"""

import io
import socket
from collections.abc import Mapping
from typing import IO, Any, Protocol

_LONGEST_LINE = 65536
_MOST_HEADERS = 100
_BODILESS = (204, 304)
_FRAMING = (b"content-length", b"transfer-encoding")
_HEX = frozenset(b"0123456789abcdefABCDEF")


class BadHttp(Exception):  # noqa: N818 - as `BadAnswer`, which the client makes of it
    """What came is no HTTP/1.1 answer, or ends before its end."""


class Response(Protocol):
    """An answer of which the head is read. `length`: of the body in bytes, where that was announced."""

    status: int
    length: int | None
    body: IO[bytes]


class _Answer:
    def __init__(self, status: int, length: int | None, body: IO[bytes]) -> None:
        self.status, self.length, self.body = status, length, body


def send(sock: socket.socket, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> None:
    """Sends one request. Raises ValueError for what would not be one line, OSError."""
    told = dict(headers) if body is None else {**headers, "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    if any(not line.isprintable() for line in lines) or " " in path:
        raise ValueError("a request's path and headers are lines of printable characters")
    sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))


def receive(reader: io.BufferedReader) -> Response:
    """The head of the answer; interim ones are passed over. Raises BadHttp, OSError."""
    while True:
        status = _status(_line(reader))
        headers = _headers(reader)
        if status >= 200:
            break
    codings = headers.get(b"transfer-encoding", b"").lower()
    if codings not in (b"", b"identity", b"chunked"):
        raise BadHttp("its body is coded in a way that nobody asked for")
    if codings == b"chunked":
        return _Answer(status, None, io.BufferedReader(_Chunks(reader)))
    length = 0 if status in _BODILESS else _length(headers)
    return _Answer(status, length, reader if length is None else io.BufferedReader(_Announced(reader, length)))


def _status(line: bytes) -> int:
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    if not version.startswith(b"HTTP/1.") or len(code) < 3 or not code.isdigit() or code < b"100":
        raise BadHttp("it does not begin with a status")
    return int(code)


def _headers(reader: io.BufferedReader) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for _ in range(_MOST_HEADERS):
        line = _line(reader)
        if not line:
            return found
        text, colon, value = line.partition(b":")
        name, value = text.strip().lower(), value.strip()
        if not colon or (found.setdefault(name, value) != value and name in _FRAMING):
            raise BadHttp("a header is none, or says two things of the body")
    raise BadHttp("its headers have no end")


def _length(headers: Mapping[bytes, bytes]) -> int | None:
    text = headers.get(b"content-length")
    if text is None:
        return None
    if not text.isdigit() or len(text) > 18:
        raise BadHttp("its length is none")
    return int(text)


def _line(reader: io.BufferedReader) -> bytes:
    line = reader.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise BadHttp("a line of it has no end")
    return line.rstrip(b"\r\n")


class _Announced(io.RawIOBase):
    """A body of a length that was announced. One that is shorter raises BadHttp."""

    def __init__(self, reader: io.BufferedReader, length: int) -> None:
        self._reader, self._left = reader, length

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As much as has come."""
        count = self._reader.readinto1(memoryview(buffer)[: self._left]) if self._left else 0
        if not count and self._left and len(buffer):
            raise BadHttp("it ends before its end")
        self._left -= count
        return count


class _Chunks(io.RawIOBase):
    """A body in chunks. One that ends within a chunk, or before the last, raises BadHttp."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._reader = reader
        self._left = 0
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As much of the chunk as has come."""
        if not self._left and not self._ended:
            self._begin()
        count = self._reader.readinto1(memoryview(buffer)[: self._left]) if self._left else 0
        if not count and self._left and len(buffer):
            raise BadHttp("it ends within a chunk")
        self._left -= count
        if count and not self._left and _line(self._reader):
            raise BadHttp("a chunk is longer than it says")
        return count

    def _begin(self) -> None:
        text = _line(self._reader).partition(b";")[0].strip()
        if not text or len(text) > 15 or not _HEX.issuperset(text):
            raise BadHttp("a chunk has no length")
        self._left = int(text, 16)
        self._ended = not self._left
