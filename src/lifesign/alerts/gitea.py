"""Issues in Gitea and Forgejo, after their published description (`/api/v1`, the issue routes).

Labels are numeric ids there, and made if they are missing. The list is read without a keyword: a search reads an index
that lags, a list reads the database.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from lifesign.alerts.forge import OWN_LABEL, Comment, Issue, moment
from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import Reply, Web, refuse, send_json

PAGE = 50
MOST_PAGES = 200
LABEL_COLOUR = "#b3161b"


class Gitea:
    """One repository. `token` is read when it is needed; `tell` hears once of an assignee who is not known."""

    def __init__(
        self,
        *,
        url: str,
        repo: str,
        token: Callable[[], str],
        labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
        tell: Callable[[str], None],
    ) -> None:
        owner, _, name = repo.partition("/")
        self._base = f"{url.rstrip('/')}/api/v1/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        self._token = token
        self._labels = list(labels) or [OWN_LABEL]
        self._assignees = list(assignees)
        self._tell = tell
        self._label_ids: list[int] = []
        self._web = Web(url)

    async def close(self) -> None:
        """Ends the connections."""
        await self._web.close()

    async def _call(self, method: str, path: str, body: object = None) -> Reply:
        headers = {"Authorization": f"token {self._token()}", "Accept": "application/json"}
        return await send_json(self._web, method, self._base + path, headers, body)

    async def _get(self, method: str, path: str, body: object = None) -> Any:
        reply = await self._call(method, path, body)
        refuse(reply, self._web.where)
        return reply.json()

    async def _pages(self, path: str) -> list[Any]:
        """Every item of a list, however it is cut into pages."""
        joint, items = "&" if "?" in path else "?", []
        for page in range(1, MOST_PAGES + 1):
            reply = await self._call("GET", f"{path}{joint}page={page}&limit={PAGE}")
            refuse(reply, self._web.where)
            found = reply.json()
            if not isinstance(found, list):
                raise SinkError(f"{self._web.where} answers no list")
            items += found
            total = reply.headers.get("x-total-count", "")
            if not found or (total.isdigit() and len(items) >= int(total)):
                return items
        raise SinkError(f"{self._web.where} has more than {MOST_PAGES} pages of {path.partition('?')[0]}")

    async def issues(self, closed_since: str) -> list[Issue]:
        """All open ones with our label, and the closed ones that changed since."""
        label = quote(self._labels[0], safe="")
        opened = await self._pages(f"/issues?state=open&type=issues&labels={label}")
        closed = await self._pages(
            f"/issues?state=closed&type=issues&labels={label}&since={quote(closed_since, safe='')}"
        )
        return [issue_of(item) for item in (*opened, *closed)]

    async def issue(self, number: int) -> Issue | None:
        """That one; None where it is gone."""
        reply = await self._call("GET", f"/issues/{number}")
        if reply.status == 404:
            return None
        refuse(reply, self._web.where)
        return issue_of(reply.json())

    async def create(self, title: str, body: str) -> Issue:
        """A new one. An assignee who is not known is told once, and the issue made without."""
        wanted: dict[str, object] = {"title": title, "body": body, "labels": await self._ids()}
        if self._assignees:
            reply = await self._call("POST", "/issues", {**wanted, "assignees": self._assignees})
            if reply.status != 422:
                refuse(reply, self._web.where)
                return issue_of(reply.json())
            self._tell(f"an assignee is not known there ({', '.join(self._assignees)}): the issue is made without")
        return issue_of(await self._get("POST", "/issues", wanted))

    async def _ids(self) -> list[int]:
        """The ids of our labels; missing ones are made."""
        if not self._label_ids:
            known = {str(item["name"]): int(item["id"]) for item in await self._pages("/labels")}
            for name in self._labels:
                if name not in known:
                    made = await self._get("POST", "/labels", {"name": name, "color": LABEL_COLOUR})
                    known[name] = int(made["id"])
            self._label_ids = [known[name] for name in self._labels]
        return self._label_ids

    async def edit(self, number: int, body: str, *, is_open: bool) -> None:
        """Its body, and whether it is open."""
        await self._get("PATCH", f"/issues/{number}", {"body": body, "state": "open" if is_open else "closed"})

    async def comments(self, number: int) -> list[Comment]:
        """All comments; this list has no pages."""
        found = await self._get("GET", f"/issues/{number}/comments")
        return [Comment(int(item["id"]), str(item.get("body") or "")) for item in found or []]

    async def comment(self, number: int, body: str) -> int:
        """A new comment; its id."""
        return int((await self._get("POST", f"/issues/{number}/comments", {"body": body}))["id"])

    async def edit_comment(self, number: int, comment: int, body: str) -> bool:  # noqa: ARG002 - others need both
        """Whether the comment was still there to be edited."""
        reply = await self._call("PATCH", f"/issues/comments/{comment}", {"body": body})
        if reply.status in (204, 404):  # 204: there is no such comment on an issue
            return False
        refuse(reply, self._web.where)
        return True


def issue_of(item: Any) -> Issue:
    """Of what the description calls Issue. Raises SinkError."""
    try:
        labels = frozenset(str(label["name"]) for label in item.get("labels") or [])
        body, url = str(item.get("body") or ""), str(item.get("html_url") or "")
        is_open = item["state"] == "open"
        return Issue(int(item["number"]), body, is_open, labels, url, "" if is_open else moment(item.get("closed_at")))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SinkError("an issue came back that is none by the description") from None
