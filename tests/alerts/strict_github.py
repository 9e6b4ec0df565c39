"""GitHub's dialect, from its published REST description (2022-11-28), as an Enterprise server below /api/v3 speaks it.

What is told there beside the routes is modelled too: labels by name, made on demand; labels and assignees left out
without a word for who may not push; pull requests in the list of issues; 410 for what was deleted; 307 for a request
that changes something in a renamed repository, 301 for one that reads.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.alerts.strict_forge import Form, Note, RefusedError, StrictForge, Ticket, is_list_of, is_number, is_text

_ISSUE = {
    "title": lambda value: is_text(value) or is_number(value),
    "body": is_text,
    "assignee": lambda value: value is None or is_text(value),
    "assignees": is_list_of(is_text),
    "milestone": lambda value: value is None or is_text(value) or is_number(value),
    "labels": is_list_of(lambda value: is_text(value) or isinstance(value, dict)),
    "type": lambda value: value is None or is_text(value),
}
CREATE_ISSUE = Form("Issue", _ISSUE, frozenset({"title"}))
EDIT_ISSUE = Form(
    "Issue",
    {
        **_ISSUE,
        "state": lambda value: value in {"open", "closed"},
        "state_reason": lambda value: value in {"completed", "not_planned", "duplicate", "reopened", None},
    },
)
COMMENT = Form("IssueComment", {"body": is_text}, frozenset({"body"}))
LABEL = Form("Label", {"name": is_text, "color": is_text, "description": is_text}, frozenset({"name"}))

_NUMBER = r"\d{1,18}"
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_PAGE = {"page": _NUMBER, "per_page": _NUMBER}
_LIST = {
    **_PAGE,
    "milestone": ".*",
    "state": "open|closed|all",
    "assignee": ".*",
    "type": ".*",
    "creator": ".*",
    "mentioned": ".*",
    "labels": ".*",
    "sort": "created|updated|comments",
    "direction": "asc|desc",
    "since": _MOMENT,
}
DEFAULT_PAGE, LARGEST_PAGE, LARGEST_BODY = 30, 100, 65536


class StrictGitHub(StrictForge):
    """A repository behind /api/v3, which is also reached as /repositories/1, as its own links do."""

    prefix = "/api/v3"

    def admit(self, request: web.Request) -> None:
        if not request.headers.get("User-Agent"):
            raise self.complain(403, "Request forbidden by administrative rules. Please send a User-Agent header.")
        if request.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            raise self.complain(400, "X-GitHub-Api-Version: 2022-11-28 is wanted")
        if request.headers.get("Accept") != "application/vnd.github+json":
            raise self.complain(415, "Accept: application/vnd.github+json is wanted")
        given = request.headers.get("Authorization", "")
        if not given.startswith("Bearer "):
            raise self.complain(401, "the header is Authorization: Bearer X")
        if given != f"Bearer {self.token}":
            raise RefusedError(401, "Bad credentials")

    def refusal(self, no: RefusedError) -> web.Response:
        told = {"message": no.message, "documentation_url": "https://docs.github.com/rest", "status": str(no.status)}
        return web.json_response({**told, **no.more}, status=no.status)

    def moved(self, request: web.Request, path: str) -> web.Response:
        below = path.removeprefix(f"{self.prefix}/repos/{self.owner}/{self.name}")
        query = f"?{request.query_string}" if request.query_string else ""
        where = f"{self.url}{self.prefix}/repositories/1{below}{query}"
        status = 301 if request.method == "GET" else 307
        told = {"message": "Moved Permanently", "url": where}
        return web.json_response(told, status=status, headers={"Location": where})

    def elsewhere(self, request: web.Request, path: str) -> web.Response:
        if (request.method, path) == ("GET", "/user"):
            return web.json_response(self._person(self.user))
        if (found := re.fullmatch(r"/repositories/1(/.*)?", path)) is not None and request.method == "GET":
            return self.answer(request, found[1] or "", None)
        raise self.complain(404, "Not Found")

    def answer(self, request: web.Request, path: str, body: Any) -> web.Response:
        routes = {
            r"GET ": self._repository,
            r"GET /issues": self._list,
            r"POST /issues": self._create,
            rf"GET /issues/({_NUMBER})": self._show,
            rf"PATCH /issues/({_NUMBER})": self._edit,
            rf"GET /issues/({_NUMBER})/comments": self._notes,
            rf"POST /issues/({_NUMBER})/comments": self._comment,
            rf"PATCH /issues/comments/({_NUMBER})": self._edit_note,
            r"GET /labels": self._labels,
            r"POST /labels": self._create_label,
        }
        for route, handle in routes.items():
            if (found := re.fullmatch(route, f"{request.method} {path}")) is not None:
                if not self.has_issues and "issues" in path:
                    raise RefusedError(410, "Issues has been disabled in this repository.")
                if self.archived and request.method != "GET":
                    raise RefusedError(403, "Repository was archived so is read-only.")
                return handle(request, body, *map(int, found.groups()))  # type: ignore[operator,no-any-return]
        raise self.complain(404, f"no such route: {request.method} {path}")

    def _repository(self, _request: web.Request, _body: Any) -> web.Response:
        return web.json_response({"full_name": f"{self.owner}/{self.name}", "archived": self.archived})

    def _list(self, request: web.Request, _body: Any) -> web.Response:
        query = self.check_query(request, _LIST)
        state = query.get("state", "open")
        names = {name.lower() for name in query.get("labels", "").split(",") if name}
        kept = [
            ticket
            for ticket in self.tickets.values()
            if state == "all" or (ticket.closed is None) == (state == "open")
            if names <= {name.lower() for name in self.names(ticket)}
            if "since" not in query or ticket.updated >= datetime.fromisoformat(query["since"])
        ]
        if query.get("direction", "desc") == "desc":
            kept.reverse()
        return self._page(request, [self._ticket(ticket) for ticket in kept])

    def _create(self, request: web.Request, body: Any) -> web.Response:
        self._judge(request, CREATE_ISSUE, body)
        assignees = body.get("assignees", [])
        if self.can_write and not set(assignees) <= self.people:
            self._invalid("Issue", "assignees", assignees)
        made = self.add_ticket(str(body["title"]), body.get("body", ""), author=self.user, labels=[])
        if self.can_write:  # of who may not push, labels and assignees are left out, without a word
            made.labels = self._named(body.get("labels", []))
            made.assignees = list(assignees)
        return web.json_response(self._ticket(made), status=201)

    def _show(self, request: web.Request, _body: Any, number: int) -> web.Response:
        self.check_query(request, {})
        return web.json_response(self._ticket(self._held(number)))

    def _edit(self, request: web.Request, body: Any, number: int) -> web.Response:
        self._judge(request, EDIT_ISSUE, body)
        ticket = self._held(number)
        if not self.can_write and ticket.author != self.user:
            raise RefusedError(403, "Must have admin rights to Repository.")
        ticket.title, ticket.body = str(body.get("title", ticket.title)), body.get("body", ticket.body)
        if not set(body.get("assignees", [])) <= self.people:
            self._invalid("Issue", "assignees", body["assignees"])
        ticket.assignees = body.get("assignees", ticket.assignees) if self.can_write else ticket.assignees
        if self.can_write and "labels" in body:
            ticket.labels = self._named(body["labels"])
        if body.get("state") == "open":
            ticket.closed = None
        if body.get("state") == "closed" and ticket.closed is None:
            ticket.closed = self.now()
        ticket.updated = self.now()
        return web.json_response(self._ticket(ticket))

    def _notes(self, request: web.Request, _body: Any, number: int) -> web.Response:
        query = self.check_query(request, {**_PAGE, "since": _MOMENT})
        since = datetime.fromisoformat(query["since"]) if "since" in query else datetime.fromtimestamp(0, UTC)
        return self._page(request, [self._note(note) for note in self._held(number).notes if note.at >= since])

    def _comment(self, request: web.Request, body: Any, number: int) -> web.Response:
        self._judge(request, COMMENT, body)
        ticket = self._held(number)
        if ticket.locked and not self.can_write:
            raise RefusedError(403, "Unable to create comment because issue is locked.")
        return web.json_response(self._note(self.add_note(ticket, body["body"])), status=201)

    def _edit_note(self, request: web.Request, body: Any, key: int) -> web.Response:
        self._judge(request, COMMENT, body)
        for ticket in self.tickets.values():
            for note in ticket.notes:
                if note.id == key:
                    note.body, note.at, note.edits = body["body"], self.now(), note.edits + 1
                    ticket.updated = self.now()
                    return web.json_response(self._note(note))
        raise RefusedError(404, "Not Found")

    def _labels(self, request: web.Request, _body: Any) -> web.Response:
        self.check_query(request, _PAGE)
        return self._page(request, [self._label(key) for key in self.labels])

    def _create_label(self, request: web.Request, body: Any) -> web.Response:
        self._judge(request, LABEL, body)
        if not self.can_write:
            raise RefusedError(404, "Not Found")
        if re.fullmatch("[0-9a-fA-F]{6}", body.get("color", "ededed")) is None:
            raise self.complain(422, "a color is six hexadecimal digits, without #")
        if self.label_id(body["name"]) is not None:
            errors = [{"resource": "Label", "code": "already_exists", "field": "name"}]
            raise RefusedError(422, "Validation Failed", errors=errors)
        return web.json_response(self._label(self.add_label(body["name"])), status=201)

    def _named(self, labels: Sequence[Any]) -> list[int]:
        names = [label if isinstance(label, str) else str(label["name"]) for label in labels]
        return [self.label_id(name) or self.add_label(name) for name in names]

    def _judge(self, request: web.Request, form: Form, body: Any) -> None:
        self.check_query(request, {})
        if why := form.faults_of(body):
            raise self.complain(422, why)
        if len(str(body.get("body", ""))) > LARGEST_BODY:
            self.complaints.append("a body of more than 65536 characters")
            self._invalid(form.name, "body", "too long")

    def _invalid(self, resource: str, at: str, value: object) -> None:
        errors = [{"value": value, "resource": resource, "field": at, "code": "invalid"}]
        raise RefusedError(422, "Validation Failed", errors=errors)

    def _held(self, number: int) -> Ticket:
        if number in self.deleted:
            raise RefusedError(410, "This issue was deleted")
        if number not in self.tickets:
            raise RefusedError(404, "Not Found")
        return self.tickets[number]

    def _page(self, request: web.Request, items: Sequence[object]) -> web.Response:
        page = max(1, int(request.query.get("page", 1)))
        size = min(int(request.query.get("per_page", 0)) or DEFAULT_PAGE, LARGEST_PAGE)
        last = max(1, -(-len(items) // size))
        links = {"prev": page - 1} if page > 1 else {}
        if page < last:
            links |= {"next": page + 1, "last": last}
        below = request.path.split(f"/{self.name}", 1)[-1] if "/repos/" in request.path else request.path
        where = f"{self.url}{self.prefix}/repositories/1{below}" if "/repos/" in request.path else self.url + below
        told = [f'<{where}?{request.url.update_query(page=to).query_string}>; rel="{rel}"' for rel, to in links.items()]
        headers = {"Link": ", ".join(told)} if told else {}
        return web.json_response(items[(page - 1) * size : page * size], headers=headers)

    def _moment(self, at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _person(self, name: str) -> dict[str, object]:
        return {"login": name, "id": len(name), "type": "User", "site_admin": False}

    def _label(self, key: int) -> dict[str, object]:
        return {"id": key, "name": self.labels[key], "color": "ededed", "default": False, "description": None}

    def _note(self, note: Note) -> dict[str, object]:
        when = {"created_at": self._moment(note.at), "updated_at": self._moment(note.at)}
        return {"id": note.id, "body": note.body, "user": self._person(note.author), **when}

    def _ticket(self, ticket: Ticket) -> dict[str, object]:
        people = [self._person(name) for name in ticket.assignees]
        here = f"{self.owner}/{self.name}"
        told: dict[str, object] = {
            "id": 9000 + ticket.number,
            "url": f"{self.url}{self.prefix}/repos/{here}/issues/{ticket.number}",
            "html_url": f"{self.url}/{here}/{'pull' if ticket.is_pull else 'issues'}/{ticket.number}",
            "number": ticket.number,
            "title": ticket.title,
            "user": self._person(ticket.author),
            "labels": [self._label(key) for key in ticket.labels],
            "state": "open" if ticket.closed is None else "closed",
            "state_reason": None if ticket.closed is None else "completed",
            "locked": ticket.locked,
            "assignee": people[0] if people else None,
            "assignees": people,
            "milestone": None,
            "comments": len(ticket.notes),
            "created_at": self._moment(ticket.created),
            "updated_at": self._moment(ticket.updated),
            "closed_at": self._moment(ticket.closed),
            "body": ticket.body or None,
        }
        return {**told, "pull_request": {"url": f"{self.url}/pulls/{ticket.number}"}} if ticket.is_pull else told
