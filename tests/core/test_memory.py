"""What survives: a monitor that is killed, and goes on from its memory, tells and holds what one that lived on does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifesign.core.events import Event, EventName
from lifesign.core.memory import ComponentMemory, MachineMemory, MonitorMemory, absence, removed
from lifesign.core.model import (
    CheckId,
    CheckState,
    ComponentState,
    Identity,
    Instant,
    Layer,
    Observation,
    Verdict,
    WorkSignal,
)
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, SignalPolicy
from tests.core.stage import FAIL, OK, START, UNKNOWN, WARN, S, check, component

PORT = CheckId("gateway", "port")
DOWN, RECOVERED = EventName.COMPONENT_DOWN, EventName.COMPONENT_RECOVERED


class Life:
    """A monitor to which everything comes by itself, and that may be killed: its clocks begin anew then."""

    def __init__(self, *components: ComponentSpec) -> None:
        self.spec = MonitorSpec(components)
        self.now = START
        self.monitor = Monitor(self.spec, self.now)
        self.events: list[Event] = []

    def run(self, duration_s: float) -> "Life":
        """Ticks in time, as the engine does; its looks never come back, which tells nothing."""
        end_ns = self.now.mono_ns + round(duration_s * S)
        while (next_ns := self.monitor.deadline()) < end_ns:
            self.now = self.now.after(max(1, next_ns - self.now.mono_ns))
            self._take(self.monitor.tick(self.now))
        self.now = self.now.after(end_ns - self.now.mono_ns)
        self._take(self.monitor.tick(self.now))
        return self

    def tell(self, verdict: Verdict, at: CheckId = PORT, **seen: object) -> "Life":
        self._take(self.monitor.observe(at, Observation(verdict, "seen", **seen), self.now))  # type: ignore[arg-type]
        return self

    def _take(self, effects: Sequence[object]) -> None:
        self.events += [effect.event for effect in effects if hasattr(effect, "event")]

    def kill(self, away_s: float = 0.0, *components: ComponentSpec) -> "Life":
        """Nothing is left but the memory; so long after, another machine's clocks."""
        memory = self.monitor.memory(self.now)
        self.spec = MonitorSpec(components) if components else self.spec
        self.now = Instant(77 * S, self.now.wall_ns + round(away_s * S), 99 * S)
        self.monitor = Monitor(self.spec, self.now, memory)
        return self

    def told(self) -> list[tuple[EventName, str | None]]:
        return [(event.name, event.check) for event in self.events]

    def names(self) -> list[EventName]:
        return [event.name for event in self.events if event.name in (DOWN, RECOVERED)]

    @property
    def gateway(self) -> ComponentState:
        return self.monitor.components["gateway"].state

    def check_states(self) -> list[CheckState]:
        return [view.state for c in self.monitor.view(self.now).components for view in c.checks]


def port(**changes: object) -> CheckSpec:
    fields: dict[str, Any] = {"interval_ns": 3600 * S, "grace_ns": 0, "failure_threshold": 3, "success_threshold": 2}
    return check("port", **{**fields, **changes})


def gateway(**changes: object) -> ComponentSpec:
    return component("gateway", port(**changes))


steps = st.lists(
    st.tuples(st.sampled_from([OK, WARN, FAIL, FAIL, UNKNOWN]), st.integers(1, 20)), min_size=1, max_size=40
)


@given(
    script=steps,
    deaths=st.sets(st.integers(0, 40), max_size=6),
    away_s=st.sampled_from([0.0, 3.0, 86_400.0]),
    failure_for_s=st.sampled_from([None, 7, 30]),
    flap_changes=st.integers(2, 6),
)
@example(script=[(FAIL, 1)] * 4, deaths={1, 2, 3}, away_s=3.0, failure_for_s=None, flap_changes=6)
def test_a_life_with_deaths_in_it_tells_and_holds_what_one_without_does(
    script: list[tuple[Verdict, int]], deaths: set[int], away_s: float, failure_for_s: int | None, flap_changes: int
) -> None:
    spec = gateway(
        failure_for_ns=None if failure_for_s is None else failure_for_s * S,
        flap_changes=flap_changes,
        flap_window_ns=60 * S,
    )
    killed, spared = Life(spec), Life(spec)
    for number, (verdict, wait_s) in enumerate(script):
        for life in (killed, spared):
            life.run(wait_s).tell(verdict)
        if number in deaths:
            killed.kill(away_s)
        assert killed.check_states() == spared.check_states()
        assert killed.gateway == spared.gateway
    assert killed.told() == spared.told()


@given(
    beats=st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 40)), min_size=1, max_size=20),
    deaths=st.sets(st.integers(0, 20), max_size=4),
)
def test_a_work_signal_is_judged_over_deaths_as_without_them(
    beats: list[tuple[bool, bool, int]], deaths: set[int]
) -> None:
    spec = component(
        "gateway",
        port(
            layer=Layer.WORKING,
            failure_threshold=1,
            success_threshold=1,
            signal=SignalPolicy(30 * S, stuck_after_ns=60 * S),
        ),
    )
    killed, spared = Life(spec), Life(spec)
    for number, (worked, counted, wait_s) in enumerate(beats):
        for life in (killed, spared):
            life.run(wait_s)
        moment = spared.now.wall_ns if worked else spared.now.wall_ns - 20 * S
        signal = WorkSignal(moment, progress=number if counted else 0)
        for life in (killed, spared):
            life.tell(OK, signal=signal)
        if number in deaths:
            killed.kill()
        assert killed.check_states() == spared.check_states()
    assert killed.told() == spared.told()


def fallen(**changes: object) -> Life:
    life = Life(gateway(**changes)).tell(OK).run(1)
    for _ in range(3):
        life.run(40).tell(FAIL)
    assert life.names() == [DOWN]
    return life


def test_an_open_incident_goes_on_with_its_id_and_since_and_ends_once() -> None:
    life = fallen()
    before = life.monitor.view(life.now).components[0]
    life.kill(away_s=3600)
    after = life.monitor.view(life.now).components[0]
    assert (after.state, after.incident, after.since_wall_ns) == (before.state, before.incident, before.since_wall_ns)
    assert "seen" in after.diagnosis
    for _ in range(4):
        life.run(5).tell(FAIL).kill(away_s=10)
    assert life.names() == [DOWN]
    life.run(5).tell(OK).kill().run(5).tell(OK).run(5).tell(OK)
    assert life.names() == [DOWN, RECOVERED]
    assert len({event.incident for event in life.events if event.name in (DOWN, RECOVERED)}) == 1


def test_a_recall_alone_announces_nothing() -> None:
    life = fallen(grace_ns=30 * S)
    told = len(life.events)
    for away_s in (0, 5, 86_400):
        life.kill(away_s).run(20)
    assert life.events[told:] == []


def test_failures_within_the_grace_after_a_start_are_not_evidence_and_those_after_it_are() -> None:
    life = Life(gateway(grace_ns=30 * S)).run(31).tell(OK).run(1).kill(away_s=5)
    for _ in range(5):
        life.run(5).tell(FAIL)
    assert life.gateway is ComponentState.HEALTHY
    for _ in range(4):  # the first of them at the very end of the grace
        life.run(5).tell(FAIL)
    assert life.names() == [DOWN]


def test_a_failure_that_does_not_count_yet_is_shown_with_the_reason() -> None:
    life = Life(gateway(grace_ns=30 * S)).run(31).tell(OK).kill().run(2).tell(FAIL)
    assert life.monitor.view(life.now).components[0].checks[0].message == (
        "not counted, the monitor itself has just begun: seen"
    )


def test_a_grace_that_was_running_begins_anew_and_one_that_was_over_does_not() -> None:
    spec = gateway(grace_ns=30 * S)
    waiting = Life(spec).run(20).kill().run(20)
    assert waiting.gateway is ComponentState.STARTING
    unknown = Life(spec).run(40).kill().run(1)
    assert unknown.gateway is ComponentState.UNKNOWN
    assert unknown.told().count((EventName.COMPONENT_UNKNOWN, None)) == 1


def test_what_nobody_could_find_out_stays_unknown_over_a_death() -> None:
    life = Life(gateway(interval_ns=5 * S)).run(1).tell(OK).run(30)
    assert life.gateway is ComponentState.UNKNOWN
    assert life.kill().run(1).gateway is ComponentState.UNKNOWN
    assert life.tell(OK).gateway is ComponentState.HEALTHY


def test_a_removed_component_ends_its_incident_with_that_reason_once() -> None:
    life = fallen()
    memory = life.monitor.memory(life.now)
    incident = life.events[-1].incident
    [event] = removed(memory, {"another"}, life.now)
    assert (event.name, event.component, event.incident) == (RECOVERED, "gateway", incident)
    assert event.message == "removed from the config"
    assert removed(memory, {"gateway"}, life.now) == []
    assert removed(Life(gateway()).monitor.memory(START), set(), START) == []


def test_a_removed_check_takes_its_blame_with_it() -> None:
    life = fallen()
    other = component("gateway", check("other", interval_ns=3600 * S, grace_ns=0))
    life.kill(1.0, other).run(2).tell(OK, CheckId("gateway", "other")).run(2)
    assert life.names() == [DOWN, RECOVERED]


def test_changed_thresholds_keep_the_streak_and_another_type_keeps_nothing() -> None:
    life = Life(gateway()).tell(OK).run(1).tell(FAIL).run(1).tell(FAIL)
    life.kill(1.0, gateway(failure_threshold=4)).run(1).tell(FAIL)
    assert life.names() == []
    life.run(1).tell(FAIL)
    assert life.names() == [DOWN]
    life.kill(1.0, component("gateway", replace(port(), type="http")))
    assert life.check_states() == [CheckState.UNKNOWN]


def test_a_wider_flap_window_over_a_death_breaks_nothing() -> None:
    life = Life(gateway(flap_changes=3, flap_window_ns=60 * S))
    for verdict in (OK, FAIL, OK, FAIL):
        life.run(1).tell(verdict)
    assert EventName.COMPONENT_FLAPPING in [name for name, _ in life.told()]
    life.kill(1.0, gateway(flap_changes=30)).run(5)
    assert not life.monitor.components["gateway"].flapping


def test_a_process_that_was_replaced_while_nobody_looked_is_told_and_the_same_one_is_not() -> None:
    spec = component("gateway", replace(port(), type="process"))
    life = Life(spec).tell(OK, identity=Identity(10, 5.0)).run(1).kill(60).run(1).tell(OK, identity=Identity(10, 5.0))
    before = list(life.events)
    assert EventName.PROCESS_REPLACED not in [event.name for event in before]
    life.kill(60).run(1).tell(OK, identity=Identity(11, 6.0))
    assert [event.name for event in life.events[len(before) :]] == [EventName.PROCESS_REPLACED]
    assert life.kill().monitor.components["gateway"].process.incarnation == 1


def test_work_ages_while_nobody_looks() -> None:
    spec = component("gateway", port(layer=Layer.WORKING, signal=SignalPolicy(300 * S)))
    life = Life(spec).tell(OK, signal=WorkSignal(START.wall_ns)).run(10).kill(away_s=100)
    assert life.monitor.view(life.now).components[0].staleness_s == pytest.approx(110)


def test_a_memory_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        MachineMemory(pending=False, level=7)
    with pytest.raises(ValueError, match="count"):
        MachineMemory(pending=False, worse_runs=(-1, 0))


def test_a_component_that_nobody_remembers_begins_afresh() -> None:
    monitor = Monitor(MonitorSpec((gateway(),)), START, MonitorMemory())
    assert monitor.components["gateway"].incident is None


HEALTHY = ComponentMemory("gateway", START.wall_ns, ComponentState.HEALTHY, ComponentState.HEALTHY, START.wall_ns)


def test_for_how_long_nobody_has_watched_is_told_by_the_newest_memory() -> None:
    now = START.after(0)
    assert absence(MonitorMemory(), now) == {}
    memories = {
        name: replace(HEALTHY, name=name, taken_wall_ns=now.wall_ns - round(away_s * S))
        for name, away_s in (("old", 500.0), ("new", 12.345678))
    }
    assert absence(MonitorMemory(memories), now) == {"away_s": 12.346}


@pytest.mark.parametrize(
    ("wall_s", "boot_s", "away_s", "least_s"),
    [(50, 50, 50, 50), (3_600, 50, 3_600, 50), (50, 60, 50, 50), (-50, 60, 0, 0), (50, -1, 50, 50), (50, 0, 50, 0)],
)
def test_the_time_away_is_the_wall_clocks_and_at_least_what_the_other_clock_says_in_the_same_boot(
    wall_s: int, boot_s: int, away_s: int, least_s: int
) -> None:
    memory = replace(HEALTHY, taken_wall_ns=START.wall_ns - wall_s * S, taken_boot_ns=START.boot_ns - boot_s * S)
    assert (memory.away_ns(START), memory.least_away_ns(START)) == (away_s * S, least_s * S)
