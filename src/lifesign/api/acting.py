"""The routes that do something: push heartbeats, looks on request, and the operator's actions."""

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import web

from lifesign.api.access import author, guard_of, push_authority, unauthorized
from lifesign.api.bodies import OperatorWords, parse_push, parse_words
from lifesign.api.documents import Status
from lifesign.api.problems import ProblemError, unknown_component
from lifesign.api.reading import json_response
from lifesign.api.render import component_document
from lifesign.api.routes import EVERY_COMPONENT, FOR_EVERY_COMPONENT, NEEDS_REASON_AND_DURATION
from lifesign.api.service import Service, encode
from lifesign.core.commands import (
    Acknowledge,
    Hold,
    NotPossibleError,
    OperatorCommand,
    Pause,
    Rearm,
    Release,
    RestartNow,
    Resume,
    Silence,
    Unsilence,
)
from lifesign.core.model import NS_PER_S
from lifesign.core.restart import Phase

BODY_TIMEOUT_S = 10.0
KEPT_OFF_WITHIN_S = 1.0
_WITHOUT_DURATION: Mapping[str, Callable[[str, str, str], OperatorCommand]] = {
    "restart": RestartNow,
    "unsilence": Unsilence,
    "ack": Acknowledge,
    "pause": Pause,
    "resume": Resume,
    "rearm": Rearm,
}


class Acting:
    """Handlers of the POST routes. `action` is the route's."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def push(self, request: web.Request, action: str) -> web.StreamResponse:
        """Takes a beat, a failure or the start of a job for the component's push checks."""
        name = request.match_info["name"]
        token = push_authority(request)
        if token is None:
            self._service.component(name)
        observation = parse_push(await read_body(request), time.time_ns(), failed=action == "fail")
        backend = self._service.backend
        taken = backend.started(name, token) if action == "start" else backend.push(name, token, observation)
        if not taken and token is not None:
            raise unauthorized("this token opens no push check of this component")
        if not taken:
            raise ProblemError(HTTPStatus.CONFLICT, f"component {name} has no push check")
        self._service.forget_state()
        return json_response(b'{"accepted":true}')

    async def probe(self, request: web.Request, action: str) -> web.StreamResponse:  # noqa: ARG002
        """Looks at every check of the component now; answers with what it found."""
        name = request.match_info["name"]
        self._service.component(name)
        words = parse_words(await read_body(request), needs_reason_and_duration=False)
        try:
            await self._service.backend.probe(name, author(request, words.author))
        except NotPossibleError as error:
            raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
        self._service.forget_state()
        return json_response(encode(component_document(self._service.component(name))))

    async def act(self, request: web.Request, action: str) -> web.StreamResponse:
        """Does what the operator asks; answers with the component's new state, 202 where that is only begun."""
        name = request.match_info["name"]
        everything = name == EVERY_COMPONENT and action in FOR_EVERY_COMPONENT
        if not everything:
            self._service.component(name)
        words = parse_words(await read_body(request), needs_reason_and_duration=action in NEEDS_REASON_AND_DURATION)
        known = 0 if everything else self._newest_restart(name)
        try:
            self._service.backend.act(command_of(action, name, author(request, words.author), words))
        except NotPossibleError as error:
            raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
        except KeyError:
            raise unknown_component(name, []) from None
        if action == "restart" and (reason := await self._kept_off(name, known)):
            raise ProblemError(HTTPStatus.CONFLICT, reason)
        self._service.forget_state()
        if everything:
            overall, components = self._service.status()
            return json_response(encode(Status(overall=str(overall), components=components)))
        body = encode(component_document(self._service.component(name)))
        return json_response(body, HTTPStatus.ACCEPTED if action == "restart" else HTTPStatus.OK)

    def _newest_restart(self, name: str) -> int:
        restart = self._service.component(name).restart
        return max((made.attempt for made in restart.history), default=0) if restart is not None else 0

    async def _kept_off(self, name: str, known: int) -> str:
        """Why the restart that was just asked for is not made; empty where it is made, or not yet known after a second.

        Whom it would hit is found out first, and by then it may turn out that nobody may be hit.
        """
        deadline_s = time.monotonic() + KEPT_OFF_WITHIN_S
        while time.monotonic() < deadline_s:
            restart = self._service.component(name).restart
            if restart is None or restart.phase is not Phase.RESTARTING:
                made = restart is None or any(made.attempt > known for made in restart.history)
                return "" if made or restart is None or restart.phase is Phase.VERIFYING else restart.withheld
            await asyncio.sleep(0.02)
        return ""


def command_of(action: str, component: str, author: str, words: OperatorWords) -> OperatorCommand:
    """The route's action as the core knows it; `words` are complete for it."""
    reason, duration_ns = words.reason or "", round((words.duration_s or 0) * NS_PER_S)
    match action:
        case "silence":
            return Silence(component, author, max(duration_ns, 1), reason)
        case "hold":
            return Hold(None if component == EVERY_COMPONENT else component, author, max(duration_ns, 1), reason)
        case "release":
            return Release(None if component == EVERY_COMPONENT else component, author, reason)
        case _:
            return _WITHOUT_DURATION[action](component, author, reason)


async def read_body(request: web.Request) -> bytes:
    """The body, at most 64 KiB, within 10 s."""
    guard = guard_of(request)
    guard.need_client(not request.content.is_eof())
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time") from None
    finally:
        guard.need_client(False)
