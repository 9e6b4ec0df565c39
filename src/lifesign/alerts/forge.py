"""What a tracker of issues must be able to do, and the marker by which an issue is known as ours.

Not here: any tracker's protocol, and when an issue is opened, edited or closed (`tracker`).
"""

import re
from typing import Protocol

from lifesign.records import dataclass
from lifesign.text import format_timestamp, parse_timestamp

OWN_LABEL = "lifesign"  # where the config names none: by a label the list is short
WONTFIX = frozenset({"wontfix", "won't fix", "wont-fix", "status/wontfix"})
_MARKER = re.compile(
    r"<!-- lifesign:(?P<monitor>[^:\s]+):(?P<component>\S+) start=(?P<start>\S+)(?: end=(?P<end>\S+))? -->"
)


@dataclass(frozen=True, slots=True)
class Marker:
    """Whose issue it is: of which monitor and component, since when, and until when it was known to be broken.

    `end` is set by us when we close it: one without an end that is closed was closed by a human. Two redundant
    watchdogs share the monitor's name, not the incident's id, so the id is no part of it.
    """

    monitor: str
    component: str
    start: str
    end: str | None = None

    @property
    def text(self) -> str:
        """As it stands in a body, unseen where comments of HTML are."""
        end = f" end={self.end}" if self.end else ""
        return f"<!-- lifesign:{self.monitor}:{self.component} start={self.start}{end} -->"

    @classmethod
    def found_in(cls, body: str) -> "Marker | None":
        """The last marker of `body`: what a human quotes stands before it."""
        places = list(_MARKER.finditer(body))
        return cls(**places[-1].groupdict()) if places else None

    def put_into(self, body: str) -> str:
        """`body` with this marker in place of its last one."""
        places = list(_MARKER.finditer(body))
        if not places:
            return f"{body}\n\n{self.text}"
        return body[: places[-1].start()] + self.text + body[places[-1].end() :]


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue, as far as we need it. `closed_at`: RFC 3339 in UTC with milliseconds, "" where it is open."""

    number: int
    body: str
    is_open: bool
    labels: frozenset[str] = frozenset()
    url: str = ""
    closed_at: str = ""

    @property
    def is_unwanted(self) -> bool:
        """Whether a human has said that it will not be mended."""
        return any(label.lower() in WONTFIX for label in self.labels)


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment on an issue."""

    id: int
    body: str


def moment(text: object) -> str:
    """A tracker's time in our own form, so that times compare as text; "" where it is none."""
    if not isinstance(text, str):
        return ""
    try:
        return format_timestamp(parse_timestamp(text))
    except ValueError:
        return ""


class Forge(Protocol):
    """One project in one tracker. Everything raises SinkError."""

    async def issues(self, closed_since: str) -> list[Issue]:
        """All open ones with our label, and those closed that changed since then (RFC 3339); read from the database."""
        ...

    async def issue(self, number: int) -> Issue | None:
        """That one; None where it is gone."""
        ...

    async def create(self, title: str, body: str) -> Issue:
        """A new one, with labels and assignees."""
        ...

    async def edit(self, number: int, body: str, *, is_open: bool) -> None:
        """Its body, and whether it is open."""
        ...

    async def comments(self, number: int) -> list[Comment]:
        """All comments, oldest first."""
        ...

    async def comment(self, number: int, body: str) -> int:
        """A new comment; its id."""
        ...

    async def edit_comment(self, number: int, comment: int, body: str) -> bool:
        """Whether the comment was still there to be edited."""
        ...

    async def delete(self, number: int) -> bool:
        """Whether that issue is gone; it stays where the API, or the token, can delete none."""
        ...

    async def close(self) -> None:
        """Releases what is held."""
        ...
