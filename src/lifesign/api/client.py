"""A small synchronous client of a daemon's API: it starts fast and trusts no answer.

One connection a call, so that a client may be used by several threads. Whatever answers, the size read, the time
waited and the characters handed on are bounded. Not here: retries, and where a daemon is (`api.address`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from lifesign.api.address import socket_path
from lifesign.api.answer import decode, decode_state, problem
from lifesign.api.documents import Component, ComponentStatus, EventDocument, Events, State, Status
from lifesign.api.exchange import BadHttp, Response, receive, send
from lifesign.api.failures import BadAnswer, ClientError, ProblemAnswer, Refused, TimedOut, Unreachable
from lifesign.api.past import Past, Step
from lifesign.api.past_incidents import PastIncidents
from lifesign.api.report_documents import Report
from lifesign.api.routes import EVERY_COMPONENT
from lifesign.api.wire import AnySocket, release_deadline, tcp_socket, unix_socket
from lifesign.records import dataclass
from lifesign.text import clean

if TYPE_CHECKING:
    import ssl

__all__ = [
    "BadAnswer",
    "Client",
    "ClientError",
    "ProblemAnswer",
    "Refused",
    "Reply",
    "TimedOut",
    "Unreachable",
    "socket_path",
]

MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024
STREAM_IDLE_S = 45.0  # three missed keep-alives

_Document = TypeVar("_Document", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it came: any status, the whole body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Client:
    """The API of one daemon. `target` is `unix:PATH`, `http://host:port` or `https://host:port`."""

    target: str
    timeout_s: float = 5.0
    token: str | None = field(default=None, repr=False)
    path: Path | None = None
    host: str = ""
    port: int = 0
    tls: "ssl.SSLContext | None" = None

    @classmethod
    def connect(cls, target: str, timeout_s: float = 5.0, token: str | None = None) -> "Client":
        """A client of `target`; nothing is sent yet. `timeout_s` bounds each whole call.

        Raises ValueError with a sentence for the user where `target` is none of the three kinds.
        """
        if target.startswith("unix:"):
            return cls(target, timeout_s, token, path=Path(target.removeprefix("unix:")))
        parts = urlsplit(target)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError(f"{clean(target, 80)!r}: write unix:PATH, http://host:port, https://host:port, ssh://host")
        tls = _tls() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        return cls(target, timeout_s, token, host=parts.hostname, port=port, tls=tls)

    @classmethod
    def of_state_dir(cls, state_dir: Path, timeout_s: float = 5.0) -> "Client":
        """A client of the daemon that keeps its state in `state_dir`."""
        return cls.connect(f"unix:{socket_path(state_dir)}", timeout_s)

    def state(self) -> State:
        """The state document. Raises BadAnswer where the daemon speaks another schema."""
        return decode_state(self._success("GET", "/api/v1/state").body)

    def status(self) -> tuple[int, Status]:
        """The answer of `/api/health/status`: 200 or 503, and the status document."""
        reply = self.get("/api/health/status")
        return reply.status, _status(reply, Status)

    def component_status(self, name: str) -> tuple[int, ComponentStatus]:
        """The same for one component. Raises ProblemAnswer 404 where there is none of that name."""
        reply = self.get(f"/api/health/status/{quote(name, safe='')}")
        return reply.status, _status(reply, ComponentStatus)

    def ready(self) -> bool:
        """Whether a daemon serves there at all. Raises only Refused, TimedOut and BadAnswer."""
        try:
            return self.get("/api/health/ready").status == HTTPStatus.OK
        except Unreachable:
            return False

    def probe(self, component: str) -> Component:
        """Looks at every check of `component` now; the component as it stands afterwards."""
        return self.act(component, "probe")

    def act(
        self,
        component: str,
        action: str,
        *,
        author: str | None = None,
        reason: str | None = None,
        duration_s: float | None = None,
    ) -> Component:
        """Does one of the operator's actions (contract, section 6); the component as it stands afterwards.

        Raises ProblemAnswer: 404 where there is no such component, 409 where it is not possible now, 422.
        """
        return decode(self._post_action(component, action, author, reason, duration_s), Component)

    def act_on_all(
        self, action: str, *, author: str | None = None, reason: str | None = None, duration_s: float | None = None
    ) -> Status:
        """Holds or releases every component as one; raises as `act`."""
        return decode(self._post_action(EVERY_COMPONENT, action, author, reason, duration_s), Status)

    def _post_action(
        self, component: str, action: str, author: str | None, reason: str | None, duration_s: float | None
    ) -> bytes:
        words = {"author": author, "reason": reason, "duration_s": duration_s}
        path = f"/api/v1/components/{quote(component, safe='')}/{action}"
        return self._success("POST", path, {name: word for name, word in words.items() if word is not None}).body

    def events(self, since: str | None = None) -> Events:
        """The history from `since` on, an RFC 3339 time or the `next` of an earlier answer."""
        query = f"?{urlencode({'since': since})}" if since else ""
        return decode(self._success("GET", f"/api/v1/events{query}").body, Events)

    def report(self, component: str | None = None, since: str | None = None) -> Report:
        """Uptime and means, of all components or of one, in the usual windows or from an RFC 3339 time on."""
        asked = {"component": component, "since": since}
        query = urlencode({name: word for name, word in asked.items() if word is not None})
        return decode(self._success("GET", f"/api/v1/report?{query}").body, Report)

    def past(self, component: str, step: Step) -> Past:
        """How `component` stood at a change of its own; raises ProblemAnswer as `act`."""
        path = f"/api/v1/components/{quote(component, safe='')}/past"
        return decode(self._success("GET", f"{path}?{urlencode(step.query())}").body, Past)

    def past_incidents(self, step: Step) -> PastIncidents:
        """What was open, silenced or held at a turn of it."""
        return decode(self._success("GET", f"/api/v1/incidents/past?{urlencode(step.query())}").body, PastIncidents)

    def follow_events(self, since: str | None = None) -> Iterator[EventDocument]:
        """Every event from `since` (default: from now) until the daemon ends. Close it with `.close()`.

        It raises TimedOut after 45 s without a sign of life, and ends when the daemon does.
        """
        query = {"follow": "1"} | ({"since": since} if since else {})
        with self._exchange("GET", f"/api/v1/events?{urlencode(query)}", None) as (sock, response):
            if response.status != HTTPStatus.OK:
                raise problem(response.status, _body(response))
            release_deadline(sock, STREAM_IDLE_S)
            while line := _line(response):
                if len(line) > MAX_EVENT_BYTES:
                    raise BadAnswer(f"{self.target} sends an event without end")
                if line.startswith(b"data:"):
                    yield decode(line.removeprefix(b"data:").strip(), EventDocument)

    def get(self, path: str) -> Reply:
        """A raw GET of `path`; any status is an answer."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Any = None) -> Reply:
        """A raw POST of `body` as JSON; any status is an answer."""
        return self._call("POST", path, {} if body is None else body)

    def _success(self, method: str, path: str, body: Any = None) -> Reply:
        reply = self._call(method, path, body)
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            raise problem(reply.status, reply.body)
        return reply

    def _call(self, method: str, path: str, body: Any) -> Reply:
        with self._exchange(method, path, body) as (_, response):
            return Reply(response.status, _body(response))

    @contextmanager
    def _exchange(self, method: str, path: str, body: Any) -> Iterator[tuple[AnySocket, Response]]:
        """One request, and every way in which the transport can fail turned into a ClientError."""
        data = None if body is None else msgspec.json.encode(body)
        try:
            with self._connected() as sock, sock.makefile("rb") as reader:
                self._send(sock, method, path, data)
                yield sock, receive(reader)
        except ClientError:
            raise
        except TimeoutError as error:
            raise TimedOut(f"{self.target} does not answer within {self.timeout_s:g} s") from error
        except UnicodeError as error:
            raise Unreachable(f"{self.target} is no name of a host") from error
        except BadHttp as error:
            raise BadAnswer(f"{self.target} gave no proper HTTP answer: {error}") from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise BadAnswer(f"{self.target} gave no proper HTTP answer ({type(error).__name__})") from error
        except PermissionError as error:
            raise Refused(f"{self.target}: permission denied") from error
        except OSError as error:
            raise self._failed(error) from error

    def _send(self, sock: AnySocket, method: str, path: str, data: bytes | None) -> None:
        headers = self._headers(data)
        try:
            with suppress(BrokenPipeError):  # a refusal may come, and the connection close, before all is sent
                send(sock, method, path, headers, data)
        except ValueError as error:
            raise Refused("the token has signs that no HTTP header can have") from error

    def _failed(self, error: OSError) -> ClientError:
        if self.tls is not None:
            import ssl

            if isinstance(error, ssl.SSLError):
                return BadAnswer(f"{self.target}: TLS failed: {clean(error.reason or 'unknown reason', 120)}")
        return Unreachable(f"{self.target}: {clean(error.strerror or str(error), 120)}")

    def _connected(self) -> AnySocket:
        if self.path is not None:
            return unix_socket(self.path, self.timeout_s)
        return tcp_socket(self.host, self.port, self.timeout_s, self.tls)

    def _headers(self, body: Any) -> dict[str, str]:
        headers = {"Host": self._authority(), "Connection": "close", "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def _authority(self) -> str:
        if self.path is not None:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def _tls() -> "ssl.SSLContext":
    import ssl

    return ssl.create_default_context()


def _line(response: Response) -> bytes:
    """The next line of a stream; empty at its end, orderly or not."""
    try:
        return response.body.readline(MAX_EVENT_BYTES + 1)
    except (BadHttp, ConnectionResetError):
        return b""


def _status(reply: Reply, kind: type[_Document]) -> _Document:
    if reply.status not in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}:
        raise problem(reply.status, reply.body)
    return decode(reply.body, kind)


def _body(response: Response) -> bytes:
    if response.length is None or response.length <= MAX_BODY_BYTES:
        body = response.body.read(MAX_BODY_BYTES + 1 if response.length is None else response.length)
        if len(body) <= MAX_BODY_BYTES:
            return body
    raise BadAnswer(f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB")
