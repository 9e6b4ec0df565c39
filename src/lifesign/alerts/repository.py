"""What Gitea, Forgejo and GitHub have in common: a repository with issues, comments and labels behind REST.

Nothing here trusts an answer: whatever is no issue by the description is a SinkError. Not here: headers, pages and
labels, in which they differ (`gitea`, `github`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from lifesign.alerts.forge import OWN_LABEL, Comment, Issue, moment
from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import Reply, TooMuchError, Web, part, refuse, send_json
from lifesign.text import clean

MOST_PAGES = 200
SMALL_PAGE = 5  # issues of 1 MB each still come through
MAX_URL = 500


class Repository(ABC):
    """One repository below `root`, asked for `page` items at a time.

    `token` is read when it is needed; `tell` hears once of what is not as wished.
    """

    page: ClassVar[int]

    def __init__(
        self,
        *,
        root: str,
        repo: str,
        token: Callable[[], str],
        labels: Sequence[str],
        assignees: Sequence[str],
        tell: Callable[[str], None],
    ) -> None:
        owner, _, name = repo.partition("/")
        self._base = f"{root}/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        self._token = token
        self._labels = list(labels) or [OWN_LABEL]
        self._assignees = list(assignees)
        self._tell = tell
        self._told: set[str] = set()
        self._web = Web(root)

    async def close(self) -> None:
        """Ends the connections."""
        await self._web.close()

    @abstractmethod
    def _headers(self) -> dict[str, str]:
        """Who asks, and for which form of an answer."""

    async def _pages(self, path: str) -> list[Any]:
        """Every item of a list; in small pages where one page of it is more than we read."""
        try:
            return await self._in_pages(path, self.page)
        except TooMuchError:
            return await self._in_pages(path, SMALL_PAGE)

    @abstractmethod
    async def _in_pages(self, path: str, size: int) -> list[Any]:
        """Every item of a list, so many at a time, or fewer if the forge likes that better."""

    @abstractmethod
    async def _labels_to_send(self) -> Sequence[str | int]:
        """Our labels as a new issue names them; what is missing is made."""

    async def _call(self, method: str, path: str, body: object = None) -> Reply:
        return await send_json(self._web, method, self._base + path, self._headers(), body)

    async def _get(self, method: str, path: str, body: object = None) -> Any:
        reply = await self._call(method, path, body)
        refuse(reply, self._web.where)
        return reply.json()

    async def _page(self, path: str) -> tuple[list[Any], Reply]:
        reply = await self._call("GET", path)
        refuse(reply, self._web.where)
        found = reply.json()
        if not isinstance(found, list):
            raise SinkError(f"{self._web.where} answers no list")
        return found, reply

    def _too_many(self, path: str) -> SinkError:
        return SinkError(f"{self._web.where} has more than {MOST_PAGES} pages of {path.partition('?')[0]}")

    async def issue(self, number: int) -> Issue | None:
        """That one; None where it is gone."""
        reply = await self._call("GET", f"/issues/{number}")
        if reply.status in (404, 410):
            return None
        refuse(reply, self._web.where)
        return issue_of(reply.json())

    async def create(self, title: str, body: str) -> Issue:
        """A new one. An assignee who is not known is told once, and the issue made without."""
        made = await self._created({"title": title, "body": body, "labels": await self._labels_to_send()})
        if not {name.lower() for name in self._labels} <= {name.lower() for name in made.labels}:
            self._tell_once("the token may not set labels: an issue was made without them")
        return made

    async def _created(self, wanted: dict[str, object]) -> Issue:
        if not self._assignees:
            return issue_of(await self._get("POST", "/issues", wanted))
        reply = await self._call("POST", "/issues", {**wanted, "assignees": self._assignees})
        if reply.status != 422:
            refuse(reply, self._web.where)
            return issue_of(reply.json())
        made = issue_of(await self._get("POST", "/issues", wanted))
        unknown = await self._assign_who_is_known(made.number)
        self._tell_once(f"not known there as an assignee: {', '.join(unknown)}: an issue was made without")
        return made

    async def _assign_who_is_known(self, number: int) -> list[str]:
        """One by one, since the answer does not say in the same words everywhere who is unknown; who that is."""
        known: list[str] = []
        for name in self._assignees if len(self._assignees) > 1 else []:
            reply = await self._call("PATCH", f"/issues/{number}", {"assignees": [*known, name]})
            known += [name] if 200 <= reply.status <= 299 else []
        return [name for name in self._assignees if name not in known]

    def _tell_once(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._tell(words)

    async def edit(self, number: int, body: str, *, is_open: bool) -> None:
        """Its body, and whether it is open."""
        await self._get("PATCH", f"/issues/{number}", {"body": body, "state": "open" if is_open else "closed"})

    @abstractmethod
    async def delete(self, number: int) -> bool:
        """Whether that issue is gone."""

    async def comments(self, number: int) -> list[Comment]:
        """All comments, oldest first."""
        found = await self._comment_items(f"/issues/{number}/comments")
        return [Comment(part(item, "id", int), str(item.get("body") or "")) for item in found]

    async def _comment_items(self, path: str) -> list[Any]:
        return await self._pages(path)

    async def comment(self, number: int, body: str) -> int:
        """A new comment; its id."""
        return part(await self._get("POST", f"/issues/{number}/comments", {"body": body}), "id", int)

    async def edit_comment(self, number: int, comment: int, body: str) -> bool:  # noqa: ARG002 - others need both
        """Whether the comment was still there to be edited."""
        reply = await self._call("PATCH", f"/issues/comments/{comment}", {"body": body})
        if reply.status in (204, 404, 410):  # 204 of Gitea: there is no such comment on an issue
            return False
        refuse(reply, self._web.where)
        return True


def issue_of(item: Any) -> Issue:
    """Of what the descriptions call an issue. Raises SinkError."""
    try:
        labels = frozenset(str(label["name"]) for label in item.get("labels") or [])
        body, url = str(item.get("body") or ""), web_address(item.get("html_url"))
        is_open = item["state"] == "open"
        return Issue(int(item["number"]), body, is_open, labels, url, "" if is_open else moment(item.get("closed_at")))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SinkError("an issue came back that is none by the description") from None


def web_address(text: object) -> str:
    """`text` where it is an address that a person may follow, without a password in it; "" otherwise."""
    if not isinstance(text, str) or len(text) > MAX_URL or text != clean(text, MAX_URL) or " " in text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
