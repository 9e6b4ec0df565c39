"""The state of the whole, kept in step with that of each component: asking for it costs the same for any number.

Not here: what the whole makes of its parts (`component.overall_state`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from lifesign.core.component import overall_state
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import ComponentState
from lifesign.core.tracked import TrackedCheck


class Whole:
    """How many components are in each state, and whether stalls of ours keep a check from ever failing."""

    __slots__ = ("_blinded_until_ns", "_counts", "_held")

    def __init__(self) -> None:
        self._held: dict[str, tuple[ComponentState, bool]] = {}
        self._counts: Counter[tuple[ComponentState, bool]] = Counter()
        self._blinded_until_ns: int | None = None

    def follow(self, components: Mapping[str, TrackedComponent]) -> None:
        """These are the parts from now on."""
        self._held = {name: (component.state, component.spec.optional) for name, component in components.items()}
        self._counts = Counter(self._held.values())
        self.excused(check for component in components.values() for check in component.checks.values())

    def note(self, component: TrackedComponent) -> None:
        """The state of `component` may have changed."""
        name, is_now = component.spec.name, (component.state, component.spec.optional)
        was = self._held[name]
        if was != is_now:
            self._held[name] = is_now
            self._counts[was] -= 1
            self._counts[is_now] += 1

    def excused(self, checks: Iterable[TrackedCheck]) -> None:
        """We had stalled; these are all checks."""
        ends = (check.machine.blinded_until_ns for check in checks)
        self._blinded_until_ns = max((end for end in ends if end is not None), default=None)

    def state(self, now_ns: int, *, monitor_works: bool) -> ComponentState:
        """The state of the whole."""
        blinded = self._blinded_until_ns is not None and now_ns <= self._blinded_until_ns
        present = [state for state, count in self._counts.items() if count]
        return overall_state(present, monitor_works=monitor_works and not blinded)
