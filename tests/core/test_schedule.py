"""When looks happen: jitter, cadence, never two at once, none lost without a word (T4, T5)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.model import CheckId, CheckState, Layer, Observation, Verdict, WorkSignal
from lifesign.core.schedule import Schedule
from lifesign.core.spec import SignalPolicy
from tests.core.stage import OK, S, Stage, check, component

AT = CheckId("mind", "port")


def test_five_hundred_checks_begin_within_a_second_and_do_not_stay_together() -> None:
    stage = Stage(*(component(f"c{number}", check(interval_ns=10 * S)) for number in range(500)))
    stage.run(1)
    assert len(stage.looks) == 500
    stage.run(29)
    third = [at_s for at_s, look in stage.looks if look.run == 3]
    assert max(third) - min(third) > 8
    in_a_second = max(sum(1 for at_s in third if second <= at_s < second + 1) for second in range(30))
    assert in_a_second < 150


def test_the_jitter_is_of_the_seed_and_the_name_alone() -> None:
    first = Schedule(check(), AT, 1, 0)
    assert Schedule(check(), AT, 1, 0).due_ns == first.due_ns
    assert Schedule(check(), AT, 2, 0).due_ns != first.due_ns
    assert Schedule(check(), CheckId("mind", "page"), 1, 0).due_ns != first.due_ns
    assert Schedule(check(), AT, 1, 77).due_ns == first.due_ns + 77
    quick = Schedule(check(interval_ns=S // 10), AT, 1, 0)
    assert 0 <= quick.due_ns < S // 10


@given(st.integers(0, 999), st.integers(1, 600))
def test_t5_looks_are_never_two_intervals_apart_and_settle_on_one(seed: int, interval_s: int) -> None:
    schedule = Schedule(check(interval_ns=interval_s * S), AT, seed, 0)
    begun = []
    for _ in range(6):
        now_ns = schedule.due_ns
        assert not schedule.poll(now_ns - 1)
        assert schedule.poll(now_ns)
        begun.append(now_ns)
        schedule.finish(schedule.run, now_ns)
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert begun[0] <= S
    assert interval_s * S // 2 <= gaps[0] <= 3 * interval_s * S // 2
    assert gaps[1:] == [interval_s * S] * 4


def test_a_look_is_not_begun_while_one_is_under_way_and_none_is_queued() -> None:
    schedule = Schedule(check(interval_ns=10 * S, timeout_ns=30 * S), AT, 0, 0)
    assert schedule.poll(schedule.due_ns)
    for _ in range(2):
        assert not schedule.poll(schedule.due_ns)
    assert not schedule.finish(1, schedule.due_ns - 1)
    assert schedule.poll(schedule.due_ns)
    assert schedule.run == 2


def test_a_wake_looks_at_once_and_one_during_a_look_is_followed_by_exactly_one_more() -> None:
    schedule = Schedule(check(), AT, 0, 0)
    due_ns = schedule.due_ns
    assert schedule.wake(1)
    assert not schedule.wake(2)
    assert not schedule.wake(3)
    assert schedule.finish(1, 4)
    assert schedule.in_flight
    assert schedule.began_ns == 4
    assert not schedule.finish(2, 5)
    assert not schedule.in_flight
    assert schedule.due_ns == due_ns


def test_who_beats_more_often_than_it_is_looked_at_is_looked_at_when_it_beats_and_not_in_between() -> None:
    beat = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, interval_ns=10 * S, signal=SignalPolicy(60 * S))
    stage = Stage(component("mind", beat))
    stage.world["mind", "beat"] = lambda now: Observation(OK, signal=WorkSignal(worked.wall_ns))
    worked = stage.now
    stage.run(25)
    stage.looks.clear()
    for _ in range(100):
        worked = stage.now
        stage.look_now("mind").run(1)
    assert len(stage.looks) == 100
    stage.run(25)
    assert [round(at_s) for at_s, _ in stage.looks[100:]] == [134, 144], "an interval after the last beat"


def test_a_look_in_between_that_is_not_good_puts_off_none() -> None:
    beat = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, interval_ns=10 * S, signal=SignalPolicy(60 * S))
    stage = Stage(component("mind", beat))
    stage.world["mind", "beat"] = lambda now: Observation(OK, signal=WorkSignal(now.wall_ns))
    stage.run(25)
    due_ns = stage.monitor.components["mind"].checks["beat"].schedule.due_ns
    stage.world["mind", "beat"] = Observation(Verdict.FAIL, "the writer says error")
    stage.look_now("mind").run(0.1)
    assert stage.monitor.components["mind"].checks["beat"].schedule.due_ns == due_ns


def test_the_answer_to_an_abandoned_look_is_not_taken() -> None:
    schedule = Schedule(check(interval_ns=10 * S, timeout_ns=5 * S), AT, 0, 0)
    schedule.poll(schedule.due_ns)
    began_ns = schedule.began_ns
    assert began_ns is not None
    assert not schedule.is_overdue(began_ns + 7 * S - 1)
    assert schedule.is_overdue(began_ns + 7 * S)
    assert schedule.poll(began_ns + 30 * S)
    now_ns = began_ns + 31 * S
    assert schedule.begun(1, now_ns) is None
    assert schedule.begun(2, now_ns) == began_ns + 30 * S
    assert schedule.begun(None, now_ns) == now_ns, "it came by itself"
    assert not schedule.finish(1, began_ns + 31 * S)
    assert schedule.in_flight
    schedule.finish(2, began_ns + 31 * S)
    assert schedule.begun(2, now_ns) is None


def test_looks_missed_in_a_pause_are_skipped_and_the_cadence_is_kept() -> None:
    schedule = Schedule(check(interval_ns=10 * S), AT, 0, 0)
    for _ in range(2):
        schedule.poll(schedule.due_ns)
        schedule.finish(schedule.run, schedule.due_ns)
    due_ns = schedule.due_ns
    assert schedule.poll(due_ns + 95 * S)
    assert schedule.due_ns == due_ns + 100 * S


@pytest.mark.parametrize("timeout_s", [5, 60])
def test_t5_a_look_that_never_comes_back_is_shown_overdue_within_two_intervals(timeout_s: int) -> None:
    stage = Stage(component("mind", check(grace_ns=0, interval_ns=10 * S, timeout_ns=timeout_s * S)))
    stage.run(20)
    stage.world["mind", "port"] = None
    begun = len(stage.looks)
    while len(stage.looks) == begun:
        stage.run(0.25)
    stage.run(20)
    view = stage.check_view("mind", "port")
    assert view.overdue
    assert view.message == "overdue: the look that is under way does not come back"
    stage.run(20 + timeout_s)
    assert stage.check_state("mind", "port") is CheckState.UNKNOWN


def test_t4_a_look_slower_than_its_interval_is_never_doubled() -> None:
    stage = Stage(component("mind", check(grace_ns=0, interval_ns=10 * S, timeout_ns=25 * S)))
    stage.latency_ns["mind", "port"] = 24 * S
    stage.run(300)
    begun = [at_s for at_s, _ in stage.looks]
    assert all(later - earlier >= 24 for earlier, later in pairwise(begun))
    assert all(later - earlier <= 30.5 for earlier, later in pairwise(begun))


def test_t4_after_a_stall_of_ours_a_look_still_under_way_is_not_doubled() -> None:
    """The engine did not run either: it has not ended the look, which gets the rest of its time."""
    stage = Stage(component("mind", check(grace_ns=0, interval_ns=10 * S, timeout_ns=5 * S)))
    stage.run(20)
    stage.world["mind", "port"] = None
    begun = len(stage.looks)
    while len(stage.looks) == begun:
        stage.run(0.25)
    for duration_s in (3, 60):
        stage.stall(duration_s)
        stage.look_now().run(1)
        assert len(stage.looks) == begun + 1
    stage.run(20)
    assert len(stage.looks) > begun + 1


def test_looking_now_begins_each_look_once_and_an_unknown_name_is_a_key_error() -> None:
    stage = Stage(component("mind", check("port"), check("page")), component("voice", check("port")))
    stage.look_now("mind", "page")
    assert [look.check for _, look in stage.looks] == [CheckId("mind", "page")]
    stage.run(0).look_now("mind").run(0).look_now().run(0)
    assert len(stage.looks) == 6
    for names in (("nobody", None), ("mind", "nothing")):
        with pytest.raises(KeyError):
            stage.look_now(*names)


def test_a_push_ends_no_look_under_way() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    stage.latency_ns["mind", "port"] = 2 * S
    stage.look_now().tell("mind", "port", Observation(OK, "pushed"))
    assert stage.check_view("mind", "port").message == "pushed"
    stage.world["mind", "port"] = Observation(OK, "seen")
    stage.run(3)
    assert stage.check_view("mind", "port").message == "seen"


def test_t5_an_answer_that_comes_when_the_next_look_is_due_does_not_put_that_look_off() -> None:
    stage = Stage(component("mind", check(grace_ns=0, interval_ns=10 * S, timeout_ns=60 * S)))
    stage.run(30)
    stage.latency_ns["mind", "port"] = 10 * S
    stage.run(300)
    begun = [at_s for at_s, _ in stage.looks]
    assert all(later - earlier <= 20.5 for earlier, later in pairwise(begun))
    stage.latency_ns["mind", "port"] = S
    until = len(stage.looks)
    while len(stage.looks) == until:
        stage.run(0.25)
    stage.now = stage.now.after(12 * S)  # a stall, and the answer is taken before the tick
    check_id, run = stage.looks[-1][1].check, stage.looks[-1][1].run
    stage.take(stage.monitor.observe(check_id, Observation(OK), stage.now, run))
    until = len(stage.looks)
    stage.run(1)
    assert len(stage.looks) == until + 1


@pytest.mark.parametrize(("late_s", "next_s"), [(0, 10), (9.9, 10), (10, 20), (10.1, 20), (35, 40)])
def test_a_look_that_is_late_by_intervals_keeps_to_the_cadence(late_s: float, next_s: float) -> None:
    schedule = Schedule(check(interval_ns=10 * S), AT, 0, 0)
    schedule.poll(schedule.due_ns)
    schedule.finish(1, schedule.due_ns)
    due_ns = schedule.due_ns
    assert schedule.poll(due_ns + round(late_s * S))
    assert schedule.due_ns == due_ns + round(next_s * S)
