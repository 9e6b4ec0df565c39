"""The daemon's API over its UNIX socket and over TCP: listeners that open, serve and close.

Not here: what is answered (`api.reading`, `api.acting`), and to whom (`api.access`, `api.security`).
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from lifesign.api.access import guarded
from lifesign.api.acting import Acting
from lifesign.api.backend import Backend
from lifesign.api.guard import Gate
from lifesign.api.journal import Journal
from lifesign.api.problems import problem_response
from lifesign.api.reading import Reading
from lifesign.api.routes import ROUTES, Answer, Route
from lifesign.api.security import Listener, TcpListener, UnixListener, is_loopback
from lifesign.api.service import Service
from lifesign.api.sockets import group_id_of
from lifesign.api.unix_door import UnixDoor

MAX_BODY_BYTES = 64 * 1024
_CLOSE_TIMEOUT_S = 0.5
_TLS_HANDSHAKE_S = 5.0
_MAX_LINE_BYTES = 4096
_MAX_HEADERS = 64

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiServer:
    """One API on any number of listeners. Everything runs on the loop that calls `start_unix` or `start_tcp`."""

    def __init__(self, backend: Backend, journal: Journal) -> None:
        self._journal = journal
        self._app = _application(Service(backend, journal))
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=_CLOSE_TIMEOUT_S)
        self._servers: list[asyncio.Server] = []
        self._gates: list[Gate] = []
        self._door: UnixDoor | None = None

    async def start_unix(self, path: Path, group: str | None = None) -> None:
        """Serves on the UNIX socket `path`, mode 0600, or 0660 with `group` (its name or number).

        Raises SocketInUseError where another daemon serves there, ValueError for an unknown group, OSError.
        """
        group_id = group_id_of(group)
        self._door = UnixDoor(path, group_id, await self._gate(UnixListener(group_id)))
        await self._door.open()

    @property
    def has_lost_its_socket(self) -> bool:
        """Whether the UNIX socket's file was taken away, so that nobody finds it."""
        return self._door is not None and not self._door.stands

    async def reopen_unix(self) -> None:
        """Serves anew on the UNIX socket whose file was taken away. Raises SocketInUseError, OSError."""
        assert self._door is not None
        await self._door.open()

    async def start_tcp(
        self,
        host: str,
        port: int,
        *,
        token: str | None = None,
        allowed_hosts: Iterable[str] = ("127.0.0.1", "localhost"),
        ssl_context: ssl.SSLContext | None = None,
    ) -> tuple[str, int]:
        """Serves on TCP and returns the first address bound; port 0 takes a free one.

        Raises ValueError where the address is off loopback and no token is set, OSError where it cannot be bound.
        """
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, port, type=1)
        off_loopback = not all(is_loopback(str(info[4][0])) for info in infos)
        if off_loopback and not token:
            raise ValueError(f"[http] listen = {host}:{port} is off loopback: set [http] token")
        gate = await self._gate(TcpListener(token or None, _host_names(allowed_hosts), off_loopback))
        server = await loop.create_server(
            gate,
            [str(info[4][0]) for info in infos],
            port,
            reuse_address=True,
            ssl=ssl_context,
            ssl_handshake_timeout=None if ssl_context is None else _TLS_HANDSHAKE_S,
        )
        self._servers.append(server)
        address = server.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    def change_tcp(self, *, token: str | None, allowed_hosts: Iterable[str]) -> None:
        """From the next request on each TCP listener asks for this token and answers to these hosts."""
        for gate in self._gates:
            if isinstance(gate.listener, TcpListener):
                gate.listener = replace(gate.listener, token=token or None, allowed_hosts=_host_names(allowed_hosts))

    async def close(self) -> None:
        """Ends every listener and connection within 2 s, streams first, and removes the socket file. Idempotent."""
        if self._door is not None:
            self._door.close()
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._journal.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3 * _CLOSE_TIMEOUT_S):
                await self._runner.cleanup()
        for gate in self._gates:
            gate.abort_all()
        self._gates.clear()

    async def _gate(self, listener: Listener) -> Gate:
        if self._runner.server is None:
            await self._runner.setup()
        server = self._runner.server
        assert server is not None
        gate = Gate(listener, partial(_talk, server))
        self._gates.append(gate)
        return gate


def _host_names(allowed: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower().removeprefix("[").removesuffix("]") for name in allowed)


def _application(service: Service) -> web.Application:
    app = web.Application(middlewares=[guarded], client_max_size=MAX_BODY_BYTES)
    reading, acting = Reading(service), Acting(service)
    for route in ROUTES:
        handler = _handler(route, reading, acting)
        if route.method == "GET":
            app.router.add_get(route.path, handler, allow_head=route.answer is not Answer.EVENTS)
        else:
            app.router.add_route(route.method, route.path, handler)
    return app


def _handler(route: Route, reading: Reading, acting: Acting) -> Handler:
    handlers: dict[Answer, Handler] = {
        Answer.READY: reading.ready,
        Answer.STATUS: reading.status,
        Answer.COMPONENT_STATUS: reading.component_status,
        Answer.STATE: reading.state,
        Answer.EVENTS: reading.events,
        Answer.REPORT: reading.report,
        Answer.PAST: reading.past,
        Answer.PAST_INCIDENTS: reading.past_incidents,
        Answer.OPENAPI: reading.openapi,
        Answer.METRICS: reading.metrics,
        Answer.BEAT: partial(acting.push, action=route.action),
        Answer.COMPONENT: partial(acting.probe if route.action == "probe" else acting.act, action=route.action),
    }
    return handlers[route.answer]


class _Talk(web.RequestHandler):
    """One connection, as aiohttp holds it, but what it cannot parse is answered in the form of every other error."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A problem document. Raises ConnectionError where a part of an answer is out already."""
        super().handle_error(request, status, exc, message)
        response = problem_response(HTTPStatus(status), message or "")
        response.force_close()
        return response


def _talk(server: web.Server) -> _Talk:
    return _Talk(
        server,
        loop=asyncio.get_running_loop(),
        access_log=None,  # type: ignore[arg-type]  # none, which aiohttp's own runner passes on like this too
        auto_decompress=False,  # nobody needs it, and a compressed body is a bomb
        keepalive_timeout=3600,  # the guard's own is shorter and cannot be postponed
        logger=_quiet_logger(),
        max_line_size=_MAX_LINE_BYTES,
        max_field_size=_MAX_LINE_BYTES,
        max_headers=_MAX_HEADERS,
        lingering_time=1.0,
    )


class _ClientFaultFilter(logging.Filter):
    """What a client sends is no error of ours, nor that it leaves: told at debug, so that nobody can fill our log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], (HttpProcessingError, ConnectionError)):
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
            return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)
        return True


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger("lifesign.api.http")
    if not any(isinstance(known, _ClientFaultFilter) for known in logger.filters):
        logger.addFilter(_ClientFaultFilter())
    return logger
