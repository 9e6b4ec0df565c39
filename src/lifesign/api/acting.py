"""The routes that do something: push heartbeats, looks on request, and the operator's actions."""

import asyncio
import time
from http import HTTPStatus

from aiohttp import web

from lifesign.api.access import author, push_authority, unauthorized
from lifesign.api.bodies import parse_push, parse_words
from lifesign.api.problems import ProblemError
from lifesign.api.reading import json_response
from lifesign.api.render import component_document
from lifesign.api.routes import NEEDS_REASON_AND_DURATION
from lifesign.api.service import Service, encode

BODY_TIMEOUT_S = 10.0


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
        await self._service.backend.probe(name, author(request, words.author))
        self._service.forget_state()
        return json_response(encode(component_document(self._service.component(name))))

    async def not_built(self, request: web.Request, action: str) -> web.StreamResponse:
        """An action of the contract that this version does not have: refused after everything that may be wrong."""
        self._service.component(request.match_info["name"])
        parse_words(await read_body(request), needs_reason_and_duration=action in NEEDS_REASON_AND_DURATION)
        raise ProblemError(HTTPStatus.NOT_IMPLEMENTED, f"{action} is not built in this version")


async def read_body(request: web.Request) -> bytes:
    """The body, at most 64 KiB, within 10 s."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time") from None
