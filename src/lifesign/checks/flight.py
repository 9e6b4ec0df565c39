"""A question to a port under way without a task of its own: connected, asked, and called back when something comes.

It costs a fifth of what a task with its timeouts costs. Whatever takes more than one answer in one piece is handed on,
socket and all, to the coroutine that can wait. Not here: what is asked, and what the answer means.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from lifesign.checks.attempt import Attempt
from lifesign.checks.names import SocketAddress
from lifesign.checks.net import BareSocket, begin_to_connect, finish_connecting
from lifesign.checks.readiness import READABLE, SHARED, WRITABLE

_CHUNK_BYTES = 65536

Landed: TypeAlias = "Callable[[Flight, bytes | OSError | None], None]"
"""Called once: with what came, with the error that came instead, or with None where the time ran out."""


class Flight:
    """One question. After `landed` was called it holds nothing but the socket, until `take` or `close`."""

    __slots__ = ("_data", "_landed", "_peer", "_socket", "_timer", "address", "attempt")

    def __init__(self, address: SocketAddress, peer: str, data: bytes, timeout_s: float, landed: Landed) -> None:
        self.address = address
        self.attempt = Attempt(timeout_s)
        self._peer = peer
        self._data = data
        self._landed = landed
        self._socket: BareSocket | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> bool:
        """Whether it is under way. If not, nothing was said to anybody, and nothing is held."""
        try:
            self._socket, connected = begin_to_connect(self.address)
        except OSError:
            return False
        try:
            if connected:
                self._ask()
            else:
                self.attempt.at(f"connecting to {self._peer} did not finish in {self.attempt.limit}")
                SHARED.wait(self._socket.fileno(), WRITABLE, self._connected)
        except OSError:
            self.close()
            return False
        self._timer = asyncio.get_running_loop().call_later(self.attempt.timeout_s, self._late)
        return True

    def _ask(self) -> None:
        assert self._socket is not None
        if self._socket.send(self._data) != len(self._data):
            raise BlockingIOError  # a fresh connection takes a few hundred bytes, or something is very wrong
        # No way back from there to the flight.
        self.attempt.at(partial(_unanswered, self._peer, self.attempt.timeout_s))
        SHARED.wait(self._socket.fileno(), READABLE, self._answered)

    def _connected(self) -> None:
        assert self._socket is not None
        try:
            if finish_connecting(self._socket, self.address):
                self._ask()
            else:
                SHARED.wait(self._socket.fileno(), WRITABLE, self._connected)
        except OSError as error:
            self._land(error)

    def _answered(self) -> None:
        assert self._socket is not None
        came: bytes | OSError
        try:
            came = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            self._wait_on()
            return
        except OSError as error:
            came = error
        self._land(came)

    def _wait_on(self) -> None:
        assert self._socket is not None
        try:
            SHARED.wait(self._socket.fileno(), READABLE, self._answered)
        except OSError as error:
            self._land(error)

    def _late(self) -> None:
        self._land(None)

    def _land(self, came: bytes | OSError | None) -> None:
        self._rest()
        self._landed(self, came)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            SHARED.forget(self._socket.fileno())

    def take(self) -> socket.socket:
        """The socket, which is the caller's from now on."""
        assert self._socket is not None
        taken, self._socket = self._socket, None
        return socket.socket(fileno=taken.detach())

    def close(self) -> None:
        """Ends it without a word to anybody; idempotent."""
        self._rest()
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _unanswered(peer: str, timeout_s: float) -> str:
    return f"{peer} accepted the connection and did not answer in {timeout_s:g} s"
