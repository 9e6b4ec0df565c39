"""The overview of what a monitor watches: how everything stands, and what became of it. Nothing is decided here.

Not here: what changes it (`monitor`), and what of a component is shown (`showing`).
"""

from collections.abc import Iterable, Sequence

from lifesign.core.governing import Governing
from lifesign.core.incident import TrackedComponent
from lifesign.core.known import Known
from lifesign.core.model import CheckId, ComponentState, Instant, ObserverState
from lifesign.core.observer import Observer
from lifesign.core.showing import component_view
from lifesign.core.standing import component_changes
from lifesign.core.view import Changes, MonitorView
from lifesign.core.whole import Whole


class Overview:
    """What can be asked of a monitor, which holds what this reads."""

    components: dict[str, TrackedComponent]
    _governing: Governing
    _observer: Observer
    _observer_state: ObserverState
    _whole: Whole

    def suppressed_by(self, component: TrackedComponent) -> str | None:
        """The dependency that is down, if one is."""
        return self._governing.suppressed_by(component)

    @property
    def observer(self) -> ObserverState:
        """Whether we may trust our own eyes, as of the last call."""
        return self._observer_state

    def overall(self, now: Instant) -> ComponentState:
        """The state of the whole."""
        return self._whole.state(now.mono_ns, monitor_works=not self._observer.fails_to_work(now.mono_ns))

    def view(self, now: Instant, names: Iterable[str] | None = None) -> MonitorView:
        """Everything as it stands. `names`: of the components only these, as far as there are such."""
        views = tuple(component_view(c, now, self.suppressed_by(c)) for c in self._shown(names))
        return MonitorView(now, self.overall(now), self._observer_state, views)

    def changes(self, now: Instant, known: Known, names: Iterable[str] | None = None, *, ages: bool = True) -> Changes:
        """What became of the views that are `known`; `names` as for `view`, `ages` as `component_changes`."""
        names = self.outdated(now, known, ages=ages) if names is None else names
        found = component_changes(self._shown(names), known.standings, now, self.suppressed_by, ages=ages)
        return Changes(now, self.overall(now), self._observer_state, found)

    def outdated(self, now: Instant, known: Known, *, ages: bool = True) -> Sequence[str]:
        """Of which components there may be `changes`; of no other is there any."""
        return known.outdated(self.components, now, self.suppressed_by, ages=ages)

    def looked_ns(self, check: CheckId) -> int:
        """When the newest look began that was taken, on the monotonic clock. KeyError: no such check."""
        return self.components[check.component].checks[check.check].looked_ns

    def _shown(self, names: Iterable[str] | None) -> Iterable[TrackedComponent]:
        held = self.components
        return held.values() if names is None else [held[name] for name in names if name in held]
