"""The routes that tell: health, state, history, description."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from http import HTTPStatus

from aiohttp import web

from lifesign import __version__
from lifesign.api.access import guard_of, is_full_reader
from lifesign.api.documents import Status
from lifesign.api.openapi import describe
from lifesign.api.past import Step, step_of
from lifesign.api.problems import COMMON_HEADERS, ProblemError
from lifesign.api.render import component_status
from lifesign.api.service import Service, encode
from lifesign.api.streaming import stream_events
from lifesign.core.model import ComponentState
from lifesign.text import parse_timestamp

STATUS_LIMIT_S = 0.25
_SICK = frozenset({ComponentState.DOWN, ComponentState.UNKNOWN})
_PIECE_BYTES = 65_536
_TRUE, _FALSE = frozenset({"1", "true", "yes", ""}), frozenset({"0", "false", "no"})

_UNENCODED_PLUS = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)")

_log = logging.getLogger(__name__)


class Reading:
    """Handlers of the GET routes."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._description = encode(describe(__version__))

    async def ready(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """200 while the process serves. Nothing else."""
        return json_response(b'{"ready":true}')

    async def status(self, request: web.Request) -> web.StreamResponse:
        """200, or 503 when overall is down or unknown; a monitor that is late is not to be believed."""
        try:
            overall, components = self._service.status()
        except Exception:  # noqa: BLE001 - the backend is an adapter; a monitor that cannot tell is no healthy one
            _log.exception("the monitor could not tell its state")
            overall, components = ComponentState.UNKNOWN, []
        if overall not in _SICK and is_late(request):
            overall = ComponentState.UNKNOWN
        if not is_full_reader(request):
            return json_response(encode({"overall": str(overall)}), sick=overall in _SICK)
        return json_response(encode(Status(overall=str(overall), components=components)), sick=overall in _SICK)

    async def component_status(self, request: web.Request) -> web.StreamResponse:
        """The same for one component, optional or not."""
        view = self._service.component(request.match_info["component"])
        sick = view.state in _SICK or self._service.is_stalled() or is_late(request)
        return json_response(encode(component_status(view)), sick=sick)

    async def state(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """The state document."""
        return large_response(await self._service.state_bytes(), "application/json")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The history from `since` on; with `follow`, and whatever comes."""
        since = _since(request)
        follow = request.query.get("follow", "0").lower()
        if follow not in _TRUE | _FALSE:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "`follow` is 1 or 0")
        try:
            if follow in _TRUE:
                resumed = request.headers.get("Last-Event-ID")  # how a browser goes on after a lost connection
                return await stream_events(request, self._service.journal, resumed or since)
            return json_response(encode(self._service.journal.since(since)))
        except ValueError as error:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error

    async def report(self, request: web.Request) -> web.StreamResponse:
        """Uptime and means, of all components or of one, in the usual windows or from `since` on."""
        component, since = request.query.get("component") or None, _since(request)
        try:
            since_ns = None if since is None else parse_timestamp(since)
        except (ValueError, OverflowError):
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "`since` is an RFC 3339 time with a zone") from None
        return json_response(encode(await self._service.report(component, since_ns)))

    async def past(self, request: web.Request) -> web.StreamResponse:
        """How a component stood at a change of its own."""
        return json_response(encode(await self._service.past(request.match_info["name"], _step(request))))

    async def past_incidents(self, request: web.Request) -> web.StreamResponse:
        """What was open, silenced or held then."""
        return json_response(encode(await self._service.past_incidents(_step(request))))

    async def openapi(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """What is served here."""
        return json_response(self._description)

    async def metrics(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """Everything that is a number."""
        body, kind = await self._service.metrics()
        return large_response(body, kind)


def _step(request: web.Request) -> Step:
    try:
        return step_of(request.query)
    except ValueError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None


def _since(request: web.Request) -> str | None:
    """What is asked for with `since`. The `+` of an offset that was not encoded has come as a space."""
    return _UNENCODED_PLUS.sub("+", request.query.get("since", "")) or None


def is_late(request: web.Request) -> bool:
    """Whether the answer comes so late after the request that our loop must have stalled in between."""
    return asyncio.get_running_loop().time() - guard_of(request).received_at_s > STATUS_LIMIT_S


def json_response(body: bytes, status: HTTPStatus = HTTPStatus.OK, *, sick: bool = False) -> web.Response:
    """`body` as JSON; 503 where something is sick."""
    status = HTTPStatus.SERVICE_UNAVAILABLE if sick else status
    return web.Response(status=status, body=body, content_type="application/json", headers=COMMON_HEADERS)


def large_response(body: bytes, kind: str) -> web.Response:
    """`body`, of that content type, in pieces as the client takes them.

    In one go a megabyte would be copied three times on its way, and held for each client that does not read.
    """
    headers = {**COMMON_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}
    return web.Response(body=_pieces(memoryview(body)), headers=headers)


async def _pieces(body: memoryview) -> AsyncIterator[memoryview]:
    for first in range(0, len(body), _PIECE_BYTES):
        yield body[first : first + _PIECE_BYTES]
