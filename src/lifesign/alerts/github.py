"""Issues in GitHub, after its published REST description. What differs from Gitea: names of labels, and its headers."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from lifesign.alerts.forge import OWN_LABEL, Comment, Issue
from lifesign.alerts.gitea import MOST_PAGES, issue_of
from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import Reply, Web, refuse, send_json

PAGE = 100
PUBLIC = "https://api.github.com"
_VERSION = "2022-11-28"
_NEXT = re.compile(r'<[^>]*>;\s*rel="next"')


class GitHub:
    """One repository. `url`: the API. A label that is missing is made by GitHub itself."""

    def __init__(
        self,
        *,
        repo: str,
        token: Callable[[], str],
        url: str = PUBLIC,
        labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
        tell: Callable[[str], None],
    ) -> None:
        owner, _, name = repo.partition("/")
        self._base = f"{url.rstrip('/')}/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        self._token = token
        self._labels = list(labels) or [OWN_LABEL]
        self._assignees = list(assignees)
        self._tell = tell
        self._web = Web(url)

    async def close(self) -> None:
        """Ends the connections."""
        await self._web.close()

    async def _call(self, method: str, path: str, body: object = None) -> Reply:
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
        }
        reply = await send_json(self._web, method, self._base + path, headers, body)
        if reply.status == 403 and (reply.retry_after_s or reply.headers.get("x-ratelimit-remaining") == "0"):
            raise SinkError(f"{self._web.where} answers 403: too many requests", reply.retry_after_s or 60.0)
        return reply

    async def _get(self, method: str, path: str, body: object = None) -> Any:
        reply = await self._call(method, path, body)
        refuse(reply, self._web.where)
        return reply.json()

    async def _pages(self, path: str) -> list[Any]:
        joint, items = "&" if "?" in path else "?", []
        for page in range(1, MOST_PAGES + 1):
            reply = await self._call("GET", f"{path}{joint}per_page={PAGE}&page={page}")
            refuse(reply, self._web.where)
            items += reply.json()
            if not _NEXT.search(reply.headers.get("link", "")):
                return items
        raise SinkError(f"{self._web.where} has more than {MOST_PAGES} pages of {path.partition('?')[0]}")

    async def issues(self, closed_since: str) -> list[Issue]:
        """All open ones with our label, and the closed ones that changed since; pull requests are none."""
        label = quote(self._labels[0], safe="")
        opened = await self._pages(f"/issues?state=open&labels={label}")
        closed = await self._pages(f"/issues?state=closed&labels={label}&since={quote(closed_since, safe='')}")
        return [issue_of(item) for item in (*opened, *closed) if "pull_request" not in item]

    async def issue(self, number: int) -> Issue | None:
        """That one; None where it is gone."""
        reply = await self._call("GET", f"/issues/{number}")
        if reply.status in (404, 410):
            return None
        refuse(reply, self._web.where)
        return issue_of(reply.json())

    async def create(self, title: str, body: str) -> Issue:
        """A new one. An assignee who is not known is told once, and the issue made without."""
        wanted: dict[str, object] = {"title": title, "body": body, "labels": self._labels}
        if self._assignees:
            reply = await self._call("POST", "/issues", {**wanted, "assignees": self._assignees})
            if reply.status != 422:
                refuse(reply, self._web.where)
                return issue_of(reply.json())
            self._tell(f"an assignee is not known there ({', '.join(self._assignees)}): the issue is made without")
        return issue_of(await self._get("POST", "/issues", wanted))

    async def edit(self, number: int, body: str, *, is_open: bool) -> None:
        """Its body, and whether it is open."""
        state: dict[str, object] = {"state": "open"} if is_open else {"state": "closed", "state_reason": "completed"}
        await self._get("PATCH", f"/issues/{number}", {"body": body, **state})

    async def comments(self, number: int) -> list[Comment]:
        """All comments, oldest first."""
        found = await self._pages(f"/issues/{number}/comments")
        return [Comment(int(item["id"]), str(item.get("body") or "")) for item in found]

    async def comment(self, number: int, body: str) -> int:
        """A new comment; its id."""
        return int((await self._get("POST", f"/issues/{number}/comments", {"body": body}))["id"])

    async def edit_comment(self, number: int, comment: int, body: str) -> bool:  # noqa: ARG002 - others need both
        """Whether the comment was still there to be edited."""
        reply = await self._call("PATCH", f"/issues/comments/{comment}", {"body": body})
        if reply.status == 404:
            return False
        refuse(reply, self._web.where)
        return True
