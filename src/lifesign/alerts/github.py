"""Issues in GitHub, after its published REST description. A label that is missing is made by GitHub itself."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from lifesign.alerts.forge import Issue
from lifesign.alerts.repository import MOST_PAGES, Repository, issue_of
from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import Reply

PUBLIC = "https://api.github.com"
_VERSION = "2022-11-28"
_NEXT = re.compile(r'<[^>]*>;\s*rel="next"')
_LIMITED_S = 60.0  # what its description asks for, where an answer names no time


class GitHub(Repository):
    """One repository. `url`: the API."""

    page = 100  # it gives no more

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
        root = url.rstrip("/")
        super().__init__(root=root, repo=repo, token=token, labels=labels, assignees=assignees, tell=tell)

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
        }

    async def _call(self, method: str, path: str, body: object = None) -> Reply:
        """Its limits come as 403 too, and name the second at which they end."""
        reply = await super()._call(method, path, body)
        is_spent = reply.headers.get("x-ratelimit-remaining") == "0"
        if reply.status in (403, 429) and (reply.retry_after_s is not None or is_spent):
            wait_s = reply.retry_after_s
            if wait_s is None:
                wait_s = reply.until_s(reply.headers.get("x-ratelimit-reset", ""))
            wait_s = _LIMITED_S if wait_s is None else wait_s
            raise SinkError(f"{self._web.where} answers {reply.status}: too many requests", wait_s)
        return reply

    async def _in_pages(self, path: str, size: int) -> list[Any]:
        joint, items = "&" if "?" in path else "?", list[Any]()
        for page in range(1, MOST_PAGES + 1):
            found, reply = await self._page(f"{path}{joint}per_page={size}&page={page}")
            items += found
            if not _NEXT.search(reply.headers.get("link", "")):
                return items
        raise self._too_many(path)

    async def issues(self, closed_since: str) -> list[Issue]:
        """All open ones with our label, and the closed ones that changed since; pull requests are none."""
        label = quote(self._labels[0], safe="")
        since = quote(f"{closed_since[:19]}Z", safe="")
        opened = await self._pages(f"/issues?state=open&labels={label}")
        closed = await self._pages(f"/issues?state=closed&labels={label}&since={since}")
        return [
            issue_of(item) for item in (*opened, *closed) if not (isinstance(item, dict) and "pull_request" in item)
        ]

    async def delete(self, number: int) -> bool:
        """Its REST API deletes no issue."""
        del number
        return False

    async def _labels_to_send(self) -> Sequence[str]:
        return self._labels
