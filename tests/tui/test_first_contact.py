"""`lifesign console --connect URL` where nobody ever answers: one line and the end; who answered once is waited for."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket

import msgspec
import pytest

from tests.tui.documents import down_mind, state

IMPATIENT = """
import sys
from lifesign.cli import first_contact, main
first_contact.PATIENCE_S = float(sys.argv.pop(1))
main()
"""


def opened(url: str, patience_s: float = 1.0) -> list[str]:
    """The command that opens the console on `url`, and gives up so soon."""
    return [sys.executable, "-c", IMPATIENT, str(patience_s), "console", "--connect", url]


@contextmanager
def answering(path: Path, answers: list[bytes]) -> Iterator[None]:
    """A socket at `path` that gives each caller the next of `answers` and goes away after the last one."""

    def serve() -> None:
        for answer in answers:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(answer)
        listener.close()
        path.unlink()

    with socket(AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(5)


def answer(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def _nobody(path: Path) -> socket | None:
    del path
    return None


def _deaf(path: Path) -> socket:
    listener = socket(AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


@pytest.mark.parametrize(("who", "why"), [(_nobody, "No such file or directory"), (_deaf, "does not answer within")])
def test_where_nobody_ever_answers_it_is_one_line_and_exit_1(
    tmp_path: Path, who: Callable[[Path], socket | None], why: str
) -> None:
    path = tmp_path / "s"
    there = who(path)
    done = subprocess.run(opened(f"unix:{path}"), capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"lifesign: no daemon answers: unix:{path}")
    assert why in done.stderr
    if there is not None:
        there.close()


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found"])
def test_what_refuses_or_is_no_lifesign_is_told_without_waiting(tmp_path: Path, status: str) -> None:
    path = tmp_path / "s"
    with answering(path, [answer(status, b"")]):
        done = subprocess.run(opened(f"unix:{path}", 600), capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert status[:3] in done.stderr


def test_a_daemon_that_is_lost_after_its_first_answer_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "s"
    told = answer("200 OK", msgspec.json.encode(state([down_mind()])))
    with (
        answering(path, [told, told]),
        subprocess.Popen(
            opened(f"unix:{path}", 10), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        ) as console,
    ):
        assert console.stdout is not None
        assert "mind: down" in console.stdout.readline()
        assert "overall" in console.stdout.readline()
        assert "disconnected since" in console.stdout.readline()
        assert console.poll() is None
        console.terminate()
        assert console.wait(20) == 0
