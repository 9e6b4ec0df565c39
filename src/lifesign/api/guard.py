"""Limits of time and number around each connection, whatever aiohttp's own are.

Theory of operation. A `Guard` stands between the transport and aiohttp's protocol and hands everything through. It has
one timer, which aborts the connection: while a request head is awaited it is short; while a request is being answered
it rests; between two requests it is the keep-alive. A second timer runs while the peer does not read what we write.
The middleware of `api.server` says when a request begins and ends. Not here: who may ask what (`api.security`).

A client that shuts its half down, or is gone, which looks the same, gets the answer to what it has asked, and no more:
so its place is taken for no longer than a request takes. Where more is to come from it, or it reads for as long as it
likes, it is cut off at once.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from lifesign.api.problems import ProblemError
from lifesign.api.security import Listener, Peer, UnixListener, read_peer

if TYPE_CHECKING:
    from aiohttp import web

HEAD_TIMEOUT_S = 10.0
BEGIN_TIMEOUT_S = 1.0  # for what came before the end to be found a whole head; a few turns of the loop
KEEPALIVE_S = 30.0
WRITE_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 200


class Gate:
    """One listener's connections. `makes` gives aiohttp's protocol for a new one."""

    def __init__(self, listener: Listener, makes: Callable[[], asyncio.Protocol], limit: int = MAX_CONNECTIONS) -> None:
        self.listener = listener
        self.head_timeout_s = HEAD_TIMEOUT_S
        self.write_timeout_s = WRITE_TIMEOUT_S
        self.makes = makes
        self._limit = limit
        self._open: set[Guard] = set()

    def __call__(self) -> "Guard":
        return Guard(self)

    def admit(self, guard: "Guard") -> bool:
        """Whether there is room for one more."""
        if len(self._open) >= self._limit:
            return False
        self._open.add(guard)
        return True

    def leave(self, guard: "Guard") -> None:
        """A connection is gone."""
        self._open.discard(guard)

    def abort_all(self) -> None:
        """Cuts every connection off now."""
        for guard in list(self._open):
            guard.abort()


class Guard(asyncio.Protocol):
    """One connection. `peer` is known on a UNIX socket only."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.peer: Peer | None = None
        self.received_at_s = 0.0
        self._inner = asyncio.Protocol()  # does nothing: whom we do not admit costs no parser
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._awaits_head = True
        self._in_request = False
        self._has_asked = False
        self._has_ended = False
        self._needs_client = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        if not self.gate.admit(self):
            stream.abort()
            return
        self._transport = stream
        if isinstance(self.gate.listener, UnixListener):
            self.peer = read_peer(stream.get_extra_info("socket"))
        self._arm(self.gate.head_timeout_s)
        self._inner = self.gate.makes()
        self._inner.connection_made(stream)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        self._has_asked = True
        if not self._in_request:
            self.received_at_s = self._loop.time()
            if not self._awaits_head:
                self._awaits_head = True
                self._arm(self.gate.head_timeout_s)
        self._inner.data_received(data)

    def eof_received(self) -> bool:
        """Whether the other half stays open. That of TLS cannot, in asyncio."""
        if self._transport is None or not self._has_asked or self._needs_client:
            return False
        if self._transport.get_extra_info("sslcontext") is not None:
            return False
        self._has_ended = True
        if not self._in_request:
            self._arm(BEGIN_TIMEOUT_S)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.gate.leave(self)
        self._cancel()
        if self._transport is not None:
            self._transport = None
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._write_timer = self._loop.call_later(self.gate.write_timeout_s, self.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        self._inner.resume_writing()

    def request_began(self) -> None:
        """A whole head has come: from here on its handler is responsible for the time."""
        self._in_request = True
        self._awaits_head = self._needs_client = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def need_client(self, needed: bool) -> None:
        """Whether what is under way makes no sense without it. Raises ProblemError where it has ended its half."""
        if needed and self._has_ended:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "this needs a client that keeps its half of the connection open")
        self._needs_client = needed

    def request_ended(self) -> None:
        """The answer is made; it and the next request have the time of a keep-alive."""
        self._in_request = self._has_asked = False
        if self._transport is not None:
            self._arm(KEEPALIVE_S)
            if self._has_ended:
                cast("web.RequestHandler", self._inner).close()  # once it has written the answer

    def abort(self) -> None:
        """Cuts the connection off without waiting for what is still to be written."""
        if self._transport is not None:
            self._transport.abort()

    def _arm(self, after_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(after_s, self.abort)

    def _cancel(self) -> None:
        for timer in (self._timer, self._write_timer):
            if timer is not None:
                timer.cancel()
