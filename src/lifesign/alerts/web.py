"""HTTP for sinks: one total deadline, a body cap, no redirect, no proxy and no cookie, and no secret in any message."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp

from lifesign.alerts.sink import SinkError
from lifesign.records import dataclass
from lifesign.text import clean

REQUEST_S = 15.0
MAX_BODY_BYTES = 8 * 1024 * 1024
USER_AGENT = "lifesign"
_UNIX_SECOND = re.compile("[0-9]{1,12}")
_MEANINGS = {
    401: "the token is refused",
    403: "the token may not do this",
    404: "there is no such thing there, or the token may not see it",
    410: "it is gone, or issues are switched off there",
    422: "it does not accept what it was sent",
    423: "it is archived or locked",
    429: "too many requests",
}
_Kind = TypeVar("_Kind")


class TooMuchError(SinkError):
    """An answer is longer than we read: a list is to be asked for in smaller pages."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def retry_after_s(self) -> float | None:
        """What `Retry-After` asks for, in seconds, given as such or as a date; None where it asks for neither."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdecimal() and len(text) < 8:
            return float(text)
        asked_s = _date_s(text)
        return None if asked_s is None else self.until_s(str(asked_s))

    def until_s(self, text: str) -> float | None:
        """From this answer's own date until the Unix second `text`: so our clock plays no part. At least 0."""
        told_s = _date_s(self.headers.get("date", ""))
        return max(0.0, float(text) - told_s) if told_s is not None and _UNIX_SECOND.fullmatch(text) else None

    def json(self) -> Any:
        """The body as JSON. Raises SinkError."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise SinkError(f"the answer ({self.status}) is no JSON") from None


def _date_s(text: str) -> int | None:
    """An HTTP date in Unix seconds."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, OverflowError):
        return None


def part(found: Any, name: str, kind: type[_Kind]) -> _Kind:
    """`found[name]` of an answer, where it is there and of that kind. Raises SinkError."""
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, kind):
        raise SinkError(f"an answer came back that is none by the description: {name} is missing")
    return value


class Web:
    """A client for one host. `where` in messages is the host alone: paths and queries may be secret."""

    def __init__(self, url: str) -> None:
        self.where = clean(urlsplit(url).hostname or "the host", 100)
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request. Raises SinkError where no whole answer comes; any status is an answer."""
        session = self._connected()
        try:
            async with session.request(
                method, url, data=body, headers=dict(headers or {}), allow_redirects=False
            ) as response:
                content = bytearray()
                while more := await response.content.read(65536):
                    content += more
                    if len(content) > MAX_BODY_BYTES:
                        raise TooMuchError(f"{self.where} answers more than {MAX_BODY_BYTES >> 20} MiB")
                found = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, found, bytes(content))
        except (aiohttp.InvalidURL, ValueError):
            raise SinkError("the URL cannot be used") from None
        except TimeoutError:
            raise SinkError(f"{self.where} did not answer within {REQUEST_S:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise SinkError(f"{self.where} cannot be reached: {_reason(error)}") from None
        except aiohttp.ClientError as error:
            raise SinkError(f"{self.where} broke off: {type(error).__name__}") from None

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=REQUEST_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                connector=aiohttp.TCPConnector(limit=4, force_close=True),
            )
        return self._session

    async def close(self) -> None:
        """Ends the connections. May be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            await asyncio.sleep(0)


def _reason(error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    return clean(cause.strerror or type(cause).__name__, 120)


async def send_json(web: Web, method: str, url: str, headers: Mapping[str, str], body: object = None) -> Reply:
    """One request with `body` as JSON, where there is one. Raises SinkError."""
    if body is None:
        return await web.send(method, url, headers=headers)
    with_type = {**headers, "Content-Type": "application/json"}
    return await web.send(method, url, body=json.dumps(body).encode(), headers=with_type)


def refuse(reply: Reply, where: str) -> None:
    """Raises SinkError for every status that is no success, with what it usually means."""
    if 200 <= reply.status <= 299:
        return
    meaning = "it is in trouble itself" if reply.status >= 500 else _MEANINGS.get(reply.status, "")
    if 300 <= reply.status <= 399:
        meaning = "it redirects: write the final address into the config"
    words = f"{where} answers {reply.status}" + (f": {meaning}" if meaning else "")
    raise SinkError(words, reply.retry_after_s)
