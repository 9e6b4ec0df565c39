"""When a limit, a grace or a doubt ends, and what is shown of it: small machines, exact moments."""

from dataclasses import replace
from typing import Any

import pytest

from lifesign.core.check import CheckMachine
from lifesign.core.events import EventName
from lifesign.core.memory import MachineMemory
from lifesign.core.model import CheckId, CheckState, Instant, WorkSignal
from lifesign.core.observer import Finding, Observer, told_of
from lifesign.core.schedule import Schedule
from lifesign.core.signal import SignalJudge
from lifesign.core.spec import SignalPolicy
from tests.core.stage import FAIL, OK, UNKNOWN, S, Stage, check, component

WALL_S = 1_790_000_000


def at(mono_s: float) -> Instant:
    return Instant(round(mono_s * S), round((WALL_S + mono_s) * S), round((mono_s + 500) * S))


def judge(stale_s: int = 300, stuck_s: int | None = 200) -> SignalJudge:
    """Its work was finished at 90 s, and read at 100 s."""
    made = SignalJudge(SignalPolicy(stale_s * S, stuck_s * S if stuck_s else None))
    made.read(WorkSignal((WALL_S + 90) * S, 7 if stuck_s else None), at(100))
    return made


@pytest.mark.parametrize(
    ("stale_s", "stuck_s", "nearest"),
    [
        (300, 600, (60 * S, 300 * S)),  # 60 of 300 against 50 of 600
        (300, 200, (50 * S, 200 * S)),  # 60 of 300 against 50 of 200
        (600, 500, (60 * S, 600 * S)),  # 60 of 600 is 50 of 500: the timestamp speaks
        (600, 499, (50 * S, 499 * S)),
        (300, None, (60 * S, 300 * S)),
    ],
)
def test_the_nearer_of_timestamp_and_counter_to_its_limit_is_shown(
    stale_s: int, stuck_s: int | None, nearest: tuple[int, int]
) -> None:
    assert judge(stale_s, stuck_s).nearest_limit_ns(150 * S) == nearest


@pytest.mark.parametrize(
    ("stale_s", "stuck_s", "now_s", "change_s"),
    [
        (300, None, 100, 390),
        (300, None, 389, 390),
        (300, None, 390, None),  # it has changed
        (300, 200, 150, 300),
        (300, 200, 300, None),
        (150, 200, 150, 240),
        (210, 200, 150, 300),  # both at once
    ],
)
def test_a_judgement_changes_next_at_the_first_limit_ahead(
    stale_s: int, stuck_s: int | None, now_s: int, change_s: int | None
) -> None:
    assert judge(stale_s, stuck_s).next_change_ns(now_s * S) == (None if change_s is None else change_s * S)


def test_a_judgement_of_nothing_and_one_that_waits_for_a_new_process_change_at_the_graces_end() -> None:
    assert SignalJudge(SignalPolicy(300 * S)).next_change_ns(5 * S) is None
    waiting = judge()
    waiting.begin_incarnation(120 * S, 170 * S)
    assert waiting.next_change_ns(150 * S) == 170 * S
    waiting.prolong_grace(160 * S)
    assert waiting.next_change_ns(150 * S) == 170 * S
    waiting.prolong_grace(180 * S)
    assert waiting.next_change_ns(150 * S) == 180 * S
    assert waiting.judge(179 * S).awaiting
    assert not waiting.judge(180 * S).awaiting
    assert waiting.next_change_ns(180 * S) == 320 * S  # the counter rests since the process began


def test_the_age_of_work_is_told_in_words_and_that_a_new_process_has_done_none() -> None:
    made = judge()
    assert made.age_words(150 * S) == "last work 60s ago"
    made.begin_incarnation(120 * S, 170 * S)
    assert made.age_words(150 * S) == "no work yet of the process that began 30s ago"
    made.read(WorkSignal((WALL_S + 145) * S, 8), at(150))
    assert made.age_words(150 * S) == "last work 5s ago"


def machine(**changes: Any) -> CheckMachine:
    return CheckMachine(check(interval_ns=60 * S, grace_ns=10 * S, failure_threshold=2, **changes), 0)


def test_a_new_grace_is_its_own_or_the_one_asked_for_and_never_cuts_the_old_one_short() -> None:
    made = machine()
    made.begin_grace(3 * S)
    assert made.grace_ends_ns == 13 * S
    for now_s, until_s, end_s in ((3, 40, 40), (20, 25, 25), (3, 5, 10)):
        made = machine()
        made.begin_grace(now_s * S, until_s * S)
        assert made.grace_ends_ns == end_s * S
    made = machine()
    made.begin_grace(100 * S, 500 * S)
    made.begin_grace(200 * S)
    assert made.grace_ends_ns == 500 * S


def test_failures_before_a_new_grace_do_not_count_with_those_after_it() -> None:
    made = machine()
    made.observe(OK, 20 * S)
    made.observe(FAIL, 30 * S)
    made.begin_grace(31 * S)
    assert made.counted_failures == 0
    made.observe(FAIL, 42 * S)
    assert made.state(42 * S) is CheckState.FAILING
    made.observe(FAIL, 43 * S)
    assert made.state(43 * S) is CheckState.FAILED


def test_a_pending_check_whose_grace_is_over_is_settled_by_what_is_known() -> None:
    failing, passing, neither = machine(), machine(), machine()
    failing.settle(FAIL, 12 * S)
    passing.settle(OK, 12 * S)
    neither.settle(UNKNOWN, 12 * S)
    assert failing.state(12 * S) is CheckState.FAILING
    assert failing.pending
    assert passing.state(12 * S) is CheckState.PASSING
    assert passing.consecutive_successes == 1
    assert neither.state(12 * S) is CheckState.UNKNOWN


def test_how_long_it_must_still_fail_counts_from_the_first_counted_failure() -> None:
    assert machine().time_until_failed_ns(5 * S) == 0
    made = machine(failure_for_ns=100 * S)
    assert made.time_until_failed_ns(20 * S) == 100 * S
    made.observe(FAIL, 20 * S)
    made.observe(FAIL, 50 * S)
    assert made.time_until_failed_ns(60 * S) == 60 * S
    assert made.time_until_failed_ns(119 * S) == S
    assert made.time_until_failed_ns(120 * S) == 0
    assert made.time_until_failed_ns(500 * S) == 0


def test_a_check_that_goes_on_elsewhere_holds_every_count_and_no_doubt() -> None:
    memory = MachineMemory(
        pending=False,
        level=1,
        last=2,
        worse_runs=(3, 2),
        worse_ages_ns=(50 * S, 30 * S),
        better_runs=(4, 5),
        consecutive_failures=2,
        consecutive_successes=7,
        known_age_ns=12 * S,
        grace_left_ns=9 * S,
        blind_left_ns=-1,
    )
    made = machine()
    made.go_on(memory, 9_000 * S, knew=True)
    assert made.memory(9_000 * S) == memory
    assert made.last_failed
    made.go_on(memory, 9_000 * S, knew=False)
    assert not made.last_failed
    made.go_on(MachineMemory(pending=True, failed_in_grace=True, last=2, grace_left_ns=-1), 9_000 * S, knew=True)
    assert made.state(9_000 * S) is CheckState.FAILING


def test_after_a_pause_a_look_is_due_at_once_and_nothing_is_late() -> None:
    made = Schedule(check(interval_ns=10 * S, timeout_ns=5 * S), CheckId("a", "b"), 1, 0)
    assert made.poll(S)
    assert not made.wake(2 * S)  # one more is asked for, after this one
    made.resume(500 * S)
    assert made.due_ns == 500 * S
    assert not made.finish(made.run, 500 * S)  # what was asked for before the pause is forgotten
    assert made.poll(500 * S)
    assert not made.is_overdue(504 * S)


def test_the_observer_changes_its_mind_half_a_minute_after_a_stall() -> None:
    observer = Observer(at(0))
    assert observer.next_change_ns(0) is None
    observer.read(at(50))
    assert observer.next_change_ns(50 * S) == 80 * S
    assert observer.next_change_ns(80 * S - 1) == 80 * S
    assert observer.next_change_ns(80 * S) is None
    observer.rest(at(79))
    assert observer.read(at(79.5)) is None


def test_a_stall_a_suspend_and_a_step_are_told_in_words_and_figures() -> None:
    before, now = at(100), replace(at(112.3456), wall_ns=77)
    stalled = told_of(Finding(before.mono_ns, now.mono_ns, gap_ns=12_345_600_000), now)
    assert [(e.name, e.at_wall_ns, e.message, dict(e.data)) for e in stalled] == [
        (EventName.MONITOR_STALLED, 77, "the monitor did not run for 12s", {"stalled_s": 12.346, "suspended_s": 0.0})
    ]
    slept = told_of(Finding(before.mono_ns, now.mono_ns, gap_ns=90 * S, suspended_ns=89_000_600_000), now)
    assert [(e.message, dict(e.data)) for e in slept] == [
        ("the machine was suspended for 90s", {"stalled_s": 90.0, "suspended_s": 89.001})
    ]
    both = told_of(Finding(before.mono_ns, now.mono_ns, gap_ns=2 * S, step_ns=-3_600_123_400_000), now)
    assert [(e.name, e.at_wall_ns) for e in both] == [(EventName.MONITOR_STALLED, 77), (EventName.CLOCK_JUMPED, 77)]
    assert both[1].message == "the wall clock was stepped by -3600.1 s; nothing is judged by it"
    assert dict(both[1].data) == {"step_s": -3600.123}
    assert told_of(Finding(before.mono_ns, now.mono_ns), now) == []


def test_three_stalls_within_five_minutes_are_too_many_and_not_a_moment_longer() -> None:
    observer = Observer(at(0))
    for second in (100, 200):
        observer.rest(at(second - 10))
        observer.read(at(second))
    assert not observer.fails_to_work(200 * S)
    observer.rest(at(290))
    observer.read(at(300))
    assert observer.fails_to_work(300 * S)
    assert observer.fails_to_work(400 * S - 1)
    assert not observer.fails_to_work(400 * S)


def test_a_look_is_overdue_two_intervals_after_the_last_one_or_past_its_time() -> None:
    slow = Schedule(check(interval_ns=10 * S, timeout_ns=60 * S), CheckId("a", "b"), 1, 0)
    assert not slow.is_overdue(500 * S)  # none is under way: it is not late, it is not asked for
    assert slow.wake(5 * S)
    assert not slow.is_overdue(20 * S - 1)
    assert slow.is_overdue(20 * S)
    slow.excuse(7 * S)
    assert not slow.is_overdue(27 * S - 1)
    assert slow.is_overdue(27 * S)
    quick = Schedule(check(interval_ns=100 * S, timeout_ns=3 * S), CheckId("a", "b"), 1, 0)
    assert quick.wake(5 * S)
    assert not quick.is_overdue(10 * S - 1)  # timeout + 2 s
    assert quick.is_overdue(10 * S)
    quick.excuse(4 * S)
    assert not quick.is_overdue(14 * S - 1)
    assert quick.is_overdue(14 * S)


def test_a_counter_that_rests_is_told_with_its_value_its_time_and_its_limit() -> None:
    stuck = judge(300, 200)
    assert stuck.judge(299 * S).verdict is OK
    assert stuck.judge(310 * S).message == (
        "stuck: the progress value 7 has not changed for 210 s (limit 200 s), though the timestamp is fresh"
    )


def test_blinded_thrice_without_a_grace_between_is_too_often_until_the_last_grace_ends() -> None:
    made = machine()
    for start_s in (20, 32, 44):
        made.excuse(start_s * S, (start_s + 2) * S)
    assert made.blinded_until_ns == 56 * S
    calm = machine()
    for start_s in (20, 32, 45):
        calm.excuse(start_s * S, (start_s + 2) * S)
    assert calm.blinded_until_ns is None


def test_a_stall_is_in_no_duration_and_a_grace_of_the_judge_outlasts_it() -> None:
    waiting = judge()
    waiting.begin_incarnation(120 * S, 170 * S)
    waiting.excuse(Finding(150 * S, 165 * S, gap_ns=15 * S))
    assert waiting.next_change_ns(166 * S) == 185 * S
    waiting.excuse(Finding(185 * S, 200 * S, gap_ns=15 * S))  # it was over when this began
    assert not waiting.judge(186 * S).awaiting


def test_a_look_is_overdue_two_intervals_after_the_last_one_ended_without_the_time_in_which_we_did_not_run() -> None:
    made = Schedule(check(interval_ns=10 * S, timeout_ns=600 * S), CheckId("mind", "port"), 0, 100 * S)
    made.poll(made.due_ns)
    made.finish(1, 150 * S)
    made.wake(151 * S)
    made.excuse(30 * S)
    assert not made.is_overdue(150 * S + 30 * S + 20 * S - 1)
    assert made.is_overdue(150 * S + 30 * S + 20 * S)


@pytest.mark.parametrize(
    ("gap_s", "suspended_s", "blind_s"), [(5, 0, 0), (5.000_000_001, 0, 30), (3, 3, 30), (60, 0, 30), (60, 60, 30)]
)
def test_a_stall_no_longer_than_half_an_interval_is_no_blindness_but_for_what_was_under_way(
    gap_s: float, suspended_s: float, blind_s: int
) -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S, interval_ns=10 * S))).run(60)
    held, end_ns = stage.monitor.components["mind"].checks["port"], stage.now.mono_ns
    gap_ns, suspended_ns = round(gap_s * S), round(suspended_s * S)
    held.excuse(Finding(end_ns - gap_ns, end_ns, gap_ns=gap_ns, suspended_ns=suspended_ns))
    assert held.machine.is_blind(end_ns + blind_s * S)
    assert not held.machine.is_blind(end_ns + blind_s * S + 1)


def test_after_a_pause_a_check_is_looked_at_again_and_waits_for_its_first_look() -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S))).run(60)
    held = stage.monitor.components["mind"].checks["port"]
    held.pause()
    assert (held.paused, held.state) == (True, CheckState.UNKNOWN)
    assert held.message(stage.now.mono_ns) == "paused: nobody looks"
    held.resume(stage.now.mono_ns)
    assert (held.paused, held.state, held.last) == (False, CheckState.PENDING, None)
    assert held.schedule.due_ns == stage.now.mono_ns
