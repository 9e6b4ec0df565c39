"""Issues in Redmine, over its REST API. What differs: no labels, ids for everything, notes instead of comments.

The list holds what the token's owner has made in the project, read from the database. Two who change one issue at once
come into conflict there: one of them is answered 422 without a word of what is wrong, and nothing of his is written.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

from lifesign.alerts.forge import Comment, Issue, moment
from lifesign.alerts.repository import SMALL_PAGE, web_address
from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import Reply, TooMuchError, Web, part, refuse, send_json

PAGE = 100
MOST_PAGES = 200
MOST_CONFLICTS = 5  # with others over one change; then the outbox tries again
CONFLICT_S = 0.1  # the first wait after one; each is longer than the one before


class Redmine:
    """One project. `tracker`: its name, the project's first by default. Labels become words before the subject."""

    def __init__(
        self,
        *,
        url: str,
        project: str,
        token: Callable[[], str],
        tracker: str | None = None,
        labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
        tell: Callable[[str], None],
    ) -> None:
        self._url = url.rstrip("/")
        self._project = project
        self._token = token
        self._tracker = tracker
        self._labels = list(labels)
        self._assignees = list(assignees)
        self._tell = tell
        self._told = False
        self._statuses: tuple[int, int] | None = None
        self._web = Web(url)

    async def close(self) -> None:
        """Ends the connections."""
        await self._web.close()

    async def _call(self, method: str, path: str, body: object = None) -> Reply:
        headers = {"X-Redmine-API-Key": self._token(), "Accept": "application/json"}
        return await send_json(self._web, method, self._url + path, headers, body)

    async def _get(self, method: str, path: str, body: object = None) -> Any:
        reply = await self._call(method, path, body)
        refuse(reply, self._web.where)
        return reply.json() if reply.body.strip() else {}

    async def _pages(self, path: str, name: str) -> list[Any]:
        try:
            return await self._in_pages(path, name, PAGE)
        except TooMuchError:
            return await self._in_pages(path, name, SMALL_PAGE)

    async def _in_pages(self, path: str, name: str, size: int) -> list[Any]:
        items: list[Any] = []
        for _ in range(MOST_PAGES):
            found = await self._get("GET", f"{path}&limit={size}&offset={len(items)}")
            page = part(found, name, list)
            items += page
            if not page or len(items) >= part(found, "total_count", int):
                return items
        raise SinkError(f"{self._web.where} has more than {MOST_PAGES} pages of {name}")

    async def issues(self, closed_since: str) -> list[Issue]:
        """All open ones that we made, and the closed ones that changed since."""
        base = f"/issues.json?project_id={quote(self._project, safe='')}&author_id=me&sort=id"
        opened = await self._pages(f"{base}&status_id=open", "issues")
        day = quote(f">={closed_since[:10]}", safe="")  # it knows days, or whole seconds with a zone
        closed = await self._pages(f"{base}&status_id=closed&updated_on={day}", "issues")
        found = [self._issue(item, is_open=True) for item in opened]
        return found + [self._issue(item, is_open=False) for item in closed]

    def _issue(self, item: Any, *, is_open: bool) -> Issue:
        try:
            number, body = int(item["id"]), str(item.get("description") or "")
            closed_at = "" if is_open else moment(item.get("closed_on"))
            return Issue(number, body, is_open, frozenset(), web_address(f"{self._url}/issues/{number}"), closed_at)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SinkError("an issue came back that is none") from None

    async def issue(self, number: int) -> Issue | None:
        """That one; None where it is gone."""
        reply = await self._call("GET", f"/issues/{number}.json")
        if reply.status == 404:
            return None
        refuse(reply, self._web.where)
        found = part(reply.json(), "issue", dict)
        return self._issue(found, is_open=not part(found, "status", dict).get("is_closed", False))

    async def create(self, title: str, body: str) -> Issue:
        """A new one."""
        words = "".join(f"[{label}] " for label in self._labels)
        wanted: dict[str, object] = {"subject": f"{words}{title}"[:255], "description": body}
        wanted["project_id"] = self._project
        if self._tracker is not None:
            wanted["tracker_id"] = await self._tracker_id(self._tracker)
        assignee = await self._assignee_id()
        if assignee is not None:
            wanted["assigned_to_id"] = assignee
        made = await self._get("POST", "/issues.json", {"issue": wanted})
        return self._issue(part(made, "issue", dict), is_open=True)

    async def _tracker_id(self, name: str) -> int:
        for item in part(await self._get("GET", "/trackers.json"), "trackers", list):
            if part(item, "name", str).lower() == name.lower():
                return part(item, "id", int)
        raise SinkError(f"there is no tracker {name!r} there")

    async def _assignee_id(self) -> int | None:
        """The first assignee who is a member of the project, by name or number; told once where none is."""
        if not self._assignees:
            return None
        members = await self._pages(f"/projects/{quote(self._project, safe='')}/memberships.json?x=1", "memberships")
        people = [item["user"] for item in members if isinstance(item, dict) and "user" in item]
        users = {part(user, "name", str).lower(): part(user, "id", int) for user in people}
        for name in self._assignees:
            if name.lower() in users:
                return users[name.lower()]
            if name.isdigit() and int(name) in users.values():
                return int(name)
        if not self._told:
            self._tell(f"an assignee is no member there ({', '.join(self._assignees)}): the issue is made without")
        self._told = True
        return None

    async def _status_ids(self) -> tuple[int, int]:
        """Of the first open and the first closed status."""
        if self._statuses is None:
            found = part(await self._get("GET", "/issue_statuses.json"), "issue_statuses", list)
            ids = {part(item, "id", int): bool(item.get("is_closed")) for item in found}
            opened = [key for key, is_closed in ids.items() if not is_closed]
            closed = [key for key, is_closed in ids.items() if is_closed]
            if not opened or not closed:
                raise SinkError(f"{self._web.where} has no status that is closed")
            self._statuses = opened[0], closed[0]
        return self._statuses

    async def edit(self, number: int, body: str, *, is_open: bool) -> None:
        """Its description, and whether it is open."""
        opened, closed = await self._status_ids()
        status = opened if is_open else closed
        wanted = {"description": body, "status_id": status}

        async def is_done() -> bool:
            found = await self.issue(number)
            return found is not None and found.is_open is is_open and _same_text(found.body, body)

        await self._change(number, wanted, is_done)
        if (found := await self.issue(number)) is not None and found.is_open is not is_open:
            raise SinkError(f"{self._web.where} did not change the status: the workflow does not allow it")

    async def _change(self, number: int, wanted: object, is_done: Callable[[], Awaitable[bool]] | None = None) -> None:
        """One change of an issue, again after a conflict, unless the other one has written the same: `is_done`."""
        for attempt in range(1, MOST_CONFLICTS + 1):
            reply = await self._call("PUT", f"/issues/{number}.json", {"issue": wanted})
            if not _is_conflict(reply):
                break
            if is_done is not None and await is_done():
                return
            await asyncio.sleep(CONFLICT_S * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - not in step
        refuse(reply, self._web.where)

    async def delete(self, number: int) -> bool:
        """Whether that issue is gone: a role may be allowed to delete."""
        reply = await self._call("DELETE", f"/issues/{number}.json")
        if reply.status == 403:
            return False
        if reply.status != 404:
            refuse(reply, self._web.where)
        return True

    async def comments(self, number: int) -> list[Comment]:
        """All notes, oldest first."""
        found = part(await self._get("GET", f"/issues/{number}.json?include=journals"), "issue", dict)
        journals = part(found, "journals", list)
        return [Comment(part(item, "id", int), str(item["notes"])) for item in journals if item.get("notes")]

    async def comment(self, number: int, body: str) -> int:
        """A new note; its id, which the answer does not tell."""
        await self._change(number, {"notes": body})  # a conflict has written nothing, so no note comes twice
        return max((comment.id for comment in await self.comments(number)), default=0)

    async def edit_comment(self, number: int, comment: int, body: str) -> bool:
        """Whether the note was still there to be edited."""
        del number
        reply = await self._call("PUT", f"/journals/{comment}.json", {"journal": {"notes": body}})
        if reply.status == 404:
            return False
        refuse(reply, self._web.where)
        return True


def _is_conflict(reply: Reply) -> bool:
    """Whether somebody else changed it meanwhile: what its optimistic lock raises comes out as 422 without an error."""
    if reply.status != 422:
        return reply.status == 409
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("errors") == []


def _same_text(found: str, wanted: str) -> bool:
    """It may have stored other ends of lines, and none at the end."""
    return found.replace("\r\n", "\n").rstrip() == wanted.replace("\r\n", "\n").rstrip()
