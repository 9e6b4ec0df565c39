"""TLS on a socket that keeps one deadline. Not here: who needs it (`wire`)."""

import ssl
from typing import Any

from lifesign.api.wire import Deadline, DeadlineSocket


class DeadlineTlsSocket(Deadline, ssl.SSLSocket):
    """The same over TLS."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.arm(self)
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:
        self.arm(self)
        super().sendall(*args, **options)


def wrapped(sock: DeadlineSocket, context: ssl.SSLContext, host: str) -> DeadlineTlsSocket:
    """`sock` after the handshake, with the deadline that it had. Raises OSError, and closes it then."""
    context.sslsocket_class = DeadlineTlsSocket
    try:
        sock.arm(sock)
        found = context.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise
    assert isinstance(found, DeadlineTlsSocket)
    found.deadline = sock.deadline
    return found
