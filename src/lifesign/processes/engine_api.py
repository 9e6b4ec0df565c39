"""One question to Docker's Engine API over its UNIX socket. Every answer has a deadline and a limit.

Not here: what a container's state means, to a check or to a restart.
"""

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lifesign.text import clean

_SOCKET = "/var/run/docker.sock"
_MOST_BYTES = 1 << 20
_API = "/v1.40"  # Docker 19.03 and everything after it; podman too


class EngineError(Exception):
    """The answer's status and its message, or status 0 and why there was no answer."""

    def __init__(self, status: int, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.timed_out = timed_out


class NoSocketError(EngineError):
    """There is no UNIX socket to ask over."""


def socket_path(environ: Mapping[str, str] = os.environ) -> str:
    """Where Docker listens: `DOCKER_HOST=unix://…`, else its usual place. Raises NoSocketError for another kind."""
    host = environ.get("DOCKER_HOST", "")
    if not host:
        return _SOCKET
    if not host.startswith("unix:///"):
        raise NoSocketError(0, "DOCKER_HOST names no UNIX socket, and nothing else is spoken here")
    return host.removeprefix("unix://")


async def ask(method: str, path: str, query: Mapping[str, str], timeout_s: float) -> bytes:
    """The body of a good answer, at most a mebibyte of it. Raises EngineError."""
    import aiohttp  # here, because it takes longer to load than a whole check

    socket = socket_path()
    try:
        connector = aiohttp.UnixConnector(path=socket)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                headers={"Accept-Encoding": "identity"},
                auto_decompress=False,
            ) as session,
            session.request(method, f"http://docker{_API}{path}", params=query, allow_redirects=False) as response,
        ):
            body = await _limited(response.content)
            if response.status >= 300:
                raise EngineError(response.status, _message(body))
            return body
    except TimeoutError:
        raise EngineError(0, f"no answer in {timeout_s:g} s", timed_out=True) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "it cannot be reached"
        raise EngineError(0, f"{clean(socket, 120)}: {reason}") from None
    except aiohttp.ClientError as error:
        raise EngineError(0, f"its answer is none of an Engine API ({type(error).__name__})") from None


async def _limited(content: Any) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(65536):
        body += chunk
        if len(body) > _MOST_BYTES:
            raise EngineError(0, "its answer is larger than 1 MiB")
    return bytes(body)


def _message(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    message = told.get("message") if isinstance(told, dict) else None
    return clean(str(message or "no reason given"), 200)


def container_path(container: str, action: str) -> str:
    """The path of one container; its name cannot become another path."""
    return f"/containers/{quote(container, safe='')}/{action}"
