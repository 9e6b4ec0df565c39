"""What is understood at a glance is what the strict parser makes of it; everything else is left to that parser."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.checks.http_plain import read_plainly

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: x\r\n\r\nok\n"


def strictly(data: bytes) -> tuple[int, bytes] | None:
    """Status and body as h11 has them, None where it refuses the answer or misses the end of it."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(data)
    parser.receive_data(b"")
    try:
        response = parser.next_event()
        if not isinstance(response, h11.Response):
            return None
        body = b""
        while isinstance(event := parser.next_event(), h11.Data):
            body += event.data
    except h11.RemoteProtocolError:
        return None
    return response.status_code, body


def test_a_usual_answer_is_understood() -> None:
    plain = read_plainly(WELL)
    assert plain is not None
    assert (plain.status, plain.body, plain.is_redirect) == (200, b"ok\n", False)
    moved = read_plainly(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n")
    assert moved is not None
    assert (moved.status, moved.body, moved.is_redirect) == (302, None, True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        WELL[:20],
        WELL[:-4],
        b"HTTP/1.1 100 Continue\r\n\r\n" + WELL,
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\n\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nname : x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: x\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: \x1b[2J\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\na: " + b"x" * 20000 + b"\r\n\r\n",
    ],
)
def test_what_is_broken_partial_or_odd_is_left_to_the_strict_parser(data: bytes) -> None:
    assert read_plainly(data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 204 None\r\ncontent-length: 3\r\n\r\nabc",
    ],
)
def test_a_body_that_takes_reading_is_not_taken_at_a_glance(data: bytes) -> None:
    plain = read_plainly(data)
    assert plain is not None
    assert plain.body is None


PIECES = st.sampled_from(
    [b"HTTP/1.1 ", b"HTTP/1.0 ", b"200", b"503", b"302", b" ", b"OK", b"\r\n", b"\r\n\r\n", b"\n", b"content-length: ",
     b"Content-Length:", b"transfer-encoding: chunked", b"location: /", b"a: b", b":", b"3", b"0", b"abc", b"\x00",
     b"\t", b"\xff"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map(b"".join) | st.lists(PIECES, max_size=9).map(b"".join).map(WELL.__add__))
def test_nothing_is_understood_otherwise_than_the_strict_parser_does(data: bytes) -> None:
    plain = read_plainly(data)
    if plain is None:
        return
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(data)
    response = parser.next_event()
    assert isinstance(response, h11.Response)
    assert response.status_code == plain.status
    if plain.body is not None:
        assert strictly(data) == (plain.status, plain.body)
