"""Which of the views that somebody has is not right any more: found among a thousand for the cost of one.

Not here: for how long a view is right, and what becomes of one that is not (`standing`).
"""

from array import array
from collections.abc import Callable, Mapping

from lifesign.core.incident import TrackedComponent
from lifesign.core.model import Instant
from lifesign.core.view import Standing

_NEVER = -1  # the revision of no component: whose view is of other clocks is found until somebody has another


class Known:
    """The `standings` of all views that somebody has, by component. Change them by `learn` and `forget` alone.

    What is asked of each component in vain lies side by side: to look it up in each `Standing` costs ten times as much.
    """

    __slots__ = (
        "_ages",
        "_clocks",
        "_components",
        "_depend",
        "_followed",
        "_places",
        "_revisions",
        "_untils_ns",
        "standings",
    )

    def __init__(self, standings: Mapping[str, Standing] | None = None) -> None:
        self.standings = dict[str, Standing](standings or {})
        # By which those count that have a revision: how far they are ahead of the monotonic one.
        self._clocks: tuple[int, int] | None = None
        self._components: Mapping[str, TrackedComponent] = {}
        self._follow(self._components)

    def learn(self, name: str, standing: Standing) -> None:
        """Somebody has that view of it now."""
        self.standings[name] = standing
        place = self._places.get(name)
        if place is not None:
            self._put(name, place, standing)

    def _put(self, name: str, place: int, standing: Standing) -> None:
        is_of_now = (standing.wall_ahead_ns, standing.boot_ahead_ns) == self._clocks
        self._revisions[place] = standing.revision if is_of_now else _NEVER
        self._untils_ns[place] = standing.until_ns
        if standing.ages:
            self._ages[name] = None
        else:
            self._ages.pop(name, None)

    def forget(self, name: str) -> None:
        """Nobody has a view of it any more."""
        del self.standings[name]
        self._components = {}  # whatever they are, they are followed anew

    def outdated(
        self,
        components: Mapping[str, TrackedComponent],
        now: Instant,
        suppressed_by: Callable[[TrackedComponent], str | None],
        *,
        ages: bool,
    ) -> list[str]:
        """Of which of `components` there is no view that is right as it is; perhaps some more.

        `components`: the same object while they are the same. `ages`: whether an age must be of now.
        """
        clocks = now.wall_ns - now.mono_ns, now.boot_ns - now.mono_ns
        if components is not self._components or clocks != self._clocks:
            self._clocks = clocks
            self._follow(components)
        now_ns = now.mono_ns
        found = [
            component.spec.name
            for component, revision, until_ns in zip(self._followed, self._revisions, self._untils_ns, strict=True)
            if component.revision != revision or until_ns <= now_ns
        ]
        for component in self._depend:
            held = self.standings.get(component.spec.name)
            if held is not None and held.suppressed_by != suppressed_by(component):
                found.append(component.spec.name)
        return list(dict.fromkeys([*found, *self._ages])) if ages and self._ages else found

    def _follow(self, components: Mapping[str, TrackedComponent]) -> None:
        self._components = components
        self._followed = list(components.values())
        self._depend = [component for component in self._followed if component.spec.depends_on]
        self._places = {name: place for place, name in enumerate(components)}
        self._revisions = array("q", [_NEVER]) * len(components)  # not known yet
        self._untils_ns = array("q", [0]) * len(components)
        self._ages: dict[str, None] = {}
        for name, place in self._places.items():
            if name in self.standings:
                self._put(name, place, self.standings[name])
