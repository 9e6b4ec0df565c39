"""An incident as one issue: opened once, kept fresh in one comment, closed with its story.

Theory of operation. The tracker's own list is the truth, read afresh before an issue is made: an open issue with our
marker is taken over, whoever made it and whatever answer was lost. After one was made the list is read again: of
several the lowest number stays, the others are closed as duplicates, by whoever sees them. So any number of
watchdogs, lost answers and deaths come to one issue. One that ended after an incident began was that incident's:
whoever comes late with its beginning makes none. What a human closed stays closed for that incident, and what a
human marked as unwanted is left alone. Not here: a tracker's protocol (`gitea`, `github`, `redmine`), the words.
"""

from collections.abc import Callable
from dataclasses import replace

from lifesign.alerts.alert import Alert
from lifesign.alerts.forge import Forge, Issue, Marker
from lifesign.alerts.sink import HeldBackError, Memo
from lifesign.alerts.words import closing_comment, code, issue_body, status_comment, title
from lifesign.records import dataclass
from lifesign.text import format_timestamp, parse_timestamp

STATUS_MARKER = "<!-- lifesign-status -->"
STORY_MARKER = "<!-- lifesign-story -->"
NS_PER_S = 1_000_000_000
DRILL_MARK = "/drill"  # behind the monitor's name: a drill is never mistaken for an incident, nor counted as one
LEFT_BEHIND_S = 600.0  # a drill that began so long ago is no longer under way
CLOCKS_APART_S = 600.0  # the tracker's clock may be as far behind ours, and it may know whole seconds only


@dataclass(frozen=True, slots=True)
class TrackerRules:
    """`max_issues` of this monitor are open at once; one that ended within `reopen_within_s` is reopened."""

    max_issues: int = 20
    reopen_within_s: float = 3600.0


class Tracker:
    """The sink over one `forge`. `monitor`: the name that the markers bear."""

    def __init__(self, forge: Forge, monitor: Callable[[], str], rules: TrackerRules) -> None:
        self._forge = forge
        self._monitor = monitor
        self._rules = rules

    async def close(self) -> None:
        """Releases what the forge holds."""
        await self._forge.close()

    async def deliver(self, alert: Alert, memo: Memo) -> Memo:
        """Brings the issue to where `alert` is. Raises SinkError, and HeldBackError past `max_issues`."""
        if alert.stage == "opened":
            return await self._opened(alert)
        known = memo if memo.get("incident") == alert.incident else {}
        issue = await self._known_issue(alert, known)
        if issue is None or not issue.is_open or issue.is_unwanted or _is_of_a_later_one(issue, alert):
            return known  # gone, closed by a human, or not wanted: it is left alone
        if alert.stage == "recovered":
            await self._close(issue, alert)
            return {}
        comment = await self._refresh(issue, alert, known)
        return {**_memo(alert, issue), "comment": comment}

    async def _known_issue(self, alert: Alert, known: Memo) -> Issue | None:
        number = known.get("number")
        if isinstance(number, int):
            return await self._forge.issue(number)
        if known.get("closed"):
            return None
        return next(iter(_open(self._ours(await self._every(alert.opened_at), alert))), None)

    async def _every(self, opened_at: str) -> list[Issue]:
        """All that are open, and those that were closed since this incident began, or so shortly before that it counts.

        It may have begun long before an alert was due: a silence was over, say.
        """
        return await self._forge.issues(_before(opened_at, self._rules.reopen_within_s + CLOCKS_APART_S))

    def _ours(self, every: list[Issue], alert: Alert) -> list[Issue]:
        """The issues of this component, the lowest number first."""
        return sorted((issue for issue in every if self._is_of(issue, alert)), key=lambda issue: issue.number)

    def _is_of(self, issue: Issue, alert: Alert) -> bool:
        marker = Marker.found_in(issue.body)
        return marker is not None and (marker.monitor, marker.component) == (self._whose(alert), alert.component)

    def _whose(self, alert: Alert) -> str:
        return self._monitor() + (DRILL_MARK if alert.drill else "")

    async def _opened(self, alert: Alert) -> Memo:
        every = await self._every(alert.opened_at)
        ours = self._ours(every, alert)
        if _open(ours):
            return await self._settled(ours, alert)
        if any(_is_over(issue, alert) for issue in ours):
            return {"incident": alert.incident, "closed": True}
        again = self._to_reopen(ours, alert)
        if again is not None and again.is_unwanted:
            return {"incident": alert.incident, "closed": True}
        if again is not None:
            return await self._reopen(again, alert)
        if not alert.drill:
            self._make_room(every)
        marker = Marker(self._whose(alert), alert.component, alert.opened_at)
        made = await self._forge.create(title(alert), issue_body(alert, marker.text))
        ours = self._ours(await self._every(alert.opened_at), alert)
        if all(issue.number != made.number for issue in ours):
            ours.append(made)  # a list that lags behind
        return await self._settled(sorted(ours, key=lambda issue: issue.number), alert)

    async def _settled(self, ours: list[Issue], alert: Alert) -> Memo:
        """The lowest open number stays; the others are closed as its duplicates."""
        first, *others = _open(ours)
        for other in others:
            await self._forge.comment(other.number, f"The same as issue {first.number}, which stays.\n\n{STORY_MARKER}")
            await self._forge.edit(other.number, _ended(other.body, alert.at), is_open=False)
        return _memo(alert, first)

    def _make_room(self, every: list[Issue]) -> None:
        markers = [Marker.found_in(issue.body) for issue in every if issue.is_open]
        count = sum(marker is not None and marker.monitor == self._monitor() for marker in markers)
        if count >= self._rules.max_issues:
            verb = "issue is" if count == 1 else "issues are"
            raise HeldBackError(f"{count} {verb} open, and max_issues allows no more")

    def _to_reopen(self, ours: list[Issue], alert: Alert) -> Issue | None:
        """The one that ended last, if that is not too long ago."""
        earliest = _before(alert.opened_at, self._rules.reopen_within_s)
        ended = [(marker.end, issue) for issue in ours if (marker := Marker.found_in(issue.body)) and marker.end]
        end, issue = max(ended, key=lambda pair: pair[0], default=("", None))
        return issue if end >= earliest else None

    async def _reopen(self, issue: Issue, alert: Alert) -> Memo:
        marker = Marker(self._whose(alert), alert.component, alert.opened_at)
        await self._forge.edit(issue.number, marker.put_into(issue.body), is_open=True)
        comment = await self._forge.comment(issue.number, status_comment(alert, STATUS_MARKER))
        return {**_memo(alert, issue), "comment": comment}

    async def _refresh(self, issue: Issue, alert: Alert, known: Memo) -> int:
        """Edits the one comment of this incident, or makes it."""
        words = status_comment(alert, STATUS_MARKER)
        number = known.get("comment")
        if not isinstance(number, int):
            number = await self._newest(issue, STATUS_MARKER)
        if number is not None and await self._forge.edit_comment(issue.number, number, words):
            return number
        return await self._forge.comment(issue.number, words)

    async def _newest(self, issue: Issue, marker: str) -> int | None:
        """Our comment with that marker, unless a story was told since: then it is of an incident before this one."""
        for comment in reversed(await self._forge.comments(issue.number)):
            if comment.body.endswith(marker):
                return comment.id
            if comment.body.endswith(STORY_MARKER):
                return None
        return None

    async def remove_drill(self, component: str, opened_at: str, at: str) -> str:
        """Takes away the issue of a drill, and of those that died before they could; what became of it, in words."""
        words = ""
        for issue in await self._every(opened_at):
            marker = Marker.found_in(issue.body)
            if marker is None or marker.monitor != self._monitor() + DRILL_MARK:
                continue
            if marker.component != component and marker.start > _before(at, LEFT_BEHIND_S):
                continue
            if issue.is_open:
                await self._forge.edit(issue.number, _ended(issue.body, at), is_open=False)
            is_gone = await self._forge.delete(issue.number)
            if marker.component == component:
                words = "deleted" if is_gone else "not deleted (the API or the token cannot)"
        return words

    async def _close(self, issue: Issue, alert: Alert) -> None:
        """The story first, then the end: an answer that is lost in between repeats neither."""
        told = alert.incident
        words = closing_comment(alert, f"{code(told)}\n\n{STORY_MARKER}")
        comments = await self._forge.comments(issue.number)
        if not any(told in comment.body and comment.body.endswith(STORY_MARKER) for comment in comments):
            await self._forge.comment(issue.number, words)
        await self._forge.edit(issue.number, _ended(issue.body, alert.at), is_open=False)


def _memo(alert: Alert, issue: Issue) -> Memo:
    return {"incident": alert.incident, "number": issue.number, "url": issue.url}


def _open(issues: list[Issue]) -> list[Issue]:
    return [issue for issue in issues if issue.is_open]


def _is_over(issue: Issue, alert: Alert) -> bool:
    """Whether this very incident has had that issue: a human closed it, or another watchdog saw the end of it."""
    marker = Marker.found_in(issue.body)
    if marker is None or issue.is_open:
        return False
    return marker.start == alert.opened_at or (marker.end or issue.closed_at) >= alert.opened_at


def _is_of_a_later_one(issue: Issue, alert: Alert) -> bool:
    """Whether another watchdog has opened it for an incident that began after what we have to tell."""
    marker = Marker.found_in(issue.body)
    return marker is not None and marker.start > alert.at


def _ended(body: str, end: str) -> str:
    marker = Marker.found_in(body)
    return body if marker is None else replace(marker, end=end).put_into(body)


def _before(stamp: str, seconds: float) -> str:
    return format_timestamp(max(0, parse_timestamp(stamp) - int(seconds * NS_PER_S)))
