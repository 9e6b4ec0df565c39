"""A forge over HTTP that is as strict as its published description: what the two dialects have in common.

It was written from the descriptions that Gitea, Forgejo and GitHub publish, before its author had read the clients: the
two must not agree by accident. It holds one repository with its tickets, labels and people, refuses whatever the
description does not name, and remembers that as a complaint, so that a test can ask for there being none.
Faults are put in front of it (the request never counts) or behind it (the work is done, and the answer is lost).
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import web

Check = Callable[[Any], bool]
MAKES = "POST .*/issues$"  # of a fault: the request that makes an issue


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def is_list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def is_moment(value: object) -> bool:
    return (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", value) is not None
    )


@dataclass(frozen=True, slots=True)
class Form:
    """The keys that a request's body may have, how each is judged, and those it must have."""

    name: str
    keys: Mapping[str, Check]
    required: frozenset[str] = frozenset()

    def faults_of(self, body: object) -> str:
        """Why this body is refused; empty when it is not."""
        if not isinstance(body, dict):
            return f"{self.name}: an object is wanted"
        if unknown := body.keys() - self.keys.keys():
            return f"{self.name}: unknown {sorted(unknown)}"
        if missing := self.required - body.keys():
            return f"{self.name}: {sorted(missing)} Required"
        wrong = sorted(key for key, value in body.items() if not self.keys[key](value))
        return f"{self.name}: cannot read {wrong}" if wrong else ""


class RefusedError(Exception):
    """The forge says no, with this status and message."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.more = status, message, more


@dataclass(slots=True)
class Fault:
    """One answer gone wrong, `times` times, for the requests whose "METHOD /path" the pattern is found in.

    `before` refuses the request; `after` does what was asked, and loses the answer. A status of 0 drops the connection.
    """

    status: int
    pattern: str = ""
    when: Literal["before", "after"] = "before"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"message":"trouble"}'
    content_type: str = "application/json"
    times: int = 1_000_000
    hit: int = 0

    def meets(self, request: web.Request, when: str) -> bool:
        wanted = self.when == when and self.hit < self.times
        return wanted and re.search(self.pattern, f"{request.method} {request.path}") is not None


@dataclass(slots=True)
class Note:
    """A comment."""

    id: int
    body: str
    author: str
    at: datetime
    edits: int = 0


@dataclass(slots=True)
class Ticket:
    """An issue, or a pull request, which the forge keeps in the same list."""

    number: int
    title: str
    body: str
    author: str
    created: datetime
    updated: datetime
    closed: datetime | None = None
    labels: list[int] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    is_pull: bool = False
    locked: bool = False


class StrictForge(ABC):
    """One repository behind HTTP. `prefix` is the path that its API lives below."""

    prefix = ""
    owner, name, token, user = "team", "nexus", "canary-5ecre7-t0ken", "watchdog-bot"

    def __init__(self) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.labels: dict[int, str] = {}
        self.people = {self.user, "oncall"}
        self.former = {"team/old"}
        self.deleted: set[int] = set()
        self.can_write, self.archived, self.has_issues = True, False, True
        self.faults: list[Fault] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.url = ""
        self._last_id = 100
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self._serve])
        app.router.add_route("*", "/{path:.*}", self._nowhere)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # What a test asks and does beside the API.

    @property
    def issues(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets.values() if not ticket.is_pull]

    @property
    def open(self) -> list[int]:
        return [ticket.number for ticket in self.issues if ticket.closed is None]

    def names(self, ticket: Ticket) -> list[str]:
        return [self.labels[label] for label in ticket.labels]

    def file(self, title: str, body: str = "", *, labels: tuple[str, ...] = (), is_pull: bool = False) -> Ticket:
        """A human files a ticket."""
        ids = [self.label_id(name) or self.add_label(name) for name in labels]
        made = self.add_ticket(title, body, author="human", labels=ids)
        made.is_pull = is_pull
        return made

    def delete(self, number: int) -> None:
        del self.tickets[number]
        self.deleted.add(number)

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def label_id(self, name: str) -> int | None:
        return next((key for key, known in self.labels.items() if known.lower() == name.lower()), None)

    def add_label(self, name: str) -> int:
        made = self.next_id()
        self.labels[made] = name
        return made

    def add_ticket(self, title: str, body: str, *, author: str, labels: list[int]) -> Ticket:
        number = len(self.tickets) + len(self.deleted) + 1
        made = Ticket(number, title, body, author, self.now(), self.now(), labels=list(labels))
        self.tickets[number] = made
        return made

    def add_note(self, ticket: Ticket, body: str) -> Note:
        made = Note(self.next_id(), body, self.user, self.now())
        ticket.notes.append(made)
        ticket.updated = self.now()
        return made

    # The way of a request.

    @staticmethod
    async def _nowhere(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    @web.middleware
    async def _serve(self, request: web.Request, handler: Any) -> web.StreamResponse:
        body = await request.text()
        self.requests.append(f"{request.method} {request.path_qs}\n{body}")
        if (fault := self._fault(request, "before")) is not None:
            return self._spoilt(request, fault)
        try:
            answer = self._dispatch(request, body)
        except RefusedError as no:
            answer = self.refusal(no)
        if (fault := self._fault(request, "after")) is not None:
            return self._spoilt(request, fault)
        return answer

    def _dispatch(self, request: web.Request, text: str) -> web.Response:
        if not request.path.startswith(self.prefix + "/"):
            raise RefusedError(404, "no API here")  # a stranger at this port is no complaint; a client's test fails
        self.admit(request)
        path = request.path.removeprefix(self.prefix)
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", path)
        if found is None:
            return self.elsewhere(request, path)
        if found[1] in self.former:
            return self.moved(request, f"{self.prefix}/repos/{self.owner}/{self.name}{found[2] or ''}")
        if found[1] != f"{self.owner}/{self.name}":
            raise RefusedError(404, "The target couldn't be found.")
        return self.answer(request, found[2] or "", self._body(request, text))

    def _body(self, request: web.Request, text: str) -> Any:
        if request.method in {"GET", "DELETE"}:
            if text:
                raise self.complain(400, f"a {request.method} with a body")
            return None
        if request.content_type != "application/json":
            raise self.complain(422, f"Unsupported Content-Type {request.content_type}")
        try:
            return json.loads(text)
        except ValueError:
            raise self.complain(400, "problems parsing JSON") from None

    def complain(self, status: int, message: str) -> RefusedError:
        """The client did what the description does not allow: refused, and remembered."""
        self.complaints.append(message)
        return RefusedError(status, message)

    def check_query(self, request: web.Request, known: Mapping[str, str]) -> dict[str, str]:
        """The query, every key of it known and every value of the published form."""
        if len(request.query) != len(set(request.query)):
            raise self.complain(422, f"a key given twice: {request.query_string}")
        for key, value in request.query.items():
            if key not in known:
                raise self.complain(422, f"unknown query key {key}")
            if re.fullmatch(known[key], value) is None:
                raise self.complain(422, f"query {key}={value}")
        return dict(request.query)

    def _fault(self, request: web.Request, when: str) -> Fault | None:
        found = next((fault for fault in self.faults if fault.meets(request, when)), None)
        if found is not None:
            found.hit += 1
        return found

    def _spoilt(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.status == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(
            status=fault.status or 500, text=fault.body, headers=fault.headers, content_type=fault.content_type
        )

    # What the dialects decide.

    @abstractmethod
    def admit(self, request: web.Request) -> None:
        """Refuses who does not authenticate as published."""

    @abstractmethod
    def refusal(self, no: RefusedError) -> web.Response: ...

    @abstractmethod
    def moved(self, request: web.Request, path: str) -> web.Response: ...

    @abstractmethod
    def elsewhere(self, request: web.Request, path: str) -> web.Response:
        """A path outside of any repository."""

    @abstractmethod
    def answer(self, request: web.Request, path: str, body: Any) -> web.Response:
        """What this method on this path below the repository does."""
