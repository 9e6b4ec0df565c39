"""Issues in Gitea and Forgejo, after their published description (`/api/v1`, the issue routes).

Labels are numeric ids there, made if they are missing, and two of them may bear one name. The list is read without a
keyword: a search reads an index that lags, a list reads the database.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from lifesign.alerts.forge import Issue
from lifesign.alerts.repository import MOST_PAGES, Repository, issue_of
from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import part, refuse

LABEL_COLOUR = "#b3161b"


class Gitea(Repository):
    """One repository; `url` is the forge's own."""

    page = 50  # it gives no more

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
        root = f"{url.rstrip('/')}/api/v1"
        super().__init__(root=root, repo=repo, token=token, labels=labels, assignees=assignees, tell=tell)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self._token()}", "Accept": "application/json"}

    async def _in_pages(self, path: str, size: int) -> list[Any]:
        """The count of all is told beside a page; where something in between cuts that away, an empty page ends it.

        So does the same page twice: something in between, or a small server of somebody's own, knows no pages.
        """
        joint, items, before = "&" if "?" in path else "?", list[Any](), list[Any]()
        for page in range(1, MOST_PAGES + 1):
            found, reply = await self._page(f"{path}{joint}page={page}&limit={size}")
            if not found or found == before:
                return items
            items, before = [*items, *found], found
            total = reply.headers.get("x-total-count", "")
            if total.isdecimal() and len(items) >= int(total):
                return items
        raise self._too_many(path)

    async def issues(self, closed_since: str) -> list[Issue]:
        """All open ones with our label, and the closed ones that changed since.

        A label that is not there filters nothing. Of one that is there twice it is not known which issues bear which,
        nor whether the forge wants both: the list is then read without it, and the markers decide.
        """
        name = self._labels[0]
        is_single = len((await self._known_labels()).get(name, ())) == 1
        label = f"&labels={quote(name, safe='')}" if is_single and "," not in name else ""
        since = quote(f"{closed_since[:19]}Z", safe="")
        opened = await self._pages(f"/issues?state=open&type=issues{label}")
        closed = await self._pages(f"/issues?state=closed&type=issues{label}&since={since}")
        return [issue_of(item) for item in (*opened, *closed)]

    async def _known_labels(self) -> dict[str, list[int]]:
        """The ids of our labels by name; asked anew each time, since people delete and rename them."""
        known: dict[str, list[int]] = {}
        for item in await self._pages("/labels"):
            name = part(item, "name", str)
            if name in self._labels:
                known.setdefault(name, []).append(part(item, "id", int))
        return known

    async def _labels_to_send(self) -> Sequence[int]:
        known = await self._known_labels()
        for name in self._labels:
            if name not in known:
                made = await self._label(name)
                known[name] = [] if made is None else [made]
        return [key for ids in known.values() for key in ids]

    async def _label(self, name: str) -> int | None:
        """A new label; None where the token may make none: the issue matters more."""
        try:
            return part(await self._get("POST", "/labels", {"name": name, "color": LABEL_COLOUR}), "id", int)
        except SinkError as error:
            if "answers 403" not in str(error):
                raise
            return None

    async def delete(self, number: int) -> bool:
        """Whether that issue is gone: only who administers the repository may delete one."""
        reply = await self._call("DELETE", f"/issues/{number}")
        if reply.status == 403:
            return False
        if reply.status != 404:
            refuse(reply, self._web.where)
        return True

    async def _comment_items(self, path: str) -> list[Any]:
        """This list has no pages."""
        return (await self._page(path))[0]
