"""One common cause (reliability.md, R7): most components going down together is hardly their own fault.

While it is suspected nothing is restarted by itself; it ends with the first recovery, or after ten minutes. From then
on those that went down together are restarted one at a time, until each has recovered.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, Instant

COMPONENTS = 3  # at least so many and over half of all, within WITHIN_NS
WITHIN_NS = 10 * NS_PER_S
HOLDS_NS = 600 * NS_PER_S
AWAY_NS = 60 * NS_PER_S  # who went down just before we were away so long at most, may be the first of many


def announced(events: Iterable[Event], components: int, now: Instant) -> list[Event]:
    """The announcement, where of so many `components` most went down in these `events` of one moment."""
    cause = CommonCause(now.mono_ns)
    downs = [event.component for event in events if event.name is EventName.COMPONENT_DOWN and event.component]
    told = [event for name in downs for event in cause.went_down(name, components, now)]
    return [replace(event, data={"components": [*sorted(cause.together)]}) for event in told]


class CommonCause:
    """`together`: who went down with others and has not recovered since. Times are monotonic."""

    __slots__ = ("_went_down", "together", "until_ns")

    def __init__(self, now_ns: int) -> None:
        self.until_ns = now_ns
        self.together: set[str] = set()
        self._went_down: dict[str, int] = {}

    def is_suspected(self, now_ns: int) -> bool:
        """Whether nothing may be restarted by itself for now."""
        return now_ns < self.until_ns

    def went_down(self, name: str, components: int, now: Instant) -> list[Event]:
        """Another of so many `components` went down; the announcement, if that makes it a common cause."""
        recent = self._went_down  # the oldest first: with ten thousand down at once none is looked at twice
        recent.pop(name, None)
        recent[name] = now.mono_ns
        while now.mono_ns - recent[oldest := next(iter(recent))] > WITHIN_NS:
            del recent[oldest]
        if len(recent) < COMPONENTS or 2 * len(recent) <= components:
            return []
        if self.is_suspected(now.mono_ns):
            self.together.add(name)
            return []
        self.together |= recent.keys()
        self.until_ns = now.mono_ns + HOLDS_NS
        words = f"{len(recent)} of {components} components went down within 10 s: one common cause"
        return [Event(EventName.OBSERVER_SUSPECT, now.wall_ns, message=words, data={"components": [*sorted(recent)]})]

    def recovered(self, name: str, now_ns: int) -> None:
        """One is well again: so may the others be made."""
        self.until_ns = min(self.until_ns, now_ns)
        self.together.discard(name)

    def keep(self, names: Collection[str]) -> None:
        """Forgets everybody else."""
        self._went_down = {name: moment for name, moment in self._went_down.items() if name in names}
        self.together &= set(names)

    def recall_downs(self, names: Iterable[str], until_ns: int) -> None:
        """These went down just before we began anew: who is down by `until_ns` too went down with them."""
        self._went_down = dict.fromkeys(names, until_ns - WITHIN_NS)

    def recall(self, name: str, until_ns: int) -> None:
        """`name` went down with others before we began anew."""
        self.together.add(name)
        self.until_ns = max(self.until_ns, until_ns)
