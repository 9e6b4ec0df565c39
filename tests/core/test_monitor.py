"""The whole: the same input gives the same bytes, whatever else goes on (S5); deadlines, names, late sight."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.effects import Record
from lifesign.core.events import EventName, Level
from lifesign.core.model import CheckId, CheckState, ComponentState, Layer, Observation, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, SignalPolicy
from tests.core.stage import FAIL, OK, UNKNOWN, S, Stage, check, component

scripts = st.lists(
    st.tuples(st.sampled_from(["mind", "voice"]), st.sampled_from(list(Verdict)), st.integers(1, 30)), max_size=30
)
ONE = component("mind", check(grace_ns=5 * S, failure_threshold=2))
OTHER = component("voice", check(grace_ns=9 * S), optional=True)


def play(script: list[tuple[str, Verdict, int]], *components: ComponentSpec) -> Stage:
    """A world that changes as the script says; what it says of others is nothing here."""
    stage = Stage(*components, seed=3)
    here = {spec.name for spec in components}
    for name, verdict, pause_s in script:
        if name in here:
            stage.world[name, "port"] = Observation(verdict, verdict.value)
        stage.run(pause_s)
    return stage


@given(scripts)
def test_s5_the_same_input_gives_the_same_bytes(script: list[tuple[str, Verdict, int]]) -> None:
    first, second = play(script, ONE, OTHER), play(script, ONE, OTHER)
    assert repr(first.effects).encode() == repr(second.effects).encode()
    assert repr(first.monitor.view(first.now)) == repr(second.monitor.view(second.now))


@given(scripts)
def test_s5_what_becomes_of_a_component_is_its_own_whatever_others_do(script: list[tuple[str, Verdict, int]]) -> None:
    alone, together = play(script, ONE), play(script, OTHER, ONE)
    assert [e for e in together.events if e.component == "mind"] == [e for e in alone.events if e.component == "mind"]
    assert together.view("mind") == alone.view("mind")


@given(scripts)
def test_a_tick_more_or_less_changes_nothing(script: list[tuple[str, Verdict, int]]) -> None:
    spare, busy = play(script, ONE, OTHER), Stage(ONE, OTHER, seed=3)
    for name, verdict, pause_s in script:
        busy.world[name, "port"] = Observation(verdict, verdict.value)
        for _ in range(pause_s * 10):
            busy.run(0.1).tick()
    assert spare.events == busy.events or [e.name for e in spare.events] == [e.name for e in busy.events]
    assert [look for _, look in spare.looks] == [look for _, look in busy.looks]


def test_the_deadline_is_never_further_than_a_quarter_of_a_second() -> None:
    stage = Stage(component("mind", check(interval_ns=600 * S)))
    stage.run(100)
    assert stage.monitor.deadline() == stage.now.mono_ns + S // 4
    assert Stage().monitor.deadline() == Stage().now.mono_ns + S // 4


def test_a_heartbeat_is_looked_at_in_the_moment_its_time_is_up_and_not_an_interval_later() -> None:
    rare = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, interval_ns=600 * S, failure_threshold=1,
                 signal=SignalPolicy(400 * S))  # fmt: skip
    stage = Stage(component("mind", rare))
    stage.world["mind", "beat"] = lambda now: Observation(OK, signal=WorkSignal(worked.wall_ns))
    worked = stage.now
    stage.run(399.9)
    assert stage.state("mind") is ComponentState.HEALTHY
    stage.run(0.2)
    assert stage.state("mind") is ComponentState.DOWN


def test_a_heartbeat_that_came_in_the_last_moment_is_seen_and_condemns_nobody() -> None:
    rare = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, interval_ns=600 * S, failure_threshold=1,
                 signal=SignalPolicy(400 * S))  # fmt: skip
    stage = Stage(component("mind", rare))
    worked = stage.now
    stage.world["mind", "beat"] = lambda now: Observation(OK, signal=WorkSignal(worked.wall_ns))
    stage.run(399)
    worked = stage.now
    stage.run(300)
    assert stage.state("mind") is ComponentState.HEALTHY
    assert EventName.CHECK_FAILED not in stage.names("mind")


def test_a_check_that_failed_in_its_grace_is_looked_at_as_the_grace_ends() -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S, interval_ns=600 * S, failure_threshold=1)))
    stage.world["mind", "port"] = Observation(FAIL)
    stage.run(29.9)
    assert stage.check_state("mind", "port") is CheckState.PENDING
    stage.run(0.2)
    assert stage.check_state("mind", "port") is CheckState.FAILED


def test_a_check_that_never_answers_is_unknown_once_its_grace_is_over() -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S)))
    stage.world["mind", "port"] = None
    stage.run(29)
    assert stage.state("mind") is ComponentState.STARTING
    stage.run(1.1)
    assert stage.state("mind") is ComponentState.UNKNOWN
    assert stage.names("mind") == [EventName.CHECK_UNKNOWN, EventName.COMPONENT_UNKNOWN]


def test_a_one_shot_tells_what_is_so_after_one_round() -> None:
    once = {"failure_threshold": 1, "success_threshold": 1, "grace_ns": 0}
    for found, expected in {
        OK: ComponentState.HEALTHY,
        Verdict.WARN: ComponentState.DEGRADED,
        FAIL: ComponentState.DOWN,
        UNKNOWN: ComponentState.UNKNOWN,
    }.items():
        stage = Stage(component("mind", replace(check(), **once)), one_shot=True)  # type: ignore[arg-type]
        stage.world["mind", "port"] = Observation(found)
        stage.look_now().run(0)
        assert stage.monitor.overall(stage.now) is expected
        assert len(stage.looks) == 1


def test_an_answer_to_a_look_that_is_over_changes_nothing() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    stage.run(20)
    effects = stage.monitor.observe(CheckId("mind", "port"), Observation(FAIL), stage.now, run=1)
    assert effects == ()
    assert stage.check_view("mind", "port").consecutive_failures == 0
    with pytest.raises(KeyError):
        stage.monitor.observe(CheckId("mind", "nothing"), Observation(FAIL), stage.now)


def test_the_view_tells_when_it_was_last_and_will_next_be_looked_at() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    assert stage.check_view("mind", "port").last_at_wall_ns is None
    stage.world["mind", "port"] = lambda now: Observation(OK, "fine", 0.25, {"a": 1.0}, {"b": 2})
    stage.run(100)
    view = stage.check_view("mind", "port")
    assert view.last_at_wall_ns is not None
    assert view.next_at_wall_ns is not None
    assert view.next_at_wall_ns - view.last_at_wall_ns == pytest.approx(10 * S, abs=1_000)
    assert (view.latency_s, view.metrics, view.data) == (0.25, {"a": 1.0}, {"b": 2})
    assert view.consecutive_successes == len(stage.looks)


def test_it_is_known_when_the_newest_look_of_a_check_began() -> None:
    stage = Stage(component("mind", check()))
    at, begun_ns = CheckId("mind", "port"), stage.now.mono_ns
    assert stage.monitor.looked_ns(at) < begun_ns
    stage.run(30)
    assert stage.monitor.looked_ns(at) == begun_ns + round(stage.looks[-1][0] * S)
    with pytest.raises(KeyError):
        stage.monitor.looked_ns(CheckId("mind", "nothing"))


def test_since_is_when_the_state_began() -> None:
    stage = Stage(component("mind", check(grace_ns=0, failure_threshold=1)))
    stage.run(20)
    stage.world["mind", "port"] = Observation(FAIL)
    stage.run(50)
    down = next(e for e in stage.events if e.name is EventName.COMPONENT_DOWN)
    assert stage.view("mind").since_wall_ns == down.at_wall_ns


def test_levels_are_those_of_the_contract() -> None:
    errors = {EventName.COMPONENT_DOWN, EventName.CONFIG_REJECTED, EventName.PROCESS_CRASH_LOOP}
    stage = play([("mind", FAIL, 60), ("mind", OK, 60)], ONE)
    for effect in stage.effects:
        if isinstance(effect, Record):
            assert (effect.event.level is Level.ERROR) == (effect.event.name in errors)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: check(interval_ns=0), "interval_ns"),
        (lambda: check(timeout_ns=-1), "timeout_ns"),
        (lambda: check(failure_threshold=0), "failure_threshold"),
        (lambda: check(success_threshold=0), "success_threshold"),
        (lambda: check(failure_for_ns=0), "failure_for_ns"),
        (lambda: check(grace_ns=-1), "grace_ns"),
        (lambda: check(flap_changes=1), "flap_changes"),
        (lambda: check(flap_window_ns=0), "flap_window_ns"),
        (lambda: SignalPolicy(0), "stale_after_ns"),
        (lambda: component("mind", check(), check()), "two checks named port"),
        (lambda: MonitorSpec((component("mind"), component("mind"))), "two components are named mind"),
        (lambda: MonitorSpec((component("mind", depends_on=("x",)),)), "depends on x, which does not exist"),
    ],
)
def test_a_specification_that_makes_no_sense_cannot_be_built(wrong: object, words: str) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=words):
        wrong()


def test_the_limits_of_a_check_follow_from_its_interval() -> None:
    spec: CheckSpec = check(interval_ns=60 * S, timeout_ns=5 * S)
    assert spec.unknown_after_ns == 125 * S
    assert spec.stall_limit_ns == 30 * S
    assert check(interval_ns=S).stall_limit_ns == S


@given(scripts)
def test_resting_is_the_same_as_ticking_in_time_while_nothing_is_due(script: list[tuple[str, Verdict, int]]) -> None:
    """What the simulator leaves out: ticks before `quiet_until`. A look, an event, a state: all come to the same."""
    ticking, resting = Stage(ONE, OTHER, seed=3), Stage(ONE, OTHER, seed=3)
    resting.rests = True
    for name, verdict, pause_s in script:
        for stage in (ticking, resting):
            stage.world[name, "port"] = Observation(verdict, verdict.value)
            if verdict is FAIL and pause_s > 20:
                stage.stall(pause_s)
            stage.run(pause_s)
    assert [look for _, look in resting.looks] == [look for _, look in ticking.looks]
    assert [(e.name, e.component, e.check) for e in resting.events] == [
        (e.name, e.component, e.check) for e in ticking.events
    ]
    assert all(
        abs(rested.at_wall_ns - ticked.at_wall_ns) <= S // 4
        for rested, ticked in zip(resting.events, ticking.events, strict=True)
    )


def test_nobody_rests_over_something_that_is_due() -> None:
    stage = Stage(component("mind", check()))
    with pytest.raises(ValueError, match="a tick must be called"):
        stage.monitor.rest(stage.now.after(S))
