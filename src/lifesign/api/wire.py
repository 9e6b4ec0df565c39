"""HTTP connections over a UNIX socket, TCP or TLS that keep one deadline over the whole exchange.

`http.client` alone times each read: one byte every few seconds outlasts any timeout. Not here: what is asked.
"""

import http.client
import socket
import ssl
import time
from pathlib import Path
from typing import Any

_FULL_BACKLOG_PAUSE_S = 0.05


class Deadline:
    """A point of the monotonic clock after which a socket operation fails with TimeoutError."""

    deadline: float | None = None

    def arm(self, sock: socket.socket) -> None:
        """Gives `sock` what is left of the time; nothing changes where there is no deadline."""
        if self.deadline is None:
            return
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        sock.settimeout(left_s)


class DeadlineSocket(Deadline, socket.socket):
    """A socket on which every operation together ends by the deadline."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.arm(self)
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:
        self.arm(self)
        super().sendall(*args, **options)


class DeadlineTlsSocket(Deadline, ssl.SSLSocket):
    """The same over TLS."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.arm(self)
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:
        self.arm(self)
        super().sendall(*args, **options)


class LastingConnection(http.client.HTTPConnection):
    """A connection whose socket stays in reach while the answer is read: http.client lets go of it earlier."""

    live: DeadlineSocket | DeadlineTlsSocket | None = None

    def release_deadline(self, idle_timeout_s: float) -> None:
        """From now on only silence counts: a stream has no end of its own."""
        if self.live is not None:
            self.live.deadline = None
            self.live.settimeout(idle_timeout_s)


class UnixConnection(LastingConnection):
    """HTTP over the UNIX socket at `path`."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._deadline = time.monotonic() + timeout_s

    def connect(self) -> None:
        sock = DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.deadline = self._deadline
        try:
            self._connect(sock)
        except BaseException:
            sock.close()
            raise
        self.sock = self.live = sock

    def _connect(self, sock: DeadlineSocket) -> None:
        """A full backlog answers EAGAIN at once on a UNIX socket, where TCP would wait: so wait here."""
        while True:
            sock.arm(sock)
            try:
                sock.connect(str(self._path))
            except BlockingIOError:
                time.sleep(_FULL_BACKLOG_PAUSE_S)
            else:
                return


class TcpConnection(LastingConnection):
    """HTTP over TCP, or over TLS with `context`."""

    def __init__(self, host: str, port: int, timeout_s: float, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._context = context
        self._deadline = time.monotonic() + timeout_s
        if context is not None:
            context.sslsocket_class = DeadlineTlsSocket
            self.default_port = 443

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        sock = DeadlineSocket(fileno=plain.detach())
        sock.deadline = self._deadline
        self.sock = self.live = sock if self._context is None else self._wrapped(sock, self._context)

    def _wrapped(self, sock: DeadlineSocket, context: ssl.SSLContext) -> DeadlineTlsSocket:
        try:
            sock.arm(sock)
            wrapped = context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise
        assert isinstance(wrapped, DeadlineTlsSocket)
        wrapped.deadline = self._deadline
        return wrapped
