"""What a work signal is worth: transcripts of writers and clocks, and properties against the true age of the work."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.model import Instant, Observation, Verdict, WorkSignal
from lifesign.core.observer import Finding
from lifesign.core.signal import SignalJudge
from lifesign.core.spec import SignalPolicy
from tests.core.stage import FAIL, OK, START, UNKNOWN, S

STALE, STUCK, SKEW = 300 * S, 120 * S, 60 * S
POLICY = SignalPolicy(STALE, STUCK, SKEW)
CENTURY_S = 100 * 366 * 86_400
STEPS_S = (3_600, -3_600, -START.wall_ns // S, 2_340_000_000, 30, -30, 61, -61, CENTURY_S)


def at(elapsed_s: float, *, wall_s: float = 0.0) -> Instant:
    """So many seconds after the start, with a wall clock that was stepped by `wall_s`."""
    now = START.after(round(elapsed_s * S))
    return Instant(now.mono_ns, now.wall_ns + round(wall_s * S), now.boot_ns)


def written(
    elapsed_s: float, progress: int | str | None = None, *, clock_s: float = 0.0, busy: bool | None = None
) -> WorkSignal:
    """A signal written so many seconds after the start by a writer whose clock is `clock_s` ahead."""
    return WorkSignal(at(elapsed_s, wall_s=clock_s).wall_ns, progress, busy)


def test_a_signal_is_ok_until_its_limit_and_fails_at_it() -> None:
    judge = SignalJudge(SignalPolicy(STALE))
    assert judge.read(written(0), at(1)).verdict is OK
    assert judge.read(written(0), at(299.999)).verdict is OK
    stale = judge.read(written(0), at(300))
    assert (stale.verdict, stale.message) == (FAIL, "no new work for 300 s (limit 300 s)")
    assert judge.read(written(301), at(302)).verdict is OK


def test_a_signal_that_is_old_when_first_seen_is_as_old_as_its_timestamp_says() -> None:
    assert SignalJudge(POLICY).read(written(-612), at(0)).message == "no new work for 612 s (limit 300 s)"
    young = SignalJudge(POLICY)
    assert young.read(written(-290), at(0)).verdict is OK
    assert young.judge(at(9.9).mono_ns).verdict is OK
    assert young.judge(at(10).mono_ns).verdict is FAIL


def test_a_counter_that_rests_fails_though_the_timestamp_is_fresh() -> None:
    judge = SignalJudge(POLICY)
    for elapsed_s in range(0, 120, 10):
        assert judge.read(written(elapsed_s, 7), at(elapsed_s)).verdict is OK
    stuck = judge.read(written(120, 7), at(120))
    assert stuck.verdict is FAIL
    assert stuck.message == (
        "stuck: the progress value 7 has not changed for 120 s (limit 120 s), though the timestamp is fresh"
    )
    assert judge.read(written(130, 8), at(130)).verdict is OK


def test_a_resting_counter_is_excused_while_the_writer_has_no_work_and_counts_from_then() -> None:
    judge = SignalJudge(POLICY)
    for elapsed_s in range(0, 500, 10):
        assert judge.read(written(elapsed_s, 7, busy=False), at(elapsed_s)).verdict is OK
    assert judge.read(written(600, 7, busy=True), at(609)).verdict is OK
    assert judge.read(written(610, 7, busy=True), at(610)).verdict is FAIL


def test_having_no_work_never_excuses_an_old_timestamp() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0, 7, busy=False), at(0))
    assert judge.read(written(0, 7, busy=False), at(300)).verdict is FAIL


def test_a_counter_that_comes_and_goes_with_one_value_still_rests() -> None:
    judge = SignalJudge(POLICY)
    verdicts = [
        judge.read(written(elapsed_s, 7 if elapsed_s % 20 else None), at(elapsed_s)).verdict
        for elapsed_s in range(0, 400, 10)
    ]
    assert FAIL in verdicts


def test_without_a_limit_for_it_a_resting_counter_is_nothing() -> None:
    judge = SignalJudge(SignalPolicy(STALE, None))
    for elapsed_s in range(0, 1_000, 100):
        assert judge.read(written(elapsed_s, 7), at(elapsed_s)).verdict is OK


def test_a_timestamp_later_than_the_skew_allows_is_unknown_and_says_so() -> None:
    judge = SignalJudge(POLICY)
    assert judge.read(written(59), at(0)).verdict is OK
    skewed = SignalJudge(POLICY).read(written(61), at(0))
    assert skewed.verdict is UNKNOWN
    assert not skewed.awaiting
    assert skewed.message == "clock skew: the timestamp is 61s in the future"


def test_a_timestamp_of_tomorrow_does_not_make_up_for_work_that_stopped() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    assert judge.read(written(86_400), at(10)).verdict is UNKNOWN
    assert judge.read(written(0), at(300)).verdict is FAIL


def test_an_older_file_that_comes_back_is_as_old_as_it_says() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    assert judge.read(written(-3_600), at(10)).verdict is FAIL
    assert judge.read(written(0), at(20)).verdict is OK
    assert judge.read(written(0), at(300)).verdict is FAIL


@pytest.mark.parametrize("step_s", STEPS_S)
@pytest.mark.parametrize("writer_too", [False, True])
def test_t1_a_step_of_the_wall_clock_makes_no_working_writer_stale(step_s: float, writer_too: bool) -> None:
    judge = SignalJudge(POLICY)
    for elapsed_s in range(0, 600, 10):
        step = step_s if elapsed_s >= 300 else 0.0
        beat = written(elapsed_s, elapsed_s, clock_s=step if writer_too else 0.0)
        assert judge.read(beat, at(elapsed_s + 5, wall_s=step)).verdict is OK, elapsed_s


@pytest.mark.parametrize("step_s", STEPS_S)
def test_t1_a_step_of_the_wall_clock_makes_no_dead_writer_fresh(step_s: float) -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    for elapsed_s in range(10, 400, 10):
        verdict = judge.read(written(0), at(elapsed_s, wall_s=step_s)).verdict
        assert verdict is (FAIL if elapsed_s >= 300 else OK)


def asleep(elapsed_s: float, slept_s: float) -> Instant:
    """So many seconds of the monotonic clock after the start, and a suspend of so many."""
    now = at(elapsed_s, wall_s=slept_s)
    return Instant(now.mono_ns, now.wall_ns, now.boot_ns + round(slept_s * S))


def suspended(judge: SignalJudge, at_s: float, slept_s: float, before_s: float = 0) -> None:
    began = asleep(at_s, before_s)
    judge.excuse(Finding(began.mono_ns, began.mono_ns, round(slept_s * S), round(slept_s * S), 0, began.boot_ns))


@pytest.mark.parametrize("slept_s", [5, 30, 59, 61, 8 * 3_600])
def test_a_beat_written_before_a_suspend_is_aged_by_the_time_awake(slept_s: float) -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    suspended(judge, 8, slept_s)
    assert judge.read(written(5), asleep(10, slept_s)).verdict is OK
    assert judge.staleness_ns(asleep(10, slept_s).mono_ns) == 5 * S
    assert judge.judge(at(304.9).mono_ns).verdict is OK
    assert judge.judge(at(305).mono_ns).verdict is FAIL


@pytest.mark.parametrize("slept_s", [5, 30, 59, 61, 8 * 3_600])
def test_a_beat_written_after_a_suspend_is_no_fresher_than_it_is(slept_s: float) -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    suspended(judge, 8, slept_s)
    judge.read(written(12, clock_s=slept_s), asleep(40, slept_s))
    assert judge.staleness_ns(asleep(40, slept_s).mono_ns) == 28 * S


def test_a_beat_dated_within_a_suspend_is_as_old_as_its_beginning() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    suspended(judge, 8, 1_000)
    judge.read(written(500), asleep(10, 1_000))
    assert judge.staleness_ns(asleep(10, 1_000).mono_ns) == 2 * S


@pytest.mark.parametrize(("written_s", "age_s"), [(5, 35), (12 + 56_230, 28), (30 + 56_230 + 75, 10)])
def test_a_beat_that_nobody_read_over_two_suspends_is_aged_by_the_time_awake(written_s: float, age_s: float) -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    suspended(judge, 8, 56_230)
    suspended(judge, 20, 75, before_s=56_230)
    now = asleep(40, 56_230 + 75)
    assert judge.read(written(written_s), now).verdict is OK
    assert judge.staleness_ns(now.mono_ns) == age_s * S


def test_until_the_grace_of_an_incarnation_ends_an_older_signal_is_no_evidence() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0, 1), at(0))
    judge.begin_incarnation(at(1_000).mono_ns, at(1_030).mono_ns)
    waiting = judge.read(written(0, 1), at(1_010))
    assert (waiting.verdict, waiting.awaiting) == (UNKNOWN, True)
    assert waiting.message == "waiting for the first work of the new process, grace 20s"
    assert judge.read(written(0, 1), at(1_029.9)).awaiting


def test_after_that_grace_staleness_counts_from_the_start_of_the_incarnation() -> None:
    judge = SignalJudge(SignalPolicy(STALE))
    judge.read(written(0), at(0))
    judge.begin_incarnation(at(1_000).mono_ns, at(1_030).mono_ns)
    assert judge.read(written(0), at(1_030)).verdict is OK
    assert judge.staleness_ns(at(1_040).mono_ns) == 40 * S
    assert judge.read(written(0), at(1_299.9)).verdict is OK
    assert judge.read(written(0), at(1_300)).verdict is FAIL


def test_the_first_work_of_the_new_process_ends_the_waiting() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0, 1), at(0))
    judge.begin_incarnation(at(1_000).mono_ns, at(1_030).mono_ns)
    assert judge.read(written(999, 2), at(1_005)).awaiting
    assert judge.read(written(1_004, 3), at(1_006)).verdict is OK
    assert judge.judge(at(1_303.9).mono_ns).verdict is FAIL  # stuck since 1,006
    assert judge.judge(at(1_125).mono_ns).verdict is OK


def test_a_counter_that_the_old_process_left_rests_since_the_start_of_the_new_one() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0, 1), at(0))
    judge.begin_incarnation(at(1_000).mono_ns, at(1_030).mono_ns)
    assert judge.read(written(1_010, 1), at(1_010)).verdict is OK
    assert judge.read(written(1_119, 1), at(1_119)).verdict is OK
    assert judge.read(written(1_120, 1), at(1_120)).verdict is FAIL


def test_an_observation_that_found_nothing_out_carries_no_signal() -> None:
    with pytest.raises(ValueError, match="carries no work signal"):
        Observation(Verdict.UNKNOWN, signal=written(0))


Beat = tuple[int, int, int, bool | None]  # pause before the look, age of what it reads, progress, busy
beats = st.lists(
    st.tuples(st.integers(1, 90), st.integers(0, 200), st.integers(0, 1), st.sampled_from([None, True, False])),
    max_size=40,
)


def naive_verdict(looks: Sequence[tuple[int, int, int, bool | None]], now_s: int) -> Verdict:
    """By definition: the newest work, and since when the counter has had one value while there was work."""
    work_s = looks[-1][1]
    rests_since_s = looks[0][0]
    for before, look in pairwise(looks):
        if look[2] != before[2] or look[3] is False:
            rests_since_s = look[0]
    stale, stuck = now_s - work_s >= STALE // S, now_s - rests_since_s >= STUCK // S
    return FAIL if stale or stuck else OK


@given(beats, st.sampled_from([0, 0, *STEPS_S]), st.integers(0, 2_000))
def test_s12_a_signal_is_ok_while_work_and_counter_advance_in_time_whatever_the_wall_clock(
    script: list[Beat], step_s: int, step_at_s: int
) -> None:
    """The writer lives on this host, so its clock is ours: only steps taken before the first look move ages."""
    judge = SignalJudge(POLICY)
    looks: list[tuple[int, int, int, bool | None]] = []
    now_s, work_s = 0, 0
    for pause_s, age_s, progress, busy in script:
        now_s += pause_s
        work_s = max(work_s, now_s - age_s)
        # The clock is stepped for both at once; what was written before shows the old time.
        stamp_step = step_s if work_s >= step_at_s else 0
        clock_step = step_s if now_s >= step_at_s else 0
        if not looks and stamp_step != clock_step:
            return  # nothing can tell the age of a first signal across a step
        looks.append((now_s, work_s, progress, busy))
        judged = judge.read(written(work_s, progress, clock_s=stamp_step, busy=busy), at(now_s, wall_s=clock_step))
        expected = naive_verdict(looks, now_s)
        if expected is OK:
            assert judged.verdict is OK
        elif stamp_step == clock_step and step_s >= 0:
            assert judged.verdict is FAIL


@given(beats)
def test_s11_the_verdict_of_a_signal_is_that_of_its_whole_history(script: list[Beat]) -> None:
    judge = SignalJudge(POLICY)
    looks: list[tuple[int, int, int, bool | None]] = []
    now_s, work_s = 0, 0
    for pause_s, age_s, progress, busy in script:
        now_s += pause_s
        work_s = max(work_s, now_s - age_s)
        looks.append((now_s, work_s, progress, busy))
        judged = judge.read(written(work_s, progress, busy=busy), at(now_s))
        assert judged.verdict is naive_verdict(looks, now_s)
        change_ns = judge.next_change_ns(at(now_s).mono_ns)
        for later_s in (1, 30, 100, 250):
            verdict = judge.judge(at(now_s + later_s).mono_ns).verdict
            assert verdict is naive_verdict(looks, now_s + later_s)
            if verdict is not judged.verdict:
                assert change_ns is not None
                assert change_ns <= at(now_s + later_s).mono_ns
        if change_ns is not None:
            assert judge.judge(change_ns - 1).verdict is judged.verdict
            assert judge.judge(change_ns).verdict is not judged.verdict


@given(st.integers(), st.none() | st.integers() | st.text(max_size=5), st.none() | st.booleans())
def test_s11_no_unmoving_signal_stays_ok(timestamp_ns: int, progress: int | str | None, busy: bool | None) -> None:
    """Whatever it says, and whenever it claims to be from: read for ever without a change, it ends as not ok."""
    judge = SignalJudge(POLICY)
    verdict = OK
    for elapsed_s in range(0, 500, 50):
        verdict = judge.read(WorkSignal(timestamp_ns, progress, busy), at(elapsed_s)).verdict
    assert verdict is not OK or timestamp_ns > at(450 - 300).wall_ns


def test_the_staleness_that_is_shown_is_that_of_the_work() -> None:
    judge = SignalJudge(POLICY)
    assert not judge.has_signal
    assert judge.next_change_ns(at(0).mono_ns) is None
    judge.read(written(10), at(12))
    assert judge.has_signal
    assert judge.staleness_ns(at(30).mono_ns) == 20 * S
    assert judge.work_wall_ns == at(10).wall_ns
    assert judge.next_change_ns(at(30).mono_ns) == at(310).mono_ns
    assert judge.next_change_ns(at(310).mono_ns) is None
    judge.begin_incarnation(at(400).mono_ns, at(430).mono_ns)
    assert judge.next_change_ns(at(410).mono_ns) == at(430).mono_ns


def test_a_stall_of_ours_in_the_grace_of_an_incarnation_prolongs_it() -> None:
    judge = SignalJudge(POLICY)
    judge.read(written(0), at(0))
    judge.begin_incarnation(at(1_000).mono_ns, at(1_030).mono_ns)
    judge.excuse(Finding(at(1_010).mono_ns, at(1_070).mono_ns, gap_ns=60 * S))
    assert judge.read(written(0), at(1_089)).awaiting
    assert not judge.read(written(0), at(1_090)).awaiting
    judge.excuse(Finding(at(1_090).mono_ns, at(1_150).mono_ns, gap_ns=60 * S))
    assert not judge.read(written(0), at(1_151)).awaiting
