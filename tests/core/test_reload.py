"""Another config under a running watch (S8): what is the same goes on, what is new begins, what is gone is ended."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.commands import Pause, Resume
from lifesign.core.effects import Record
from lifesign.core.events import EventName
from lifesign.core.model import CheckId, CheckState, ComponentState, Identity, Layer, Observation, Verdict, WorkSignal
from lifesign.core.schedule import Schedule
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, RestartSpec, SignalPolicy
from tests.core.stage import FAIL, OK, UNKNOWN, S, Stage, check, component

DOWN, RECOVERED = EventName.COMPONENT_DOWN, EventName.COMPONENT_RECOVERED
PORT = check(grace_ns=5 * S)
PROCESS = check("process", Layer.ALIVE, "process", grace_ns=0)
ONE, OTHER = component("mind", PORT), component("voice", check(grace_ns=9 * S), optional=True)
scripts = st.lists(
    st.tuples(st.sampled_from(["mind", "voice"]), st.sampled_from(list(Verdict)), st.integers(1, 30)), max_size=30
)


def reload(stage: Stage, *components: ComponentSpec, changed: frozenset[CheckId] = frozenset()) -> list[EventName]:
    """Gives the monitor other components; the names of what it tells of them by that."""
    effects = stage.monitor.reconfigure(MonitorSpec(components), changed, stage.now)
    stage.take(effects)
    return [effect.event.name for effect in effects if isinstance(effect, Record)]


def failing(stage: Stage, name: str = "mind") -> None:
    stage.world[name, "port"] = Observation(FAIL, "refused")


def down(*components: ComponentSpec) -> Stage:
    """Every component of them is down."""
    stage = Stage(*components)
    for spec in components:
        failing(stage, spec.name)
    stage.run(60)
    assert all(stage.state(spec.name) is ComponentState.DOWN for spec in components)
    return stage


@given(scripts, st.integers(0, 29))
def test_s8_a_reload_of_the_same_changes_nothing_at_whatever_moment(
    script: list[tuple[str, Verdict, int]], moment: int
) -> None:
    stages = Stage(ONE, OTHER, seed=3), Stage(ONE, OTHER, seed=3)
    for number, (name, verdict, pause_s) in enumerate(script):
        for stage in stages:
            stage.world[name, "port"] = Observation(verdict, verdict.value)
            stage.run(pause_s)
        if number == moment:
            assert reload(stages[1], replace(ONE), replace(OTHER)) == []
    assert repr(stages[0].effects) == repr(stages[1].effects)
    assert repr(stages[0].monitor.view(stages[0].now)) == repr(stages[1].monitor.view(stages[1].now))


@given(scripts, st.integers(0, 29))
def test_s8_what_others_become_is_nothing_to_a_component_that_stays(
    script: list[tuple[str, Verdict, int]], moment: int
) -> None:
    alone, beside = Stage(ONE, seed=3), Stage(ONE, OTHER, seed=3)
    for number, (name, verdict, pause_s) in enumerate(script):
        for stage in (alone, beside):
            stage.world[name, "port"] = Observation(verdict, verdict.value)
            stage.run(pause_s)
        if number == moment:
            reload(beside, component("extra", check("more")), ONE)
    assert [e for e in beside.events if e.component == "mind"] == [e for e in alone.events if e.component == "mind"]
    assert [look for _, look in beside.looks if look.check.component == "mind"] == [look for _, look in alone.looks]
    assert beside.view("mind") == alone.view("mind")


def test_an_unchanged_check_keeps_its_streak_its_timers_and_its_work_signal_while_its_neighbour_changes() -> None:
    beat = CheckSpec(
        "beat", "heartbeat", Layer.WORKING, grace_ns=S, failure_threshold=1, success_threshold=1, failure_for_ns=None,
        signal=SignalPolicy(300 * S),
    )  # fmt: skip
    stage = Stage(component("mind", PORT, beat))
    work_ns = stage.now.wall_ns
    stage.world["mind", "beat"] = Observation(OK, "fine", signal=WorkSignal(work_ns))
    stage.run(20)
    failing(stage)
    stage.run(15)
    before = {view.spec.name: view for view in stage.view("mind").checks}
    assert before["port"].consecutive_failures == 1
    reload(stage, component("mind", replace(beat, interval_ns=3 * S), PORT, title="Mind"))
    after = {view.spec.name: view for view in stage.view("mind").checks}
    assert after["port"] == before["port"]
    assert list(after) == ["beat", "port"]
    reload(stage, component("mind", beat, PORT, title="Mind"))
    assert stage.view("mind").spec.title == "Mind"
    stage.run(20)
    assert stage.check_state("mind", "port") is CheckState.FAILED, "three in a row, over two reloads"


def test_a_check_that_is_changed_in_any_key_begins_anew_with_its_grace() -> None:
    stage = down(ONE)
    changed = replace(PORT, timeout_ns=7 * S)
    assert reload(stage, component("mind", changed)) == []
    assert stage.check_state("mind", "port") is CheckState.PENDING
    assert stage.check_view("mind", "port").consecutive_failures == 0
    assert stage.state("mind") is ComponentState.STARTING
    assert reload(stage, component("mind", changed), changed=frozenset({CheckId("mind", "port")})) == []
    assert stage.check_view("mind", "port").message == "nobody has looked yet"


def test_the_incident_of_a_component_stays_open_over_a_changed_check_and_ends_once() -> None:
    stage = down(ONE)
    opened = stage.view("mind").incident
    reload(stage, component("mind", replace(PORT, interval_ns=2 * S)))
    assert stage.view("mind").incident == opened
    stage.run(60)
    assert stage.view("mind").incident == opened
    stage.world.clear()
    stage.run(30)
    assert stage.view("mind").incident is None
    assert [name for name in stage.names("mind") if name in (DOWN, RECOVERED)] == [DOWN, RECOVERED]


def test_a_removed_component_ends_its_incident_with_that_reason_and_one_without_is_not_told() -> None:
    stage = down(ONE, OTHER)
    voice = stage.view("voice").incident
    assert voice is not None
    assert reload(stage, ONE) == [RECOVERED]
    told = stage.events[-1]
    assert (told.component, told.incident, told.message) == ("voice", voice.id, "removed from the config")
    assert reload(stage, component("gateway", PORT)) == [RECOVERED]
    assert reload(stage, ONE) == [], "the gateway was not down"


def test_a_renamed_component_is_a_new_one_that_is_down_by_its_own_failures_alone() -> None:
    stage = down(ONE)
    assert reload(stage, component("soul", PORT)) == [RECOVERED]
    assert stage.state("soul") is ComponentState.STARTING
    stage.world.clear()
    stage.run(30)
    assert stage.state("soul") is ComponentState.HEALTHY


def test_a_blamed_check_that_is_removed_ends_the_incident_with_the_next_look_and_says_why() -> None:
    other = check("process", Layer.ALIVE, "process", grace_ns=5 * S)
    stage = down(component("mind", PORT, other))
    assert reload(stage, component("mind", other)) == []
    assert stage.view("mind").incident is not None
    stage.run(11)
    assert stage.view("mind").incident is None
    [told] = [event for event in stage.events if event.name is RECOVERED]
    assert told.message.endswith("what was to blame is no longer in the config")


def test_an_answer_to_a_look_that_began_before_the_reload_is_not_taken_by_what_came_after() -> None:
    stage = Stage(ONE, OTHER)
    stage.latency_ns["mind", "port"] = stage.latency_ns["voice", "port"] = 4 * S
    failing(stage)
    failing(stage, "voice")
    stage.run(2)
    assert len(stage.looks) == 2
    reload(stage, component("mind", replace(PORT, interval_ns=60 * S)))
    stage.run(3)
    assert stage.view("mind").checks[0].last_at_wall_ns is None
    assert [look.run for _, look in stage.looks if look.check.component == "mind"] == [1, 2]


def test_another_process_that_another_pattern_finds_is_no_replacement() -> None:
    source = check("process", Layer.ALIVE, "process", grace_ns=0)
    stage = Stage(component("mind", source))

    def seen(pid: int) -> None:
        stage.world["mind", "process"] = Observation(OK, "one process", identity=Identity(pid, 1.0 + pid))

    seen(100)
    stage.run(20)
    reload(stage, component("mind", source), changed=frozenset({CheckId("mind", "process")}))
    seen(200)
    stage.run(20)
    assert EventName.PROCESS_REPLACED not in stage.names("mind")
    reload(stage, component("mind", source, check("more")))
    seen(300)
    stage.run(20)
    assert stage.names("mind").count(EventName.PROCESS_REPLACED) == 1, "an unchanged check knows whom it saw"


def test_the_first_look_of_a_new_check_comes_within_a_second_and_the_dependencies_are_the_new_ones() -> None:
    stage = down(OTHER)
    begun = len(stage.looks)
    reload(stage, component("mind", check("new", interval_ns=600 * S), depends_on=("voice",)), OTHER)
    assert stage.view("mind").suppressed_by == "voice"
    stage.run(1.1)
    assert CheckId("mind", "new") in [look.check for _, look in stage.looks[begun:]]


def test_a_common_cause_counts_no_component_that_is_gone() -> None:
    quick = replace(PORT, interval_ns=S)
    stage = Stage(*(component(name, quick) for name in ("a", "b", "c", "d")))
    stage.run(10)
    failing(stage, "a")
    failing(stage, "b")
    stage.run(4)
    assert stage.state("a") is stage.state("b") is ComponentState.DOWN
    reload(stage, component("c", quick), component("d", quick))
    failing(stage, "c")
    stage.run(4)
    assert stage.state("c") is ComponentState.DOWN
    assert EventName.OBSERVER_SUSPECT not in stage.names(None)


def test_an_answer_to_a_look_of_a_check_that_is_gone_tells_nothing() -> None:
    stage = Stage(ONE, OTHER)
    reload(stage, ONE)
    assert stage.monitor.observe(CheckId("voice", "port"), Observation(FAIL), stage.now, run=1) == ()


def test_a_changed_check_looks_when_one_that_began_now_would_and_is_no_one_shot() -> None:
    stage = Stage(ONE, seed=5).run(20)
    changed = replace(PORT, interval_ns=20 * S, success_threshold=1)
    reload(stage, component("mind", changed))
    check_id, held = CheckId("mind", "port"), stage.monitor.components["mind"].checks["port"]
    assert held.schedule.due_ns == Schedule(changed, check_id, 5, stage.now.mono_ns).due_ns
    stage.tell("mind", "port", Observation(OK)).tell("mind", "port", Observation(UNKNOWN, "no descriptor"))
    assert stage.check_state("mind", "port") is CheckState.PASSING


def test_a_state_that_a_reload_changes_is_held_since_then_and_one_that_it_does_not_since_before() -> None:
    stage = down(ONE)
    since_ns = stage.view("mind").since_wall_ns
    reload(stage, replace(ONE, title="Mind"))
    assert (stage.state("mind"), stage.view("mind").since_wall_ns) == (ComponentState.DOWN, since_ns)
    reload(stage, component("mind", replace(PORT, interval_ns=20 * S)))
    assert (stage.state("mind"), stage.view("mind").since_wall_ns) == (ComponentState.STARTING, stage.now.wall_ns)


def looping() -> Stage:
    """Its process is replaced again and again."""
    stage = Stage(component("mind", PROCESS))
    for pid in range(100, 105):
        stage.world["mind", "process"] = Observation(OK, identity=Identity(pid, float(pid)))
        stage.look_now().run(1)
    assert stage.monitor.components["mind"].crash_loop
    return stage


def test_a_crash_loop_goes_on_over_a_reload_of_the_same_and_is_forgotten_with_its_check() -> None:
    stage = looping()
    reload(stage, component("mind", PROCESS, title="Mind"))
    assert stage.state("mind") is ComponentState.DEGRADED
    assert stage.monitor.components["mind"].crash_loop
    incarnation = stage.view("mind").incarnation
    reload(stage, component("mind", replace(PROCESS, interval_ns=20 * S), title="Mind"))
    assert not stage.monitor.components["mind"].crash_loop
    assert stage.view("mind").incarnation == incarnation


def test_a_crash_loop_goes_on_over_a_pause_which_begins_and_ends_a_state() -> None:
    stage = looping()
    stage.monitor.command(Pause("mind", "ann"), stage.now)
    paused_ns = stage.now.wall_ns
    assert stage.view("mind").since_wall_ns == paused_ns
    stage.run(10)
    assert (stage.state("mind"), stage.view("mind").since_wall_ns) == (ComponentState.PAUSED, paused_ns)
    stage.monitor.command(Resume("mind", "ann"), stage.now)
    assert (stage.state("mind"), stage.view("mind").since_wall_ns) == (ComponentState.UNKNOWN, stage.now.wall_ns)
    assert stage.check_state("mind", "process") is CheckState.UNKNOWN
    stage.run(1)
    assert stage.state("mind") is ComponentState.DEGRADED, "still a loop"


def test_a_restart_that_a_reload_adds_or_changes_is_followed_from_then_on() -> None:
    stage = down(ONE)
    assert stage.view("mind").restart is None
    reload(stage, replace(ONE, restart=RestartSpec("signal", automatic=True, after_ns=30 * S)))
    shown = stage.view("mind").restart
    assert shown is not None
    stage.run(29)
    assert stage.restarts == []
    stage.run(5)
    assert [effect.component for _, effect in stage.restarts] == ["mind"]
    reload(stage, ONE)
    assert stage.view("mind").restart is None
