"""Whatever bytes a target sends: an answer, or trouble told in words; and the same however the network cuts them."""

import asyncio
import base64
import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st
from wsproto.events import Request as Handshake

from lifesign.checks.attempt import Attempt, Trouble
from lifesign.checks.certificate import Certificate
from lifesign.checks.expectation import Pattern
from lifesign.checks.http_exchange import MAX_BODY_BYTES, Exchange, Request
from lifesign.checks.net import Stream
from lifesign.checks.strict_json import MAX_DEPTH, MalformedError, load_object
from lifesign.checks.websocket import _Conversation

ACCEPTED = b"%ACCEPTED%"  # stands for the answer to the key that was sent


class Scripted:
    """A stream that brings `raw`, cut at `places`, and then its end."""

    peer = "h:1"
    certificate: Certificate | None = None

    def __init__(self, raw: bytes, places: Sequence[int]) -> None:
        self._raw = raw
        self._cuts = sorted({place % (len(raw) + 1) for place in places} | {len(raw)})
        self._at = 0

    async def receive(self) -> bytes:
        start, self._at = self._at, next((cut for cut in self._cuts if cut > self._at), self._at)
        return self._raw[start : self._at]

    async def send(self, data: bytes) -> None:
        _, found, rest = data.partition(b"Sec-WebSocket-Key: ")
        if found:
            key = rest.partition(b"\r\n")[0] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
            self._raw = self._raw.replace(ACCEPTED, base64.b64encode(hashlib.sha1(key).digest()))
            self._cuts = sorted({*self._cuts, len(self._raw)})

    def close(self) -> None:
        """Nothing is held."""


def told(talk: Callable[[Stream, Attempt], Awaitable[object]], raw: bytes, places: Sequence[int] = ()) -> object:
    """What came of it: a value, or the words of a trouble."""

    async def run() -> object:
        try:
            return await talk(Scripted(raw, places), Attempt(5.0))
        except Trouble as trouble:
            return "trouble" if trouble.message else "no words"

    return asyncio.run(run())


def mangled(*parts: bytes) -> st.SearchStrategy[bytes]:
    """Parts in any order and number, and other bytes among them."""
    return st.lists(st.sampled_from(parts) | st.binary(max_size=12), max_size=8).map(b"".join)


PLACES = st.lists(st.integers(0, 400), max_size=4)
ANSWERS = mangled(
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 503 \r\n",
    b"HTTP/1.1 100 \r\n\r\n",
    b"HTTP/1.1 204 No\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 99999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"abc",
)


async def _ask(stream: Stream, attempt: Attempt) -> object:
    exchange = Exchange(stream, attempt)
    status = await exchange.ask(Request("GET", "/", {"host": b"h"}))
    return status, await exchange.body()


@settings(max_examples=300, deadline=None)
@given(ANSWERS, PLACES)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", [1, 20])
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [50])
def test_any_bytes_are_an_http_answer_or_trouble_however_they_are_cut(raw: bytes, places: list[int]) -> None:
    whole = told(_ask, raw)
    assert told(_ask, raw, places) == whole
    if whole != "trouble":
        status, body = cast("tuple[int, bytes]", whole)
        assert 200 <= status <= 999
        assert len(body) <= MAX_BODY_BYTES
        assert b"HTTP/1." in raw
        assert set(body) <= set(raw)


OPENED = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %ACCEPTED%\r\n\r\n"
FRAMES = mangled(
    b"\x81\x05hello",
    b"\x82\x02\xff\xfe",
    b"\x01\x02he",
    b"\x80\x03llo",
    b"\x89\x01p",
    b"\x8a\x00",
    b"\x88\x02\x03\xe8",
    b"\x88\x00",
    b"\x81\xfe\x00\x05",
    b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xf1\x01x",
)


async def _hear(stream: Stream, attempt: Attempt) -> object:
    conversation = _Conversation(stream, attempt)
    await conversation.open(Handshake(host="h", target="/"))
    await conversation.hear(Pattern("hello"))
    return "heard"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([OPENED, OPENED, OPENED, b"", OPENED[:40]]), FRAMES, PLACES)
@example(OPENED, b"\x01\x02he\x89\x01p\x80\x03llo", [3, 60, 150])
def test_any_bytes_are_websocket_messages_or_trouble_however_they_are_cut(
    opening: bytes, frames: bytes, places: list[int]
) -> None:
    whole = told(_hear, opening + frames)
    assert told(_hear, opening + frames, places) == whole
    if whole == "heard":
        assert opening == OPENED
        assert all(letter in frames for letter in b"hello")


def plain(raw: bytes) -> Any:
    """By the standard library alone: the object in `raw` if it is one by our rules, else None."""
    pairs_seen: list[list[Any]] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs_seen.append([key for key, _ in found])
        return dict(found)

    try:
        document = json.loads(raw.decode(), object_pairs_hook=pairs, parse_int=lambda digits: digits)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and all(len(set(k)) == len(k) for k in pairs_seen) else None


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [n for item in (value.values() if isinstance(value, dict) else value) for n in numbers(item)]
    return [value] if isinstance(value, int | float) else []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=12,
)
TEXTS = JSON.map(lambda value: json.dumps(value).encode()) | mangled(
    b"{", b"}", b"[", b"]", b'"a"', b":", b",", b"1", b"1e400", b"NaN", b"true", b" ", b'"\\ud800"', b"\xff", b"\0"
)


@settings(max_examples=300, deadline=None)
@given(
    TEXTS,
    st.integers(0, 60),
    st.sampled_from([b"", b"{", b"[", b'{"a":', b"[" * 9, b"9", b'"', b"\0", b"\xef\xbb\xbf"]),
)
@example(b'{"a": 1, "a": 2}', 99, b"")
@example(b'{"a": ' * 9 + b"1" + b"}" * 9, 99, b"")
def test_any_bytes_are_one_strict_json_object_or_malformed(raw: bytes, at: int, extra: bytes) -> None:
    raw = raw[:at] + extra + raw[at:]
    try:
        found = load_object(raw)
    except MalformedError:
        return
    known = plain(raw)
    assert known is not None
    assert known.keys() == found.keys()
    assert depth(found) <= MAX_DEPTH
    assert all(math.isfinite(number) for number in numbers(found) if isinstance(number, float))
