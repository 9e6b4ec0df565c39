"""A moment of a component's past, `lifesign.past/1`: how it stood then, as far as anybody can still tell.

A moment is one of its own changes: something was told of it, or an operator laid something upon it. Null means that
nobody knows any more. Times are UTC RFC 3339. Not here: how it is found out (`api.looking_back`).
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from lifesign.api.documents import EventDocument
from lifesign.records import dataclass
from lifesign.text import format_timestamp, parse_timestamp

PAST_SCHEMA: Literal["lifesign.past/1"] = "lifesign.past/1"
MOST_STEPS = 100


class PastCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check as it stood. `type`, `layer` and `optional` are null for one that is no longer in the config."""

    name: str
    type: str | None
    layer: str | None
    optional: bool | None
    state: str | None
    message: str
    last_at: str | None
    latency_ms: float | None
    consecutive_failures: int | None


class OpenThen(msgspec.Struct, frozen=True, kw_only=True):
    """The incident that was open. `opened_at`: null where it is no longer told."""

    id: str
    opened_at: str | None


class PastState(msgspec.Struct, frozen=True, kw_only=True):
    """One component as it stood at `at`, and until `until` (null: until now), when it next changed.

    `events`: what changed at that moment. `restart`: what was told last of restarts in the incident of then.
    `notices`: what operators had laid upon it. `layers`: of those that it has checks of.
    """

    at: str
    until: str | None
    events: list[EventDocument]
    state: str | None
    since: str | None
    diagnosis: str
    restart: str
    incident: OpenThen | None
    notices: list[str]
    layers: dict[str, str | None]
    last_work_at: str | None
    consecutive_failures: int | None
    checks: list[PastCheck]


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `moment`: null where there is no change of it on that side that is kept."""

    schema: Literal["lifesign.past/1"]
    generated_at: str
    component: str
    moment: PastState | None


@dataclass(frozen=True, slots=True)
class Step:
    """Which change: the `count`-th before `moment`, RFC 3339 (empty: now), or after it (`later`)."""

    moment: str = ""
    later: bool = False
    count: int = 1

    def query(self) -> dict[str, str]:
        """As the query of a request."""
        side = {"after" if self.later else "before": self.moment} if self.moment else {}
        return {**side, "count": str(self.count)}


def step_of(query: Mapping[str, str]) -> Step:
    """What a query asks for. Raises ValueError with a sentence for the user."""
    sides = [side for side in ("before", "after") if query.get(side)]
    if not sides:
        return Step(count=_count(query))
    if len(sides) > 1:
        raise ValueError("say either `before` or `after`, an RFC 3339 time with a zone")
    try:
        moment = format_timestamp(parse_timestamp(query[sides[0]]))
    except (ValueError, OverflowError):
        raise ValueError(f"`{sides[0]}` is an RFC 3339 time with a zone") from None
    return Step(moment, later=sides[0] == "after", count=_count(query))


def _count(query: Mapping[str, str]) -> int:
    count = query.get("count", "1")
    if not (count.isascii() and count.isdecimal() and len(count) < 4 and 1 <= int(count) <= MOST_STEPS):
        raise ValueError(f"`count` is a number from 1 to {MOST_STEPS}")
    return int(count)
