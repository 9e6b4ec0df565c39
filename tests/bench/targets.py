"""Targets on the loopback, in a process of their own: ports that accept, and say a word of HTTP where asked.

Run as a program it listens on COUNT ports, prints them, and tells on each line that it reads how often it has accepted,
and for `gaps` the longest and the 99th percentile of the times between two connections to one port since the last time.
"""

import contextlib
import os
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

_FIRST_PORT = 10_000  # below the ports of clients, of which every one may be waiting after a minute of looks
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n"


class Targets:
    """The ports of a child, and how many connections it has seen: the count that neither side under test keeps."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self.child_pid = child.pid
        self.ports = [int(port) for port in self._ask().split()]

    def _ask(self, question: str = "") -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{question}\n")
        self._child.stdin.flush()
        return self._child.stdout.readline()

    def accepted(self) -> int:
        """Connections since the start."""
        return int(self._ask())

    def gaps_s(self) -> tuple[float, float]:
        """The 99th percentile and the longest of the times between two connections to a port since the last call."""
        p99, longest = map(float, self._ask("gaps").split())
        return p99, longest


@contextlib.contextmanager
def targets(count: int, kind: str) -> Iterator[Targets]:
    """`count` ports; `kind` is `tcp` (accepts and closes) or `http`."""
    argv = [sys.executable, "-m", "tests.bench.targets", str(count), kind]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield Targets(child)
        finally:
            child.terminate()


def _listen(count: int, selector: selectors.BaseSelector) -> list[int]:
    ports: list[int] = []
    for port in range(_FIRST_PORT, 65536):
        if len(ports) == count:
            break
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(128)
        except OSError:  # another's
            listener.close()
            continue
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, "listener")
        ports.append(port)
    return ports


class _Gaps:
    """Times between two connections to one port."""

    def __init__(self) -> None:
        self._last: dict[object, float] = {}
        self._found: list[float] = []

    def note(self, port: object) -> None:
        now_s = time.monotonic()
        if port in self._last:
            self._found.append(now_s - self._last[port])
        self._last[port] = now_s

    def told(self) -> str:
        found, self._found = sorted(self._found) or [0.0], []
        return f"{found[int(len(found) * 0.99)]} {found[-1]}"


def _serve(count: int, *, http: bool) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    selector = selectors.EpollSelector()
    answers = [" ".join(map(str, _listen(count, selector)))]
    selector.register(sys.stdin.fileno(), selectors.EVENT_READ, "question")
    accepted, gaps = 0, _Gaps()
    while True:
        for key, _ in selector.select():
            if key.data == "question":
                question = os.read(sys.stdin.fileno(), 64)
                if not question:
                    return
                answer = gaps.told() if b"gaps" in question else answers.pop() if answers else accepted
                print(answer, flush=True)  # noqa: T201 - our parent reads it
            elif key.data == "listener":
                gaps.note(key.fd)
                accepted += _accept(key.fileobj, selector, http=http)
            else:
                _answer(key.fileobj, selector)


def _accept(listener: object, selector: selectors.BaseSelector, *, http: bool) -> int:
    assert isinstance(listener, socket.socket)
    with contextlib.suppress(BlockingIOError):
        connection, _ = listener.accept()
        if http:
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, "request")
        else:
            connection.close()
        return 1
    return 0


def _answer(connection: object, selector: selectors.BaseSelector) -> None:
    assert isinstance(connection, socket.socket)
    selector.unregister(connection)
    with connection, contextlib.suppress(OSError):
        if connection.recv(65536):
            connection.sendall(ANSWER)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve(int(sys.argv[1]), http=sys.argv[2] == "http")
