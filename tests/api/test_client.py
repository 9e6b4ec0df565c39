"""The client against whatever may answer on a socket: real sockets, scripted bytes."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from lifesign.api.answer import _is_clean
from lifesign.api.client import BadAnswer, Client, ProblemAnswer, Refused, TimedOut, Unreachable
from lifesign.api.render import state_document
from tests.api.fakes import component, info, monitor

Script = Callable[[socket.socket], None]


@contextmanager
def _answering(path: Path, script: Script) -> Iterator[Client]:
    """A server that reads one request head and then does what `script` does."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(40)
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65536)
                try:
                    script(connection)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Client.connect(f"unix:{path}", timeout_s=0.5)
        finally:
            thread.join(20)
    assert not thread.is_alive()


def _sending(data: bytes) -> Script:
    return lambda connection: connection.sendall(data)


def _silent(connection: socket.socket) -> None:
    connection.recv(1)


def _http(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def _state_body() -> bytes:
    return msgspec.json.encode(state_document(monitor(component()), info()))


def test_a_state_document_comes_through_as_it_is(tmp_path: Path) -> None:
    with _answering(tmp_path / "s", _sending(_http(_state_body()))) as client:
        assert client.state() == state_document(monitor(component()), info())


def test_no_socket_file_is_unreachable(tmp_path: Path) -> None:
    client = Client.connect(f"unix:{tmp_path / 'none'}")
    with pytest.raises(Unreachable):
        client.state()
    assert not client.ready()


def test_a_socket_file_that_nobody_serves_is_unreachable(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    with pytest.raises(Unreachable):
        Client.connect(f"unix:{tmp_path / 's'}").state()


def test_a_daemon_that_says_nothing_times_out_and_is_not_taken_for_absent(tmp_path: Path) -> None:
    with (
        _answering(tmp_path / "s", _silent) as client,
        pytest.raises(TimedOut),
    ):
        client.state()


def test_an_answer_that_drips_ends_at_the_total_timeout(tmp_path: Path) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.1)

    with _answering(tmp_path / "s", drip) as client:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            client.state()
        assert time.monotonic() - started < 30


def test_endless_interim_answers_end_at_the_total_timeout(tmp_path: Path) -> None:
    def interim(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    with _answering(tmp_path / "s", interim) as client, pytest.raises((TimedOut, BadAnswer)):
        client.state()


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\xff garbage\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        _http(b"[" * 10_000 + b"]" * 10_000),
        _http(b"<html>not us</html>"),
        _http(b"\xff\xfe"),
        _http(b'{"schema": "lifesign.state/1"}'),
        _http(b"null"),
    ],
)
def test_garbage_of_any_kind_is_a_bad_answer(tmp_path: Path, answer: bytes) -> None:
    with _answering(tmp_path / "s", _sending(answer)) as client, pytest.raises(BadAnswer):
        client.state()


def test_an_answer_that_announces_a_gigabyte_is_not_waited_for(tmp_path: Path) -> None:
    announced = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    with (
        _answering(tmp_path / "s", _sending(announced)) as client,
        pytest.raises(BadAnswer, match="larger than 64 MiB"),
    ):
        client.state()


def test_an_answer_of_a_gigabyte_without_a_length_is_cut_off(tmp_path: Path) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 1024:
            connection.sendall(bytes(1024 * 1024))
            sent += 1

    with _answering(tmp_path / "s", flood) as client, pytest.raises((BadAnswer, TimedOut)):
        client.state()
    assert sent < 80


def test_a_daemon_of_another_schema_is_named_with_both_schemas(tmp_path: Path) -> None:
    body = _state_body().replace(b"lifesign.state/1", b"lifesign.state/2")
    with (
        _answering(tmp_path / "s", _sending(_http(body))) as client,
        pytest.raises(BadAnswer, match=r"'lifesign.state/2' and we 'lifesign.state/1'"),
    ):
        client.state()


def test_keys_that_we_do_not_know_are_passed_over(tmp_path: Path) -> None:
    body = json.dumps(json.loads(_state_body()) | {"later": {"invented": True}}).encode()
    with _answering(tmp_path / "s", _sending(_http(body))) as client:
        assert client.state() == state_document(monitor(component()), info())


def test_escape_sequences_from_a_hostile_daemon_do_not_get_past_the_client(tmp_path: Path) -> None:
    hostile = json.loads(_state_body())
    hostile["components"][0]["diagnosis"] = "a\x1b[2Jb\u202ec"
    hostile["components"][0]["checks"][0]["data"] = {"k\x07": ["\x9b"]}
    for body in (json.dumps(hostile).encode(), json.dumps(hostile, ensure_ascii=False).encode()):
        path = tmp_path / f"s{len(body)}"
        with _answering(path, _sending(_http(body))) as client:
            found = client.state().components[0]
        shown = found.diagnosis + repr(found.checks[0].data)
        assert found.diagnosis.startswith("a")
        assert not set(shown) & set("\x1b\x07\x9b\u202e")


def test_a_503_with_a_status_document_is_an_answer(tmp_path: Path) -> None:
    body = b'{"overall": "down", "components": []}'
    with _answering(tmp_path / "s", _sending(_http(body, "503 Service Unavailable"))) as client:
        status, document = client.status()
    assert (status, document.overall) == (503, "down")


def test_a_problem_is_raised_with_its_status_and_words(tmp_path: Path) -> None:
    body = b'{"title": "Not Found", "status": 404, "detail": "no component \\"mnd\\"; did you mean mind?"}'
    with (
        _answering(tmp_path / "s", _sending(_http(body, "404 Not Found"))) as client,
        pytest.raises(ProblemAnswer, match="did you mean mind") as caught,
    ):
        client.probe("mnd")
    assert caught.value.status == 404


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_daemon_that_says_we_may_not_is_a_refusal(tmp_path: Path, status: str) -> None:
    with _answering(tmp_path / "s", _sending(_http(b"", status))) as client, pytest.raises(Refused):
        client.probe("mind")


def test_events_are_followed_one_by_one_past_comments(tmp_path: Path) -> None:
    stream = (
        b": hello\n\nid: 1\ndata: "
        b'{"ts": "t", "level": "INFO", "event": "monitor.started"}\n\n: still here\n\n'
        b'id: 2\ndata: {"ts": "t", "level": "ERROR", "event": "component.down", "component": "mind"}\n\n'
    )
    with _answering(tmp_path / "s", _sending(b"HTTP/1.1 200 OK\r\n\r\n" + stream)) as client:
        assert [event.event for event in client.follow_events()] == ["monitor.started", "component.down"]


def test_an_event_line_without_end_is_a_bad_answer(tmp_path: Path) -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\ndata: " + b"x" * 2_000_000
    with _answering(tmp_path / "s", _sending(endless)) as client, pytest.raises(BadAnswer, match="without end"):
        next(client.follow_events())


@pytest.mark.parametrize("target", ["", "ftp://x", "http://", "localhost:5199", "http://user:pw@host:1", "http://h:x"])
def test_a_target_of_no_known_kind_is_refused_in_words(target: str) -> None:
    with pytest.raises(ValueError, match=r"write unix:PATH|[Pp]ort"):
        Client.connect(target)


def test_the_token_is_in_no_representation_and_no_message(tmp_path: Path) -> None:
    client = Client.connect(f"unix:{tmp_path / 'none'}", token="canary-secret")
    with pytest.raises(Unreachable) as caught:
        client.state()
    assert "canary-secret" not in repr(client) + str(caught.value)


def test_a_backslash_that_escapes_itself_begins_no_control_character(tmp_path: Path) -> None:
    told = json.loads(_state_body())
    told["components"][0]["diagnosis"] = r"no line matches \bready\b, \\n" + "\n\u202e"
    with _answering(tmp_path / "s", _sending(_http(json.dumps(told).encode()))) as client:
        assert client.state().components[0].diagnosis == r"no line matches \bready\b, \\n" + " \ufffd"
    assert _is_clean(json.dumps({"diagnosis": r"\bready\b, \\n"}).encode())
    assert not _is_clean(json.dumps({"diagnosis": "\\\n"}).encode())
