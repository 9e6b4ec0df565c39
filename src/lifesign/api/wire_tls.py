"""TLS on a socket that keeps one deadline. Not here: who needs it (`wire`)."""

import ssl

from lifesign.api.wire import Deadline, DeadlineSocket


class DeadlineTlsSocket(Deadline, ssl.SSLSocket):
    """The same over TLS."""


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
