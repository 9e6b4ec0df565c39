"""Which components are shown, and in which order: pure. Not here: the cursor (`widgets.listing`)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from lifesign.api.documents import Component
from lifesign.records import dataclass

_SEVERITY = {"down": 0, "unknown": 1, "degraded": 2, "starting": 3, "paused": 4, "healthy": 5}
_UNCONCERNED = 9


class Sort(StrEnum):
    """The orders that there are, as they are called on the screen."""

    WORST = "worst first"
    NAME = "by name"
    STALE = "nearest its limit first"
    FAILURES = "most failures first"
    CHANGED = "last changed first"

    def step(self, by: int) -> "Sort":
        """The order so many places on, round and round."""
        orders = list(Sort)
        return orders[(orders.index(self) + by) % len(orders)]

    def key(self, component: Component) -> tuple[Any, ...]:
        """What is compared; equals stand by name."""
        match self:
            case Sort.WORST:
                return (severity(component.state), component.name)
            case Sort.NAME:
                return (component.name,)
            case Sort.STALE:
                return (-_used_up(component), component.name)
            case Sort.FAILURES:
                return (-component.consecutive_failures, component.name)
            case Sort.CHANGED:
                return (_backwards(component.since), component.name)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the operator wants to see. `pattern` is a plain substring; a leading `!` inverts it."""

    pattern: str = ""
    problems_only: bool = False
    sort: Sort = Sort.WORST
    reverse: bool = False

    def admits(self, component: Component) -> bool:
        """Whether `component` is shown."""
        if self.problems_only and component.state == "healthy" and not component.flapping:
            return False
        wanted = self.pattern.strip().casefold()
        inverted = wanted.startswith("!")
        wanted = wanted.removeprefix("!").strip()
        if not wanted:
            return True
        words = (component.name, component.title, component.state, component.diagnosis, *component.tags)
        return any(wanted in word.casefold() for word in words) is not inverted


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The components in the order shown. `would_change`: the order asked for is another one."""

    components: tuple[Component, ...] = ()
    would_change: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order shown."""
        return tuple(component.name for component in self.components)


def concerned(
    components: Sequence[Component], previous: Sequence[str] = (), *, frozen: bool = False, quiet_only: bool = False
) -> Arrangement:
    """Those with an open incident, a silence, a hold or restarts given up: open and untaken first, then worst first.

    `quiet_only`: the silenced and held alone.
    """
    found = sorted((one for one in components if _rank(one) < _UNCONCERNED), key=lambda one: (_rank(one), one.name))
    if quiet_only:
        found = [one for one in found if one.silence is not None or one.hold is not None]
    return _held(found, previous, frozen=frozen)


def _rank(component: Component) -> int:
    exhausted = component.restart is not None and component.restart.phase == "exhausted"
    if component.incident is not None or exhausted:
        quiet = component.silence is not None or component.hold is not None
        return 3 if component.acknowledged is not None else 2 if quiet else 0 if exhausted else 1
    return 4 if component.silence is not None or component.hold is not None else _UNCONCERNED


def severity(state: str) -> int:
    """0 is worst. A state that this console does not know counts as unknown."""
    return _SEVERITY.get(state, _SEVERITY["unknown"])


def arrange(
    components: Sequence[Component], selection: Selection, previous: Sequence[str] = (), *, frozen: bool = False
) -> Arrangement:
    """The components that `selection` admits, in its order.

    `frozen`: the order of `previous` stands, and newcomers go to the end.
    """
    admitted = [component for component in components if selection.admits(component)]
    admitted.sort(key=selection.sort.key, reverse=selection.reverse)
    return _held(admitted, previous, frozen=frozen)


def _held(wanted: list[Component], previous: Sequence[str], *, frozen: bool) -> Arrangement:
    if not frozen:
        return Arrangement(tuple(wanted))
    place = {name: index for index, name in enumerate(previous)}
    held = sorted(wanted, key=lambda component: place.get(component.name, len(place)))
    return Arrangement(tuple(held), would_change=held != wanted)


def _used_up(component: Component) -> float:
    """How much of its limit the work signal has used up; below 0 where it has none."""
    if component.staleness_s is None or not component.stale_after_s:
        return -1.0
    return component.staleness_s / component.stale_after_s


def _backwards(moment: str) -> tuple[int, ...]:
    """A key that puts later times first: times in one format compare as their letters do."""
    return tuple(-ord(letter) for letter in moment)
