"""The judge is worth what it notices: of each law a break is planted, and told under that law's name."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifesign.core.effects import Effect, Look, Record
from lifesign.core.events import Event, EventName
from lifesign.core.model import CheckId, ComponentState, Instant, Observation
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec
from lifesign.core.view import CheckView, ComponentView, MonitorView
from tests.simulation.faults import Fault, Kind
from tests.simulation.invariants import Checker
from tests.simulation.laws import LAWS
from tests.simulation.shrinking import law
from tests.simulation.simulator import START, Simulator
from tests.simulation.world import WELL, World

TESTS = Path(__file__).parents[1]


class Liar:
    """A monitor whose effects and views are not what its core decided."""

    def __init__(
        self,
        monitor: Monitor,
        effects: Callable[[list[Effect]], list[Effect]] = lambda told: told,
        view: Callable[[MonitorView], MonitorView] = lambda shown: shown,
    ) -> None:
        self._monitor = monitor
        self._effects = effects
        self._view = view

    def __getattr__(self, name: str) -> Any:
        return getattr(self._monitor, name)

    def tick(self, now: Instant) -> tuple[Effect, ...]:
        return tuple(self._effects([*self._monitor.tick(now)]))

    def observe(self, check: CheckId, found: Observation, now: Instant, run: int) -> tuple[Effect, ...]:
        return tuple(self._effects([*self._monitor.observe(check, found, now, run)]))

    def view(self, now: Instant) -> MonitorView:
        return self._view(self._monitor.view(now))


def simulator() -> Simulator:
    whole = Simulator(5, count=400)
    return Simulator(5, tuple(fault for fault in whole.plan if fault.kind is not Kind.DEATH))


def lying(**lies: Any) -> Simulator:
    planted = simulator()
    planted._monitor = Liar(planted._monitor, **lies)  # type: ignore[assignment]
    return planted


def judged_as(change: Callable[[CheckSpec], CheckSpec]) -> Simulator:
    """The judge is told of other limits than the monitor."""
    planted = simulator()
    others = tuple(replace(c, checks=tuple(map(change, c.checks))) for c in planted.components)
    planted.judged_by(Checker(others, START.mono_ns))
    return planted


def of_another_threshold() -> Simulator:
    return judged_as(lambda check: replace(check, failure_threshold=check.failure_threshold + 1))


def of_another_flapping() -> Simulator:
    return judged_as(lambda check: replace(check, flap_changes=2))


class Rosy(World):
    def look(self, at: CheckId, run: int, now: Instant) -> Observation:
        return WELL if at.check == "port" else super().look(at, run, now)


def of_looks_that_always_pass() -> Simulator:
    planted = simulator()
    planted._world = Rosy(planted.components, START, planted._seed, planted._checker.wrote)
    return planted


def _names(effect: Effect, name: EventName) -> bool:
    return isinstance(effect, Record) and effect.event.name is name


def of_recoveries_too_early() -> Simulator:
    early: list[Effect] = []

    def hurried(effects: list[Effect]) -> list[Effect]:
        due = [*early]
        early[:] = [
            Record(replace(e.event, name=EventName.COMPONENT_RECOVERED))
            for e in effects
            if isinstance(e, Record) and e.event.name is EventName.COMPONENT_DOWN
        ]
        return due + effects

    return lying(effects=hurried)


def of_downs_told_twice() -> Simulator:
    return lying(effects=lambda told: told + [e for e in told if _names(e, EventName.COMPONENT_DOWN)])


def of_recoveries_not_told() -> Simulator:
    return lying(effects=lambda told: [e for e in told if not _names(e, EventName.COMPONENT_RECOVERED)])


def of_looks_twice() -> Simulator:
    return lying(effects=lambda told: told + [e for e in told if isinstance(e, Look)])


def of_transitions_told_by(kind: Kind) -> Simulator:
    told = Record(Event(EventName.CHECK_FAILED, START.wall_ns, component="gateway", check="port"))
    planted = Simulator(5, (Fault(500, kind, "gateway", "port", 60.0),))
    asked = planted._disturb

    def louder(law: str, effects: Iterable[Effect]) -> None:
        asked(law, (*effects, told))

    planted._disturb = louder  # type: ignore[method-assign]
    return planted


def of_a_reload_that_tells() -> Simulator:
    return of_transitions_told_by(Kind.RELOAD)


def of_a_silence_that_tells() -> Simulator:
    return of_transitions_told_by(Kind.SILENCE)


def _shown(change: Callable[[ComponentView], ComponentView]) -> Callable[[MonitorView], MonitorView]:
    return lambda view: replace(view, components=tuple(map(change, view.components)))


def of_no_suppression() -> Simulator:
    return lying(view=_shown(lambda component: replace(component, suppressed_by=None)))


def of_nothing_overdue() -> Simulator:
    def punctual(check: CheckView) -> CheckView:
        return replace(check, overdue=False)

    planted = Simulator(5, (Fault(500, Kind.LOST, "gateway", "port", 900.0),))
    planted._monitor = Liar(  # type: ignore[assignment]
        planted._monitor, view=_shown(lambda c: replace(c, checks=tuple(map(punctual, c.checks))))
    )
    return planted


def of_the_whole_always_degraded() -> Simulator:
    return lying(view=lambda view: replace(view, overall=ComponentState.DEGRADED))


def of_stalls_not_minded() -> Simulator:
    stalls = tuple(Fault(30, Kind.STALL, duration_s=40.0) for _ in range(8))
    planted = Simulator(5, stalls)
    planted._monitor = Liar(  # type: ignore[assignment]
        planted._monitor, view=lambda view: replace(view, overall=ComponentState.DEGRADED)
    )
    return planted


def of_an_outage_without_end() -> Simulator:
    return Simulator(5, (Fault(500, Kind.OUTAGE, "gateway", "port", 100_000.0),))


PLANTED = {
    "S1-S4": of_another_threshold,
    "S2": of_looks_that_always_pass,
    "S3": of_recoveries_too_early,
    "S6": of_another_flapping,
    "S7": of_downs_told_twice,
    "S7 ": of_recoveries_not_told,
    "S8": of_a_reload_that_tells,
    "S9": of_a_silence_that_tells,
    "S10": of_no_suppression,
    "T3": of_stalls_not_minded,
    "T4": of_looks_twice,
    "T5": of_nothing_overdue,
    "roll-up": of_the_whole_always_degraded,
    "calm": of_an_outage_without_end,
}


def test_without_a_plant_nothing_is_told() -> None:
    assert law(simulator().run()) == ""


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_break_is_told_by_the_name_of_its_law(name: str) -> None:
    assert law(PLANTED[name]().run()) == name.strip()


def test_every_law_is_held_by_the_judge_or_by_a_test_that_exists() -> None:
    for promise in LAWS:
        assert promise.judge or promise.tests, promise.name
        assert not promise.judge or promise.judge in PLANTED, promise.name
        for where in promise.tests:
            path, _, function = where.partition("::")
            tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
            assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, where
