"""What comes for an HTTP answer is read as one, strictly, however it is cut into pieces."""

import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.api.exchange import BadHttp, receive, send


class Pieces(io.RawIOBase):
    """A connection on which the bytes come in pieces of at most so many."""

    def __init__(self, content: bytes, most: int) -> None:
        self._rest, self._most = content, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        piece = self._rest[: min(self._most, len(buffer))]
        buffer[: len(piece)] = piece
        self._rest = self._rest[len(piece) :]
        return len(piece)


def read(content: bytes, most: int = 1 << 20) -> tuple[int, bytes]:
    response = receive(io.BufferedReader(Pieces(content, most)))
    return response.status, response.body.read()


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    body = b"".join(b"%x;name=value\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + body + end


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.integers(1, 50))
def test_chunks_are_put_together(chunks: list[bytes], most: int) -> None:
    assert read(chunked(*chunks), most) == (200, b"".join(chunks))


@given(st.binary(max_size=60), st.integers(1, 70))
def test_a_body_ends_where_its_length_says_or_with_the_connection(body: bytes, most: int) -> None:
    head = b"HTTP/1.1 503 Service Unavailable\r\ncontent-LENGTH:  %d \r\n\r\n" % len(body)
    assert read(head + body + b"more", most) == (503, body)
    assert read(b"HTTP/1.0 200 OK\n\n" + body, most) == (200, body)


def test_interim_answers_are_passed_over_and_some_have_no_body() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert read(interim + b"HTTP/1.1 204 No Content\r\n\r\nrest") == (204, b"")


def test_a_header_that_says_nothing_of_the_body_may_come_twice_as_proxies_send_it() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nVary: a\r\nVary: b\r\nContent-Length: 2\r\n\r\nok") == (200, b"ok")


def test_a_stream_is_read_line_by_line_as_it_comes() -> None:
    body = receive(io.BufferedReader(Pieces(chunked(b"data: 1\n\nda", b"ta: 2\n\n"), 7))).body
    assert list(body) == [b"data: 1\n", b"\n", b"data: 2\n", b"\n"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        chunked(b"abc", end=b""),
        chunked(end=b"-1\r\n"),
        chunked(end=b"+3\r\nabc\r\n0\r\n\r\n"),
        chunked(end=b"3\r\nab"),
        chunked(end=b"2\r\nabc\r\n0\r\n\r\n"),
        chunked(end=b"\r\n"),
        chunked(end=b"0x3\r\nabc\r\n0\r\n\r\n"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_answer_or_ends_early_is_refused(content: bytes) -> None:
    with pytest.raises(BadHttp):
        read(content)


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest))
def test_whatever_comes_is_an_answer_or_refused(content: bytes) -> None:
    try:
        status, _ = read(content, 9)
    except BadHttp:
        return
    assert 200 <= status <= 999


def test_a_request_is_its_lines_and_nothing_that_is_slipped_into_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, "POST", "/a?b=c", {"Host": "h"}, b"{}")
        assert theirs.recv(1000) == b"POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
        send(ours, "GET", "/", {}, None)
        assert theirs.recv(1000) == b"GET / HTTP/1.1\r\n\r\n"
        for path, value in (("/ x", ""), ("/\r\nX: y", ""), ("/", "a\r\nX: y"), ("/", "a\x00")):
            with pytest.raises(ValueError, match="printable"):
                send(ours, "GET", path, {"Authorization": value}, None)
