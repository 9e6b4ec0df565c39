"""A byte stream to a target: resolve, connect, and TLS where asked, all within the attempt's one deadline.

Plain non-blocking sockets: nothing here needs asyncio's transports. Not here: what is said over the stream.
"""

import _socket
import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from lifesign.checks.attempt import Attempt, Trouble, told
from lifesign.checks.names import SHARED, HostPort, Resolver, SocketAddress
from lifesign.records import dataclass

if TYPE_CHECKING:
    from lifesign.checks.certificate import Certificate

CHUNK_BYTES = 16384
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
BareSocket = _socket.socket  # without what the standard library lays around it
_KIND = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_PENDING = (errno.EINPROGRESS, errno.EALREADY, errno.EAGAIN)


class Stream(Protocol):
    """Bytes to and from one peer. System errors come as `Trouble`; the end of the stream as `b""`."""

    peer: str
    certificate: "Certificate | None"

    async def send(self, data: bytes) -> None:
        """Sends all of it."""
        ...

    async def receive(self) -> bytes:
        """At least one byte and at most `CHUNK_BYTES`, or nothing at the end."""
        ...

    def close(self) -> None:
        """Ends it at once; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class Security:
    """TLS is wanted. `server_name`: whom the certificate must be for; `verify` False trusts anybody."""

    server_name: str
    verify: bool = True


class SocketStream:
    """A connected non-blocking socket."""

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self.peer = peer
        self.certificate: Certificate | None = None
        self._socket = sock
        from asyncio import get_running_loop

        self._loop = get_running_loop()
        self._has_read = False

    async def send(self, data: bytes) -> None:
        """See `Stream`."""
        try:
            await self._loop.sock_sendall(self._socket, data)
        except OSError as error:
            raise told(self.peer, error) from None

    async def receive(self) -> bytes:
        """See `Stream`."""
        if self._has_read:
            # sock_recv does not yield while data is there: a flood would hold the loop, and its timers, for itself.
            from asyncio import sleep

            await sleep(0)
        self._has_read = True
        try:
            return await self._loop.sock_recv(self._socket, CHUNK_BYTES)
        except OSError as error:
            raise told(self.peer, error) from None

    def close(self) -> None:
        """See `Stream`."""
        self._socket.close()


async def open_stream(
    target: HostPort, attempt: Attempt, security: Security | None = None, resolver: Resolver = SHARED
) -> Stream:
    """A stream to the first address of `target` that accepts. Raises Trouble."""
    addresses = await resolver.resolve(target, attempt)
    try:
        sock = await _connect_any(addresses, str(target), attempt)
    except BaseException:
        resolver.forget(target.host)
        raise
    stream = SocketStream(sock, str(target))
    if security is None:
        return stream
    from lifesign.checks.tls import secure  # only who wants TLS pays for it

    try:
        return await secure(stream, security, attempt)
    except BaseException:
        stream.close()
        raise


async def _connect_any(addresses: Sequence[SocketAddress], peer: str, attempt: Attempt) -> socket.socket:
    """Tries the addresses in order; each gets a fair part of what is left of the time."""
    from asyncio import timeout

    attempt.at(f"connecting to {peer} did not finish in {attempt.limit}")
    refusals: list[OSError] = []
    for position, address in enumerate(addresses):
        others = len(addresses) - position - 1
        share_s = attempt.remaining_s / (others + 1) if others else None
        try:
            async with timeout(share_s):
                return await _connect(address)
        except OSError as error:  # TimeoutError too
            refusals.append(error)
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                break
    raise _most_telling(refusals, peer, attempt)


def _most_telling(refusals: Sequence[OSError], peer: str, attempt: Attempt) -> Trouble:
    """The last refusal, but not that this machine lacks IPv6 while another address did answer."""
    answers = [error for error in refusals if error.errno not in _NOT_HERE] or refusals
    last = answers[-1]
    if isinstance(last, TimeoutError) and last.errno is None:
        return Trouble(f"connecting to {peer} did not finish in {attempt.elapsed_s:.2g} s")
    return told(peer, last)


async def _connect(address: SocketAddress) -> socket.socket:
    """A connected socket. Raises OSError."""
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    sock = socket.socket(family, _KIND)
    try:
        await _settle(sock, address)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def begin_to_connect(address: SocketAddress) -> tuple[BareSocket, bool]:
    """A non-blocking socket, and whether it is connected already. Raises OSError."""
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    sock = BareSocket(family, _KIND)
    try:
        return sock, finish_connecting(sock, address)
    except BaseException:
        sock.close()
        raise


def knock(address: SocketAddress) -> bool:
    """Whether somebody accepts, False where that takes waiting (on the loopback: a full backlog). Raises OSError."""
    sock, is_connected = begin_to_connect(address)
    sock.close()
    return is_connected


async def _settle(sock: socket.socket, address: SocketAddress) -> None:
    """Until `sock` is connected to somebody else. Raises OSError."""
    if not finish_connecting(sock, address):
        from asyncio import get_running_loop

        await get_running_loop().sock_connect(sock, address)
        _refuse_ourselves(sock, address)


def finish_connecting(sock: BareSocket, address: SocketAddress) -> bool:
    """Begins or goes on to connect; whether that is done, to somebody else. Raises OSError."""
    # On loopback the second call already tells the outcome, without a turn of the loop.
    outcome = sock.connect_ex(address)
    if outcome in _PENDING:
        outcome = sock.connect_ex(address)
    if outcome in _PENDING:
        return False
    if outcome not in (0, errno.EISCONN):
        raise OSError(outcome, os.strerror(outcome))
    _refuse_ourselves(sock, address)
    return True


def _refuse_ourselves(sock: BareSocket, address: SocketAddress) -> None:
    if sock.getsockname()[:2] == address[:2]:
        # TCP's simultaneous open: the kernel chose the port we knock at as our own, so nobody listens there.
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
