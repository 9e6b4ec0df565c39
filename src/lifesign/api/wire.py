"""Sockets over a UNIX path, TCP or TLS that keep one deadline over all that is done with them.

A timeout alone times each read: one byte every few seconds outlasts any. Not here: HTTP (`exchange`), and
TLS (`wire_tls`), which costs as much as all of a question to a daemon of this machine.
"""

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import ssl

    from lifesign.api.wire_tls import DeadlineTlsSocket

_FULL_BACKLOG_PAUSE_S = 0.05


class Deadline:
    """A socket's point of the monotonic clock after which every operation on it fails with TimeoutError.

    For a class that stands before a kind of socket among the bases of another.
    """

    deadline: float | None = None

    def arm(self, sock: socket.socket) -> None:
        """Gives `sock` what is left of the time; nothing changes where there is no deadline."""
        if self.deadline is None:
            return
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        sock.settimeout(left_s)

    def recv_into(self, *args: Any, **options: Any) -> int:
        """As the socket's own, by the deadline."""
        self.arm(self)  # type: ignore[arg-type]
        return super().recv_into(*args, **options)  # type: ignore[misc,no-any-return]

    def sendall(self, *args: Any, **options: Any) -> None:
        """As the socket's own, by the deadline."""
        self.arm(self)  # type: ignore[arg-type]
        super().sendall(*args, **options)  # type: ignore[misc]


class DeadlineSocket(Deadline, socket.socket):
    """A socket on which every operation together ends by the deadline."""


AnySocket: TypeAlias = "DeadlineSocket | DeadlineTlsSocket"


def unix_socket(path: Path, timeout_s: float) -> DeadlineSocket:
    """Connected to `path`. A full backlog answers EAGAIN at once on a UNIX socket, where TCP would wait: so wait here.

    Raises OSError.
    """
    sock = DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.deadline = time.monotonic() + timeout_s
    try:
        while True:
            sock.arm(sock)
            try:
                sock.connect(str(path))
            except BlockingIOError:
                time.sleep(_FULL_BACKLOG_PAUSE_S)
            else:
                return sock
    except BaseException:
        sock.close()
        raise


def tcp_socket(host: str, port: int, timeout_s: float, context: "ssl.SSLContext | None") -> AnySocket:
    """Connected to that port, over TLS with `context`. Raises OSError."""
    deadline = time.monotonic() + timeout_s
    plain = socket.create_connection((host, port), timeout_s)
    sock = DeadlineSocket(fileno=plain.detach())
    sock.deadline = deadline
    if context is None:
        return sock
    from lifesign.api.wire_tls import wrapped

    return wrapped(sock, context, host)


def release_deadline(sock: AnySocket, idle_timeout_s: float) -> None:
    """From now on only silence counts: a stream has no end of its own."""
    sock.deadline = None
    sock.settimeout(idle_timeout_s)
