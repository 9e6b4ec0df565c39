"""Errors as the API tells them: `application/problem+json` (RFC 9457)."""

from difflib import get_close_matches
from http import HTTPStatus

import msgspec
from aiohttp import web

from lifesign.api.documents import Problem
from lifesign.text import clean

COMMON_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "lifesign"}


class ProblemError(Exception):
    """An error to answer with. `detail`: one sentence for people, without a secret."""

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def problem_response(status: HTTPStatus, detail: str = "", headers: dict[str, str] | None = None) -> web.Response:
    """The answer for an error."""
    body = Problem(title=status.phrase, status=status.value, detail=clean(detail))
    return web.Response(
        status=status.value,
        body=msgspec.json.encode(body),
        content_type="application/problem+json",
        headers={**COMMON_HEADERS, **(headers or {})},
    )


def from_http_exception(error: web.HTTPException) -> web.Response:
    """The same for an error that aiohttp found: no such route, method, or a body too large."""
    status = HTTPStatus(error.status)
    allowed = error.headers.get("Allow", "")
    headers = {"Allow": allowed} if allowed else None
    details = {
        HTTPStatus.METHOD_NOT_ALLOWED: f"this route takes {allowed}, and not what was asked for",
        HTTPStatus.NOT_FOUND: "no such route: see /api/v1/openapi.json",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a body has at most 64 KiB",
    }
    return problem_response(status, details.get(status, status.description), headers)


def unknown_component(name: str, names: list[str]) -> ProblemError:
    """404, with the nearest name."""
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return ProblemError(HTTPStatus.NOT_FOUND, f'no component "{clean(name, 80)}"{hint}')
