"""Deciding each request before its handler sees it: host, origin, uid, token. The one middleware of the server.

It also turns every error into a problem document and tells the connection's guard when a request begins and ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from lifesign.api.guard import Guard
from lifesign.api.problems import ProblemError, from_http_exception, problem_response
from lifesign.api.routes import ROUTES, Access
from lifesign.api.security import Listener, TcpListener, UnixListener, author_of, bearer, is_same_origin, signed

_log = logging.getLogger(__name__)
_ACCESS = {(route.method, route.path): route.access for route in ROUTES}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every request goes through here."""
    try:
        guard = guard_of(request)
    except ConnectionError:
        return problem_response(HTTPStatus.BAD_REQUEST)
    guard.request_began()
    try:
        _admit(request, guard)
        return await handler(request)
    except ProblemError as error:
        response = problem_response(error.status, error.detail, error.headers)
        if error.status in {HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT}:
            response.force_close()
        return response
    except web.HTTPException as error:
        return from_http_exception(error)
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:  # noqa: BLE001 - the backend is an adapter: its fault must not end the connection without an answer
        _log.exception("the API failed to answer %s %s", request.method, request.path)
        return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "the monitor's log tells why")
    finally:
        guard.request_ended()


def guard_of(request: web.Request) -> Guard:
    """The guard of the request's connection. Raises ConnectionError where that is gone."""
    protocol = None if request.transport is None else request.transport.get_protocol()
    if not isinstance(protocol, Guard):
        raise ConnectionResetError("the client is gone")
    return protocol


def listener_of(request: web.Request) -> Listener:
    """The listener by which the request came."""
    return guard_of(request).gate.listener


def _admit(request: web.Request, guard: Guard) -> None:
    match guard.gate.listener:
        case UnixListener() as listener:
            if not listener.admits(guard.peer):
                raise ProblemError(HTTPStatus.FORBIDDEN, "this socket is for its owner and its group")
        case TcpListener() as listener:
            _admit_tcp(request, listener)


def _admit_tcp(request: web.Request, listener: TcpListener) -> None:
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not listener.serves_host(hosts[0]):
        raise ProblemError(HTTPStatus.FORBIDDEN, "this Host is not served: see [http] allowed_hosts")
    origins = request.headers.getall("Origin", [])
    if any(not is_same_origin(origin, hosts[0]) for origin in origins):
        raise ProblemError(HTTPStatus.FORBIDDEN, "a foreign Origin is refused")
    _admit_token(access_of(request), listener, bearer(request.headers.get("Authorization")))


def _admit_token(access: Access | None, listener: TcpListener, token: str | None) -> None:
    match access:
        case Access.OPEN | None:
            return
        case Access.READ:
            if listener.off_loopback and not listener.trusts(token):
                raise unauthorized("this needs the token of [http]")
        case Access.PUSH:
            if token is None:
                raise unauthorized("a beat over TCP needs the token of its push check or of [http]")
        case Access.ACT:
            if listener.token is None:
                raise ProblemError(HTTPStatus.FORBIDDEN, "set [http] token to act over TCP, or use the UNIX socket")
            if not listener.trusts(token):
                raise unauthorized("an action over TCP needs the token of [http]")


def access_of(request: web.Request) -> Access | None:
    """What the route asks of the client; None where there is no such route."""
    resource = request.match_info.route.resource
    method = "GET" if request.method == "HEAD" else request.method
    return None if resource is None else _ACCESS.get((method, resource.canonical))


def unauthorized(detail: str) -> ProblemError:
    """401, as HTTP words it."""
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})


def is_full_reader(request: web.Request) -> bool:
    """Whether a client may see more than `overall`: everybody but one from off loopback without the token."""
    listener = listener_of(request)
    if isinstance(listener, UnixListener) or not listener.off_loopback:
        return True
    return listener.trusts(bearer(request.headers.get("Authorization")))


def push_authority(request: web.Request) -> str | None:
    """The push check's token that the client shows; None for one who may give beats to all."""
    listener = listener_of(request)
    token = bearer(request.headers.get("Authorization"))
    if isinstance(listener, UnixListener) or listener.trusts(token):
        return None
    return token or ""


def author(request: web.Request, told: str | None) -> str:
    """Who acts: the socket proves it; over TCP the token's holder says it."""
    peer = guard_of(request).peer
    return told or "somebody over TCP" if peer is None else signed(told, author_of(peer.uid))
