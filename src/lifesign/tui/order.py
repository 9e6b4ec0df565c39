"""Which components are shown, and in which order: pure. Not here: the cursor (`widgets.listing`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from lifesign.api.documents import Component

_SEVERITY = {"down": 0, "unknown": 1, "degraded": 2, "starting": 3, "paused": 4, "healthy": 5}
_UNCONCERNED = 9


@dataclass(frozen=True, slots=True)
class Selection:
    """What the operator wants to see. `pattern` is a plain substring; a leading `!` inverts it."""

    pattern: str = ""
    problems_only: bool = False

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
    """The components in the order shown. `would_change`: worst first would be another order."""

    components: tuple[Component, ...] = ()
    would_change: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order shown."""
        return tuple(component.name for component in self.components)


def concerned(components: Sequence[Component], previous: Sequence[str] = (), *, frozen: bool = False) -> Arrangement:
    """Those with an open incident, a silence, a hold or restarts given up: open and untaken first, then worst first."""
    found = sorted((one for one in components if _rank(one) < _UNCONCERNED), key=lambda one: (_rank(one), one.name))
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
    """The components that `selection` admits, worst first and then by name.

    `frozen`: the order of `previous` stands, and newcomers go to the end.
    """
    admitted = [component for component in components if selection.admits(component)]
    worst_first = sorted(admitted, key=lambda component: (severity(component.state), component.name))
    return _held(worst_first, previous, frozen=frozen)


def _held(worst_first: list[Component], previous: Sequence[str], *, frozen: bool) -> Arrangement:
    if not frozen:
        return Arrangement(tuple(worst_first))
    place = {name: index for index, name in enumerate(previous)}
    held = sorted(worst_first, key=lambda component: place.get(component.name, len(place)))
    return Arrangement(tuple(held), would_change=held != worst_first)
