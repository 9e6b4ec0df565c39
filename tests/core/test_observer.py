"""May the monitor trust its own eyes? Stalls, suspends, steps, common causes (T1, T2, T3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.events import EventName
from lifesign.core.model import CheckState, ComponentState, Instant, Layer, Observation, ObserverState, WorkSignal
from lifesign.core.observer import Finding, Observer
from lifesign.core.spec import SignalPolicy
from tests.core.stage import FAIL, OK, START, S, Stage, check, component

STALLED, JUMPED = EventName.MONITOR_STALLED, EventName.CLOCK_JUMPED
SUSPECT, TRUSTED = EventName.OBSERVER_SUSPECT, EventName.OBSERVER_OK
QUICK = check(grace_ns=0, failure_threshold=1)


def verdict(value: object = FAIL, message: str = "refused") -> Observation:
    """What a look finds."""
    return Observation(value, message)  # type: ignore[arg-type]


def until_a_look(stage: Stage) -> None:
    """Runs to the moment in which a look begins."""
    count = len(stage.looks)
    while len(stage.looks) == count:
        stage.run(0.01)


def test_ticks_in_time_are_no_stall_and_a_gap_of_more_than_a_second_is_one() -> None:
    stage = Stage(component("mind", check()))
    stage.run(60).stall(1.0).run(10)
    assert stage.names() == []
    stage.stall(1.001)
    assert stage.names() == [STALLED, SUSPECT]
    told = next(event for event in stage.events if event.name is STALLED)
    assert told.message == "the monitor did not run for 1.0s"
    assert told.data == {"stalled_s": 1.001, "suspended_s": 0.0}
    assert stage.monitor.view(stage.now).observer is ObserverState.SUSPECT
    stage.run(29.9)
    assert TRUSTED not in stage.names()
    stage.run(0.4)
    assert stage.names()[2:] == [TRUSTED]
    assert stage.monitor.view(stage.now).observer is ObserverState.OK


def test_a_suspend_is_told_though_the_monotonic_clock_stood() -> None:
    stage = Stage(component("mind", check()))
    stage.run(20).suspend(3_600)
    assert stage.names() == [STALLED, SUSPECT]
    told = next(event for event in stage.events if event.name is STALLED)
    assert told.message == "the machine was suspended for 1h"
    assert told.data == {"stalled_s": 3600.0, "suspended_s": 3600.0}


@pytest.mark.parametrize("step_s", [3_600, -3_600, 1.5, -1.5, -START.wall_ns / S, 2_340_000_000])
def test_t1_a_step_of_the_wall_clock_is_told_once_and_changes_nothing(step_s: float) -> None:
    stepped, calm = Stage(component("mind", check())), Stage(component("mind", check()))
    for stage in (stepped, calm):
        stage.run(33)
        stage.world["mind", "port"] = verdict()
        stage.run(15)
    stepped.step(step_s)
    for stage in (stepped, calm):
        stage.run(100)
    assert stepped.names() == [JUMPED]
    assert stepped.events[-1].name is not STALLED
    assert stepped.names("mind") == calm.names("mind")
    assert stepped.looks == calm.looks
    assert stepped.state("mind") is calm.state("mind") is ComponentState.DOWN


def test_a_step_of_a_second_or_less_is_not_worth_a_word() -> None:
    stage = Stage(component("mind", check()))
    stage.run(5).step(1).run(5).step(-1).run(5)
    assert stage.names() == []


@pytest.mark.parametrize("how", ["stall", "suspend"])
def test_t2_a_failure_in_the_grace_after_a_stall_or_suspend_is_not_counted_and_one_after_it_is(how: str) -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S, failure_threshold=1)))
    stage.run(60)
    stage.world["mind", "port"] = verdict()
    getattr(stage, how)(600)
    stage.run(29)
    view = stage.check_view("mind", "port")
    assert (view.state, view.consecutive_failures) == (CheckState.PASSING, 0)
    assert view.message == "not counted, the monitor itself had stalled: refused"
    assert stage.view("mind").diagnosis == f"port: {view.message}"
    stage.run(12)
    assert stage.check_state("mind", "port") is CheckState.FAILED
    assert stage.check_view("mind", "port").message == "refused"


def test_t2_a_success_in_that_grace_counts() -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S, success_threshold=1)))
    stage.run(40)
    stage.world["mind", "port"] = verdict()
    stage.run(60)
    assert stage.state("mind") is ComponentState.DOWN
    stage.world["mind", "port"] = verdict(OK)
    stage.stall(60).run(11)
    assert stage.state("mind") is ComponentState.HEALTHY


def test_s4_what_was_unknown_before_a_stall_does_not_pass_by_the_stall() -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S)))
    stage.run(60)
    stage.world["mind", "port"] = None
    stage.run(60)
    assert stage.check_state("mind", "port") is CheckState.UNKNOWN
    stage.stall(300).run(20)
    assert stage.check_state("mind", "port") is CheckState.UNKNOWN
    assert stage.names("mind")[1:] == [EventName.CHECK_UNKNOWN, EventName.COMPONENT_UNKNOWN]


def test_s4_a_failed_check_that_went_blind_is_unknown_after_a_stall_until_a_failure_counts_again() -> None:
    """S2 holds again within the grace and what it asks for; the one incident stays open through all of it."""
    stage = Stage(component("mind", check(grace_ns=30 * S)))
    stage.run(60)
    stage.world["mind", "port"] = verdict()
    stage.run(50)
    assert stage.check_state("mind", "port") is CheckState.FAILED
    stage.world["mind", "port"] = None
    stage.run(120)
    assert stage.check_state("mind", "port") is CheckState.UNKNOWN
    stage.world["mind", "port"] = verdict()
    stage.stall(8).run(29)
    assert stage.check_state("mind", "port") is CheckState.UNKNOWN
    stage.run(12)
    assert stage.check_state("mind", "port") is CheckState.FAILED
    assert stage.state("mind") is ComponentState.DOWN
    assert stage.names("mind")[1:] == [
        EventName.CHECK_FAILING,
        EventName.COMPONENT_DEGRADED,
        EventName.CHECK_FAILED,
        EventName.COMPONENT_DOWN,
        EventName.CHECK_UNKNOWN,
        EventName.COMPONENT_UNKNOWN,
        EventName.CHECK_FAILED,
    ]


def test_t2_a_look_under_way_in_a_stall_shorter_than_the_checks_limit_is_no_evidence_either() -> None:
    stage = Stage(component("mind", check(grace_ns=0, failure_threshold=1, interval_ns=60 * S)))
    stage.run(70)
    stage.latency_ns["mind", "port"] = 5 * S
    stage.world["mind", "port"] = verdict()
    until_a_look(stage)
    stage.stall(20).run(1)
    assert stage.check_view("mind", "port").message.startswith("not counted")
    assert stage.check_state("mind", "port") is CheckState.PASSING
    stage.run(70)
    assert stage.check_state("mind", "port") is CheckState.FAILED


def test_t2_woken_first_the_monitor_does_not_hold_the_pause_of_its_targets_against_them() -> None:
    """SIGSTOP of both: the heartbeat is stale when the monitor wakes, and its writer needs a moment."""
    beating = check("heartbeat", Layer.WORKING, "heartbeat", signal=SignalPolicy(60 * S), failure_threshold=1)
    stage = Stage(component("mind", beating))
    frozen_at = START
    stage.world["mind", "heartbeat"] = lambda now: Observation(OK, signal=WorkSignal(now.wall_ns))
    stage.run(100)
    frozen_at = stage.now
    stage.world["mind", "heartbeat"] = lambda now: Observation(OK, signal=WorkSignal(frozen_at.wall_ns))
    stage.stall(300).run(20)
    stage.world["mind", "heartbeat"] = lambda now: Observation(OK, signal=WorkSignal(now.wall_ns))
    stage.run(100)
    assert not {EventName.CHECK_FAILED, EventName.CHECK_FAILING, EventName.COMPONENT_DOWN} & set(stage.names("mind"))
    assert stage.state("mind") is ComponentState.HEALTHY


@given(
    st.lists(st.tuples(st.integers(1, 90), st.integers(2, 400), st.booleans()), min_size=1, max_size=4),
    st.integers(1, 60),
)
def test_t2_a_world_that_breaks_only_while_we_do_not_look_and_a_grace_after_is_never_condemned(
    stalls: list[tuple[int, int, bool]], grace_s: int
) -> None:
    stage = Stage(component("mind", check(grace_ns=grace_s * S, failure_threshold=1)))
    stage.run(grace_s + 20)
    for calm_s, stalled_s, asleep in stalls:
        stage.world["mind", "port"] = verdict(OK)
        stage.run(calm_s)
        stage.world["mind", "port"] = verdict()
        if asleep:
            stage.suspend(stalled_s)
        elif stalled_s > 5:
            stage.stall(stalled_s)
        else:
            stage.world["mind", "port"] = verdict(OK)
            stage.stall(stalled_s)
        stage.run(grace_s)
    assert not {EventName.CHECK_FAILED, EventName.CHECK_FAILING} & set(stage.names("mind"))


@given(st.integers(2, 2_000), st.booleans(), st.integers(0, 60), st.integers(1, 3), st.integers(0, 40))
def test_t3_after_the_last_stall_a_failure_is_found_within_grace_and_failure_for_and_two_intervals(
    stalled_s: int, asleep: bool, grace_s: int, threshold: int, failure_for_s: int
) -> None:
    spec = check(
        grace_ns=grace_s * S, failure_threshold=threshold, failure_for_ns=failure_for_s * S or None, interval_ns=10 * S
    )
    stage = Stage(component("mind", spec))
    stage.run(grace_s + 20)
    stage.world["mind", "port"] = verdict()
    (stage.suspend if asleep else stage.stall)(stalled_s)
    stage.run(grace_s + max(failure_for_s, (threshold - 1) * 10) + 20)
    assert stage.check_state("mind", "port") is CheckState.FAILED


def test_t3_stalls_that_repeat_turn_the_whole_unknown_until_they_have_ceased() -> None:
    stage = Stage(component("mind", check()))
    stage.run(60)
    for _ in range(2):
        stage.stall(2).run(60)
        assert stage.monitor.overall(stage.now) is ComponentState.HEALTHY
    stage.stall(2).run(0.25)
    assert stage.monitor.overall(stage.now) is ComponentState.UNKNOWN
    assert stage.state("mind") is ComponentState.HEALTHY
    stage.run(300)
    assert stage.monitor.overall(stage.now) is ComponentState.HEALTHY


@pytest.mark.parametrize("grace_s", [30, 900])
def test_t3_stalls_that_blind_a_check_for_ever_turn_the_whole_unknown_however_long_its_grace(grace_s: int) -> None:
    stage = Stage(component("mind", check(grace_ns=grace_s * S)))
    stage.run(grace_s + 60)
    stage.world["mind", "port"] = verdict()
    for _ in range(3):
        stage.stall(6).run(grace_s - 5)
    for _ in range(3):
        assert stage.monitor.overall(stage.now) in (ComponentState.UNKNOWN, ComponentState.DOWN)
        stage.stall(6)
        assert stage.monitor.overall(stage.now) in (ComponentState.UNKNOWN, ComponentState.DOWN)
        stage.run(grace_s - 5)
    stage.run(60)
    assert stage.monitor.overall(stage.now) is ComponentState.DOWN


def trio(count: int = 5) -> Stage:
    """So many components that look every ten seconds and go down at once."""
    return Stage(*(component(f"c{number}", QUICK) for number in range(count)))


def break_some(stage: Stage, *numbers: int) -> None:
    """These go down, within one round."""
    for number in numbers:
        stage.world[f"c{number}", "port"] = verdict()
        stage.look_now(f"c{number}").run(0.1)


def test_three_of_five_that_go_down_within_ten_seconds_have_one_common_cause() -> None:
    stage = trio()
    stage.run(30)
    break_some(stage, 0, 1)
    assert stage.names() == []
    break_some(stage, 2)
    assert stage.names() == [SUSPECT]
    told = stage.events[-1]
    assert told.message == "3 of 5 components went down within 10 s: one common cause"
    assert told.data == {"components": ["c0", "c1", "c2"]}
    assert stage.monitor.view(stage.now).observer is ObserverState.SUSPECT
    break_some(stage, 3, 4)
    assert stage.names() == [SUSPECT]


def test_a_common_cause_ends_with_the_first_recovery_or_after_ten_minutes() -> None:
    stage = trio()
    stage.run(30)
    break_some(stage, 0, 1, 2)
    stage.world["c1", "port"] = verdict(OK)
    stage.run(25)
    assert stage.names() == [SUSPECT, TRUSTED]
    other = trio()
    other.run(30)
    break_some(other, 0, 1, 2)
    other.run(599)
    assert other.names() == [SUSPECT]
    other.run(2)
    assert other.names() == [SUSPECT, TRUSTED]


def test_two_at_once_or_three_of_six_or_three_too_far_apart_have_no_common_cause() -> None:
    two, half, slow = trio(3), trio(6), trio(5)
    for stage in (two, half, slow):
        stage.run(30)
    break_some(two, 0, 1)
    break_some(half, 0, 1, 2)
    assert two.names() == half.names() == []
    break_some(half, 3)
    assert half.names() == [SUSPECT]
    for number in range(5):
        break_some(slow, number)
        slow.run(5)
    assert slow.names() == []


def test_one_that_goes_down_again_and_again_does_not_crowd_the_others_out() -> None:
    hasty = check(grace_ns=0, failure_threshold=1, success_threshold=1)
    stage = Stage(*(component(f"c{number}", hasty) for number in range(3)))
    stage.run(30)
    break_some(stage, 0, 1)
    for _ in range(4):
        stage.world["c1", "port"] = verdict(OK)
        stage.look_now("c1").run(0.1)
        break_some(stage, 1)
    break_some(stage, 2)
    assert stage.names() == [SUSPECT]
    told = next(event for event in stage.events if event.name is SUSPECT)
    assert told.data == {"components": ["c0", "c1", "c2"]}


def test_a_monotonic_clock_that_goes_back_is_taken_as_standing() -> None:
    stage = Stage(component("mind", check()))
    stage.run(30)
    earlier = Instant(stage.now.mono_ns - 5 * S, stage.now.wall_ns, stage.now.boot_ns)
    assert stage.monitor.tick(earlier) == ()
    stage.run(30)
    assert STALLED not in stage.names()


@pytest.mark.parametrize(
    ("mono_s", "boot_s", "wall_s", "finding"),
    [
        (1, 1, 1, None),
        (1, 2, 2, None),
        (1, 1, 2, None),
        (1.5, 1.5, 1.5, (1.5, 0, 0)),
        (5, 5.5, 5.5, (5, 0, 0)),
        (5, 6.5, 6.5, (5, 1.5, 0)),
        (0.25, 3.25, 3.25, (3, 3, 0)),
        (0.25, 0.25, 9.25, (0, 0, 9)),
        (0.25, 0.25, -8.75, (0, 0, -9)),
        (5, 5, 3, (5, 0, -2)),
        (5, 15, 30, (10, 10, 15)),
    ],
)
def test_a_reading_of_the_clocks_tells_a_stall_a_suspend_and_a_step_apart(
    mono_s: float, boot_s: float, wall_s: float, finding: tuple[float, float, float] | None
) -> None:
    observer = Observer(START)
    now = Instant(
        START.mono_ns + round(mono_s * S), START.wall_ns + round(wall_s * S), START.boot_ns + round(boot_s * S)
    )
    found = observer.read(now)
    if finding is None:
        assert found is None
    else:
        gap_ns, suspended_ns, step_ns = (round(seconds * S) for seconds in finding)
        assert found == Finding(START.mono_ns, now.mono_ns, gap_ns, suspended_ns, step_ns, START.boot_ns)
    stalled = finding is not None and finding[0] > 0
    assert observer.suspect_until_ns == (now.mono_ns + 30 * S if stalled else START.mono_ns)
    assert observer.next_change_ns(now.mono_ns) == (now.mono_ns + 30 * S if stalled else None)
    assert observer.read(now) is None, "nothing new"
