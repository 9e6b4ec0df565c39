"""Somebody who asks a monitor again and again, as its API does, and what must come of it: the same as for the first."""

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from lifesign.api.copies import Copies, Copy
from lifesign.api.metric_lines import components_text
from lifesign.api.render import component_document
from lifesign.api.sampled import Steady
from lifesign.core.component import overall_state
from lifesign.core.known import Known
from lifesign.core.model import ComponentState, Instant
from lifesign.core.monitor import Monitor
from lifesign.core.view import Changes
from tests.api.fakes import FakeBackend

T = TypeVar("T")


class Asked(FakeBackend):
    """A backend over a real monitor, at the moment that a test says."""

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self.monitor = monitor
        self.now = Instant(0, 0, 0)
        self.copies = Copies(self)
        self.steady = Steady()

    def states(self) -> dict[str, ComponentState]:
        return {name: component.state for name, component in self.monitor.components.items()}

    def changes(self, known: Known, names: Iterable[str] | None = None, *, ages: bool = True) -> Changes:
        return self.monitor.changes(self.now, known, names, ages=ages)

    def outdated(self, known: Known, *, ages: bool = True) -> Sequence[str]:
        return self.monitor.outdated(self.now, known, ages=ages)

    def ask(self, now: Instant) -> None:
        """What was kept and brought up to date is byte for byte what is made anew, and so is the whole."""
        self.now = now
        found, kept = at_once(self.copies.renewed())
        view = self.monitor.view(now)
        made = [component_document(component) for component in view.components]
        assert [copy.encoded(now.mono_ns).decode() for copy in kept] == [
            msgspec.json.encode(one).decode() for one in made
        ]
        anew = b"".join(components_text([Copy(c) for c in view.components], now.mono_ns, Steady()))
        assert b"".join(components_text(kept, now.mono_ns, self.steady)) == anew
        assert [copy.overdue for copy in kept] == [sum(c.overdue for c in one.checks) for one in view.components]
        assert (found.overall, found.observer) == (view.overall, view.observer)
        if found.overall is not ComponentState.UNKNOWN:  # which our own stalls, too, may make of it
            components = self.monitor.components.values()
            expected = overall_state(((c.state, c.spec.optional) for c in components), monitor_works=True)
            assert found.overall is expected


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What comes of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    raise AssertionError("it waits")
