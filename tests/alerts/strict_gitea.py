"""Gitea's dialect and Forgejo's, from what they publish of their issue routes (Gitea 1.25, Forgejo 16).

Where the real ones are known to differ from their description, the real ones are followed: `null` for an assignee, the
assignees, a milestone, a due date and a moment of closing that are not there, and a query for labels of which none
exists filters nothing.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from aiohttp import web

from tests.alerts.strict_forge import (
    Form,
    Note,
    RefusedError,
    StrictForge,
    Ticket,
    is_flag,
    is_list_of,
    is_moment,
    is_number,
    is_text,
)

_ISSUE = {
    "title": is_text,
    "body": is_text,
    "assignee": is_text,
    "assignees": is_list_of(is_text),
    "due_date": is_moment,
    "milestone": is_number,
    "ref": is_text,
}
CREATE_ISSUE = Form(
    "CreateIssueOption", {**_ISSUE, "labels": is_list_of(is_number), "closed": is_flag}, frozenset({"title"})
)
EDIT_ISSUE = Form("EditIssueOption", {**_ISSUE, "state": is_text, "unset_due_date": is_flag})
CREATE_LABEL = Form(
    "CreateLabelOption",
    {"name": is_text, "color": is_text, "description": is_text, "exclusive": is_flag, "is_archived": is_flag},
    frozenset({"name", "color"}),
)
COMMENT = Form("CreateIssueCommentOption", {"body": is_text}, frozenset({"body"}))

_NUMBER = r"\d{1,18}"
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
_PAGE = {"page": _NUMBER, "limit": _NUMBER}
_LIST = {
    **_PAGE,
    "state": "closed|open|all",
    "labels": ".*",
    "q": ".*",
    "type": "issues|pulls",
    "milestones": ".*",
    "since": _MOMENT,
    "before": _MOMENT,
    "created_by": ".*",
    "assigned_by": ".*",
    "mentioned_by": ".*",
}
DEFAULT_PAGE, LARGEST_PAGE = 30, 50


class StrictGitea(StrictForge):
    """A repository behind /api/v1. `zone` is the server's own, in which it writes its moments.

    `every_label`: of several labels that a list is asked for an issue must bear each, two of one name included. The
    description says "any": no client may rely on either, so Forgejo's server here does the one and Gitea's the other.
    """

    prefix = "/api/v1"
    every_label = True
    is_admin = True  # only those may delete
    zone: timezone = timezone(timedelta(hours=1))

    def admit(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if {"token", "access_token"} & request.query.keys():
            raise self.complain(401, "a token in the query")
        if not given.startswith("token "):
            raise self.complain(401, "the header is Authorization: token X")
        if given != f"token {self.token}":
            raise RefusedError(401, "user does not exist [uid: 0, name: ]")

    def refusal(self, no: RefusedError) -> web.Response:
        return web.json_response({"message": no.message, "url": f"{self.url}/api/swagger"}, status=no.status)

    def moved(self, request: web.Request, path: str) -> web.Response:
        query = f"?{request.query_string}" if request.query_string else ""
        return web.Response(status=301, headers={"Location": path + query}, text="Moved Permanently")

    def elsewhere(self, request: web.Request, path: str) -> web.Response:
        if (request.method, path) == ("GET", "/version"):
            return web.json_response({"version": "1.25.3"})
        if (request.method, path) == ("GET", "/user"):
            return web.json_response(self._person(self.user))
        raise self.complain(404, f"no such path: {path}")

    def answer(self, request: web.Request, path: str, body: Any) -> web.Response:
        routes = {
            r"GET ": self._repository,
            r"GET /issues": self._list,
            r"POST /issues": self._create,
            rf"GET /issues/({_NUMBER})": self._show,
            rf"PATCH /issues/({_NUMBER})": self._edit,
            rf"DELETE /issues/({_NUMBER})": self._delete,
            rf"GET /issues/({_NUMBER})/comments": self._notes,
            rf"POST /issues/({_NUMBER})/comments": self._comment,
            rf"PATCH /issues/comments/({_NUMBER})": self._edit_note,
            r"GET /labels": self._labels,
            r"POST /labels": self._create_label,
        }
        for route, handle in routes.items():
            if (found := re.fullmatch(route, f"{request.method} {path}")) is not None:
                if not self.has_issues and "issues" in path:
                    raise RefusedError(404, "The target couldn't be found.")
                if self.archived and request.method != "GET":
                    raise RefusedError(423, f"Repo is archived [{self.owner}/{self.name}]")
                return handle(request, body, *map(int, found.groups()))  # type: ignore[operator,no-any-return]
        raise self.complain(404, f"no such route: {request.method} {path}")

    def _repository(self, _request: web.Request, _body: Any) -> web.Response:
        return web.json_response({"full_name": f"{self.owner}/{self.name}", "archived": self.archived})

    def _list(self, request: web.Request, _body: Any) -> web.Response:
        query = self.check_query(request, _LIST)
        if query.get("q"):
            raise self.complain(422, "a keyword asks the index, which lags")
        state, names = query.get("state", "open"), query.get("labels", "").split(",")
        wanted = {label for label, name in self.labels.items() if name in names}
        kept = [
            ticket
            for ticket in reversed(self.tickets.values())
            if state == "all" or (ticket.closed is None) == (state == "open")
            if not wanted or (wanted <= set(ticket.labels) if self.every_label else wanted & set(ticket.labels))
            if query.get("type") is None or ticket.is_pull == (query["type"] == "pulls")
            if "since" not in query or ticket.updated >= datetime.fromisoformat(query["since"])
            if "before" not in query or ticket.updated <= datetime.fromisoformat(query["before"])
        ]
        return self._page(request, [self._ticket(ticket) for ticket in kept])

    def _create(self, request: web.Request, body: Any) -> web.Response:
        self._judge(request, CREATE_ISSUE, body)
        if not body["title"].strip():
            raise self.complain(422, "[Title]: Required")
        if unknown := [who for who in body.get("assignees", []) if who not in self.people and self.can_write]:
            raise RefusedError(
                422, f"Assignee does not exist: [name: user does not exist [uid: 0, name: {unknown[0]}]]"
            )
        made = self.add_ticket(body["title"], body.get("body", ""), author=self.user, labels=[])
        if self.can_write:  # of who may only read, labels and assignees are left out, without a word
            made.labels = [label for label in body.get("labels", []) if label in self.labels]
            made.assignees = list(body.get("assignees", []))
        return web.json_response(self._ticket(made), status=201)

    def _show(self, request: web.Request, _body: Any, number: int) -> web.Response:
        self.check_query(request, {})
        return web.json_response(self._ticket(self._held(number)))

    def _edit(self, request: web.Request, body: Any, number: int) -> web.Response:
        self._judge(request, EDIT_ISSUE, body)
        ticket = self._held(number)
        if not self.can_write and ticket.author != self.user:
            raise RefusedError(403, "Forbidden")
        if (state := body.get("state")) not in {None, "open", "closed"}:
            raise self.complain(400, f"unknown state: {state}")
        if unknown := [who for who in body.get("assignees", []) if who not in self.people]:
            raise RefusedError(422, f"user does not exist [uid: 0, name: {unknown[0]}]")
        ticket.title, ticket.body = body.get("title", ticket.title), body.get("body", ticket.body)
        ticket.assignees = body.get("assignees", ticket.assignees)
        if state == "open":
            ticket.closed = None
        if state == "closed" and ticket.closed is None:
            ticket.closed = self.now()
        ticket.updated = self.now()
        return web.json_response(self._ticket(ticket), status=201)

    def _delete(self, request: web.Request, _body: Any, number: int) -> web.Response:
        self.check_query(request, {})
        self._held(number)
        if not self.is_admin:
            raise RefusedError(403, "Must be an administrator of the repository")
        self.delete(number)
        return web.Response(status=204)

    def _notes(self, request: web.Request, _body: Any, number: int) -> web.Response:
        query = self.check_query(request, {"since": _MOMENT, "before": _MOMENT})
        since = datetime.fromisoformat(query["since"]) if "since" in query else datetime.fromtimestamp(0, UTC)
        notes = [self._note(note) for note in self._held(number).notes if note.at >= since]
        return web.json_response(notes, headers={"X-Total-Count": str(len(notes))})

    def _comment(self, request: web.Request, body: Any, number: int) -> web.Response:
        self._judge(request, COMMENT, body)
        ticket = self._held(number)
        if ticket.locked and not self.can_write:
            raise RefusedError(403, "You cannot comment on a locked issue.")
        return web.json_response(self._note(self.add_note(ticket, body["body"])), status=201)

    def _edit_note(self, request: web.Request, body: Any, key: int) -> web.Response:
        self._judge(request, COMMENT, body)
        for ticket in self.tickets.values():
            for note in ticket.notes:
                if note.id == key:
                    if note.author != self.user and not self.can_write:
                        raise RefusedError(403, "Forbidden")
                    note.body, note.at, note.edits = body["body"], self.now(), note.edits + 1
                    ticket.updated = self.now()
                    return web.json_response(self._note(note))
        raise RefusedError(404, "comment does not exist")

    def _labels(self, request: web.Request, _body: Any) -> web.Response:
        self.check_query(request, _PAGE)
        return self._page(request, [self._label(key) for key in self.labels])

    def _create_label(self, request: web.Request, body: Any) -> web.Response:
        self._judge(request, CREATE_LABEL, body)
        if not self.can_write:
            raise RefusedError(403, "Must have write permission")
        if re.fullmatch("#?([0-9a-fA-F]{3}){1,2}", body["color"]) is None:
            raise self.complain(422, f"bad color code: {body['color']}")
        return web.json_response(self._label(self.add_label(body["name"])), status=201)

    def _judge(self, request: web.Request, form: Form, body: Any) -> None:
        self.check_query(request, {})
        if why := form.faults_of(body):
            raise self.complain(422, why)

    def _held(self, number: int) -> Ticket:
        if number not in self.tickets:
            raise RefusedError(404, f"issue does not exist [id: 0, repo_id: 1, index: {number}]")
        return self.tickets[number]

    def _page(self, request: web.Request, items: Sequence[object]) -> web.Response:
        page = max(1, int(request.query.get("page", 1)))
        size = min(int(request.query.get("limit", 0)) or DEFAULT_PAGE, LARGEST_PAGE)
        last = max(1, -(-len(items) // size))
        links = {"next": page + 1, "last": last} if page < last else {}
        if page > 1:
            links |= {"first": 1, "prev": page - 1}
        # The address is the one that the forge believes to be its own, not the one it was asked by.
        told = [
            f'<https://git.internal{request.path}?limit={size}&page={to}>; rel="{rel}"' for rel, to in links.items()
        ]
        headers = {"X-Total-Count": str(len(items)), **({"Link": ",".join(told)} if told else {})}
        return web.json_response(items[(page - 1) * size : page * size], headers=headers)

    def _moment(self, at: datetime | None) -> str | None:
        if at is None:
            return None
        text = at.astimezone(self.zone).isoformat(timespec="seconds")
        return text.replace("+00:00", "Z")

    def _person(self, name: str) -> dict[str, object]:
        return {"id": len(name), "login": name, "full_name": "", "email": f"{name}@noreply.example"}

    def _label(self, key: int) -> dict[str, object]:
        return {"id": key, "name": self.labels[key], "color": "ee0701", "description": "", "exclusive": False}

    def _note(self, note: Note) -> dict[str, object]:
        when = {"created_at": self._moment(note.at), "updated_at": self._moment(note.at)}
        return {"id": note.id, "body": note.body, "user": self._person(note.author), "assets": [], **when}

    def _ticket(self, ticket: Ticket) -> dict[str, object]:
        kind = "pulls" if ticket.is_pull else "issues"
        people = [self._person(name) for name in ticket.assignees]
        where = f"{self.owner}/{self.name}"
        return {
            "id": 9000 + ticket.number,
            "url": f"{self.url}{self.prefix}/repos/{where}/issues/{ticket.number}",
            "html_url": f"{self.url}/{where}/{kind}/{ticket.number}",
            "number": ticket.number,
            "user": self._person(ticket.author),
            "original_author": "",
            "original_author_id": 0,
            "title": ticket.title,
            "body": ticket.body,
            "ref": "",
            "assets": [],
            "labels": [self._label(key) for key in ticket.labels],
            "milestone": None,
            "assignee": people[0] if people else None,
            "assignees": people or None,
            "state": "open" if ticket.closed is None else "closed",
            "is_locked": ticket.locked,
            "comments": len(ticket.notes),
            "created_at": self._moment(ticket.created),
            "updated_at": self._moment(ticket.updated),
            "closed_at": self._moment(ticket.closed),
            "due_date": None,
            "pull_request": {"merged": False, "merged_at": None, "draft": False} if ticket.is_pull else None,
            "repository": {"id": 1, "name": self.name, "owner": self.owner, "full_name": where},
        }


class StrictForgejo(StrictGitea):
    """The same routes; its server keeps UTC."""

    zone = UTC
    every_label = False
