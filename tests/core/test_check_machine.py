"""What verdicts, in what order and when, make of a check: transcripts, and properties against a naive model."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.check import CheckMachine
from lifesign.core.model import CheckState, Verdict
from lifesign.core.spec import CheckSpec
from tests.core import naive
from tests.core.stage import FAIL, OK, UNKNOWN, S, check

T0 = 7_000 * S
VERDICTS = {verdict.value: verdict for verdict in Verdict}


def follow(spec: CheckSpec, transcript: str, *, one_shot: bool = False) -> None:
    """Each line: seconds since the start, a verdict or `-` (only time passes), the state that must follow."""
    machine = CheckMachine(spec, T0, one_shot=one_shot)
    for line in transcript.strip().splitlines():
        at_s, word, expected = line.split()[:3]
        now_ns = T0 + round(float(at_s) * S)
        if word != "-":
            machine.observe(VERDICTS[word], now_ns)
        assert machine.state(now_ns) == expected, f"after {line.strip()!r} it is {machine.state(now_ns)}"


PLAIN = check(grace_ns=0)


def test_two_failures_of_three_are_a_blip_and_the_third_condemns() -> None:
    follow(
        PLAIN,
        """
        0   ok    passing
        10  fail  failing
        20  fail  failing
        30  ok    passing
        40  fail  failing
        50  fail  failing
        60  fail  failed
        """,
    )


def test_recovery_needs_as_many_successes_in_a_row_as_are_asked_for() -> None:
    follow(
        replace(PLAIN, success_threshold=3),
        """
        0   fail  failing
        10  fail  failing
        20  fail  failed
        30  ok    failed
        40  ok    failed
        50  fail  failed
        60  ok    failed
        70  ok    failed
        80  ok    passing
        """,
    )


def test_warn_and_fail_in_turn_hold_a_warning_and_come_down_again() -> None:
    follow(
        PLAIN,
        """
        0   warn  warning
        10  fail  failing
        20  warn  warning
        30  fail  failing
        40  warn  warning
        50  ok    warning
        60  ok    passing
        """,
    )


def test_a_failed_check_that_only_warns_improves_to_a_warning() -> None:
    follow(
        PLAIN,
        """
        0   fail  failing
        10  fail  failing
        20  fail  failed
        30  warn  failed
        40  warn  warning
        50  ok    warning
        60  ok    passing
        """,
    )


def test_a_mix_of_ok_and_warn_ends_a_failure_though_neither_comes_twice() -> None:
    follow(
        PLAIN,
        """
        0   fail  failing
        10  fail  failing
        20  fail  failed
        30  ok    failed
        40  warn  warning
        """,
    )


def test_a_failure_must_last_as_long_as_asked_for_and_come_as_often() -> None:
    follow(
        replace(PLAIN, failure_threshold=2, failure_for_ns=60 * S, interval_ns=30 * S),
        """
        0   ok    passing
        10  fail  failing
        40  fail  failing
        69  fail  failing
        70  fail  failed
        """,
    )
    follow(
        replace(PLAIN, failure_threshold=4, failure_for_ns=20 * S),
        """
        0   fail  failing
        15  fail  failing
        30  fail  failing
        31  fail  failed
        """,
    )


def test_a_success_between_starts_the_time_of_a_failure_anew() -> None:
    follow(
        replace(PLAIN, failure_threshold=1, failure_for_ns=30 * S, interval_ns=60 * S),
        """
        0   fail  failing
        20  fail  failing
        25  ok    passing
        30  fail  failing
        55  fail  failing
        60  fail  failed
        """,
    )


def test_unknown_neither_counts_nor_breaks_a_streak() -> None:
    follow(
        PLAIN,
        """
        0   fail     failing
        10  unknown  failing
        20  fail     failing
        30  unknown  failing
        40  fail     failed
        50  ok       failed
        60  unknown  failed
        70  ok       passing
        """,
    )


def test_a_check_that_found_nothing_out_for_two_intervals_and_a_timeout_is_unknown() -> None:
    follow(
        PLAIN,
        """
        0      ok       passing
        10     unknown  passing
        20     unknown  passing
        24.9   -        passing
        25     -        unknown
        30     unknown  unknown
        31     ok       passing
        55.9   -        passing
        56     -        unknown
        """,
    )


def test_a_failed_check_that_nobody_can_see_is_shown_unknown_and_is_failed_when_seen_again() -> None:
    follow(
        PLAIN,
        """
        0   fail     failing
        10  fail     failing
        20  fail     failed
        45  -        unknown
        50  unknown  unknown
        60  fail     failed
        70  ok       failed
        80  ok       passing
        """,
    )


def test_nothing_is_condemned_in_grace_and_failures_count_from_its_end() -> None:
    follow(
        check(grace_ns=30 * S),
        """
        0    -     pending
        1    fail  pending
        10   fail  pending
        20   fail  pending
        29   fail  pending
        30   fail  failing
        40   fail  failing
        50   fail  failed
        """,
    )


def test_the_first_ok_ends_pending_and_a_failure_in_grace_is_then_a_blip() -> None:
    follow(
        check(grace_ns=60 * S, failure_threshold=1),
        """
        0   -     pending
        5   ok    passing
        15  fail  failing
        25  fail  failing
        59  fail  failing
        60  fail  failed
        """,
    )


def test_a_check_still_pending_after_its_grace_is_unknown() -> None:
    follow(
        check(grace_ns=30 * S),
        """
        0     -        pending
        20    unknown  pending
        29.9  -        pending
        30    -        unknown
        40    unknown  unknown
        41    ok       passing
        """,
    )


def test_in_a_one_shot_unknown_is_unknown_at_once() -> None:
    once = check(grace_ns=0, failure_threshold=1, success_threshold=1)
    follow(once, "0 fail failed", one_shot=True)
    follow(once, "0 ok passing", one_shot=True)
    follow(once, "0 warn warning", one_shot=True)
    follow(once, "0 unknown unknown", one_shot=True)
    follow(once, "0 ok passing\n 1 unknown unknown\n 2 ok passing", one_shot=True)
    follow(once, "0 - unknown", one_shot=True)
    follow(once, "0 ok passing\n 900 - passing", one_shot=True)


def test_a_new_incarnation_forgets_what_was_held_and_is_given_its_grace() -> None:
    machine = CheckMachine(replace(PLAIN, grace_ns=20 * S, failure_threshold=1), T0)
    machine.observe(FAIL, T0 + 30 * S)
    assert machine.state(T0 + 30 * S) is CheckState.FAILED
    machine.await_first_work(T0 + 31 * S)
    assert machine.state(T0 + 31 * S) is CheckState.PENDING
    assert (machine.consecutive_failures, machine.consecutive_successes) == (0, 0)
    machine.observe(FAIL, T0 + 50 * S)
    assert machine.state(T0 + 50 * S) is CheckState.PENDING
    machine.observe(FAIL, T0 + 51 * S)
    assert machine.state(T0 + 51 * S) is CheckState.FAILED


def test_behind_a_new_incarnation_a_failed_check_stays_failed_and_a_failing_one_starts_over() -> None:
    spec = replace(PLAIN, grace_ns=20 * S)
    failing, failed = CheckMachine(spec, T0), CheckMachine(spec, T0)
    for at_s in (30, 31):
        failing.observe(FAIL, T0 + at_s * S)
    for at_s in (29, 30, 31):
        failed.observe(FAIL, T0 + at_s * S)
    for machine in (failing, failed):
        machine.begin_grace(T0 + 32 * S)
        machine.observe(FAIL, T0 + 40 * S)
    assert failing.state(T0 + 40 * S) is CheckState.FAILING
    assert failed.state(T0 + 40 * S) is CheckState.FAILED
    for at_s in (52, 53):
        failing.observe(FAIL, T0 + at_s * S)
        assert failing.state(T0 + at_s * S) is CheckState.FAILING
    failing.observe(FAIL, T0 + 54 * S)
    assert failing.state(T0 + 54 * S) is CheckState.FAILED


def test_time_in_which_we_did_not_run_is_in_no_duration() -> None:
    machine = CheckMachine(replace(PLAIN, failure_threshold=2, failure_for_ns=60 * S), T0)
    machine.observe(FAIL, T0 + 1 * S)
    machine.excuse(T0 + 5 * S, T0 + 605 * S)
    machine.observe(FAIL, T0 + 606 * S)
    assert machine.state(T0 + 606 * S) is CheckState.FAILING
    machine.observe(FAIL, T0 + 660 * S)
    assert machine.state(T0 + 660 * S) is CheckState.FAILING
    machine.observe(FAIL, T0 + 661 * S)
    assert machine.state(T0 + 661 * S) is CheckState.FAILED


def test_a_stall_in_grace_prolongs_the_grace() -> None:
    machine = CheckMachine(check(grace_ns=30 * S), T0)
    machine.excuse(T0 + 10 * S, T0 + 110 * S)
    assert machine.state(T0 + 129 * S) is CheckState.PENDING
    assert machine.state(T0 + 130 * S) is CheckState.UNKNOWN


def test_after_a_stall_nothing_turns_unknown_before_we_had_the_time_to_look() -> None:
    machine = CheckMachine(PLAIN, T0)
    machine.observe(OK, T0)
    machine.excuse(T0 + 1 * S, T0 + 3_600 * S)
    assert machine.state(T0 + 3_624 * S) is CheckState.PASSING
    assert machine.state(T0 + 3_625 * S) is CheckState.UNKNOWN


def test_how_much_is_missing_to_a_failure_is_told() -> None:
    machine = CheckMachine(replace(PLAIN, failure_for_ns=60 * S), T0)
    assert machine.observations_until_failed() == 3
    assert machine.time_until_failed_ns(T0) == 60 * S
    machine.observe(FAIL, T0 + 10 * S)
    assert machine.observations_until_failed() == 2
    assert machine.time_until_failed_ns(T0 + 30 * S) == 40 * S
    for at_s in (20, 30, 40):
        machine.observe(FAIL, T0 + at_s * S)
    assert machine.observations_until_failed() == 1
    assert machine.time_until_failed_ns(T0 + 90 * S) == 0
    assert CheckMachine(PLAIN, T0).time_until_failed_ns(T0) == 0


specs = st.builds(
    check,
    failure_threshold=st.integers(1, 4),
    success_threshold=st.integers(1, 4),
    failure_for_ns=st.none() | st.integers(1, 90).map(lambda s: s * S),
    grace_ns=st.integers(0, 60).map(lambda s: s * S),
    interval_ns=st.integers(5, 30).map(lambda s: s * S),
    timeout_ns=st.integers(1, 10).map(lambda s: s * S),
)
steps = st.lists(st.tuples(st.integers(1, 25), st.sampled_from(list(Verdict))), max_size=40)
bad_steps = st.lists(
    st.tuples(st.integers(1, 25), st.sampled_from([Verdict.FAIL, Verdict.FAIL, Verdict.WARN, Verdict.OK])), max_size=40
)


@given(specs, steps | bad_steps)
def test_the_machine_holds_what_the_whole_history_says(spec: CheckSpec, script: list[tuple[int, Verdict]]) -> None:
    machine, history = CheckMachine(spec, T0), naive.History(spec, T0)
    now_ns = T0
    for pause_s, verdict in script:
        for part in (1, 2):
            middle_ns = now_ns + pause_s * S * part // 2 - (part - 1)
            assert machine.state(middle_ns) is naive.state(history, middle_ns)
        now_ns += pause_s * S
        machine.observe(verdict, now_ns)
        history.seen.append((now_ns, verdict))
        assert machine.state(now_ns) is naive.state(history, now_ns)


@given(specs, bad_steps, st.data())
def test_a_stall_is_lived_through_as_if_it_had_not_been(
    spec: CheckSpec, script: list[tuple[int, Verdict]], data: st.DataObject
) -> None:
    """A twin that never stalled agrees on what is held, once both see again (durations count no stall)."""
    machine, history = CheckMachine(spec, T0), naive.History(spec, T0)
    now_ns = T0
    for pause_s, verdict in script:
        now_ns += pause_s * S
        if data.draw(st.integers(0, 5)) == 0:
            stalled_ns = data.draw(st.integers(2, 600)) * S
            machine.excuse(now_ns, now_ns + stalled_ns)
            history.stalls.append((now_ns, now_ns + stalled_ns))
            now_ns += stalled_ns + spec.grace_ns + 1
            machine.observe(verdict, now_ns)
            history.seen.append((now_ns, verdict))
        else:
            machine.observe(verdict, now_ns)
            history.seen.append((now_ns, verdict))
        assert machine.state(now_ns) is naive.state(history, now_ns)


@given(specs, st.lists(st.tuples(st.integers(1, 20), st.sampled_from([OK, FAIL, UNKNOWN])), max_size=60))
def test_s1_a_run_of_failures_too_short_or_too_few_changes_no_verdict(
    spec: CheckSpec, script: list[tuple[int, Verdict]]
) -> None:
    machine = CheckMachine(spec, T0)
    now_ns, run = T0, list[int]()
    held = CheckState.PENDING
    for pause_s, verdict in script:
        now_ns += pause_s * S
        if verdict is not UNKNOWN:
            run = [*run, now_ns] if verdict is FAIL else []
        machine.observe(verdict, now_ns)
        if verdict is UNKNOWN:
            continue
        before, held = held, machine.state(now_ns)
        if before is not CheckState.FAILED and held is CheckState.FAILED:
            assert len(run) >= spec.failure_threshold
            assert run[-1] - run[0] >= (spec.failure_for_ns or 0)


@given(specs, steps, st.integers(1, 20))
def test_s2_failing_throughout_for_long_enough_is_failed_by_the_end(
    spec: CheckSpec, before: list[tuple[int, Verdict]], pause_s: int
) -> None:
    machine = CheckMachine(spec, T0)
    now_ns = T0 + spec.grace_ns
    for gap_s, verdict in before:
        now_ns += gap_s * S
        machine.observe(verdict, now_ns)
    pause_ns = min(pause_s * S, spec.interval_ns)
    window_ends_ns = now_ns + (spec.failure_for_ns or 0) + 2 * spec.interval_ns
    count = 0
    while now_ns + pause_ns <= window_ends_ns or count < spec.failure_threshold:
        now_ns += pause_ns
        machine.observe(FAIL, now_ns)
        count += 1
    assert machine.state(now_ns) is CheckState.FAILED


@given(specs, st.lists(st.sampled_from([OK, FAIL, Verdict.WARN]), max_size=40))
def test_s3_a_failed_check_is_held_failed_until_enough_successes_come_in_a_row(
    spec: CheckSpec, script: list[Verdict]
) -> None:
    machine = CheckMachine(replace(spec, grace_ns=0, failure_for_ns=None), T0)
    now_ns = T0
    for _ in range(spec.failure_threshold):
        now_ns += S
        machine.observe(FAIL, now_ns)
    row = 0
    for verdict in script:
        now_ns += S
        row = row + 1 if verdict is not FAIL else 0
        machine.observe(verdict, now_ns)
        if row < spec.success_threshold:
            assert machine.state(now_ns) is CheckState.FAILED
        else:
            assert machine.state(now_ns) is not CheckState.FAILED
            break


@given(specs, steps)
def test_s4_unknown_moves_no_streak(spec: CheckSpec, script: list[tuple[int, Verdict]]) -> None:
    """Two machines see the same but for the unknowns: whenever both have just found out, they agree."""
    told, spared = CheckMachine(spec, T0), CheckMachine(spec, T0)
    now_ns = T0
    for pause_s, verdict in script:
        now_ns += pause_s * S
        told.observe(verdict, now_ns)
        if verdict is not UNKNOWN:
            spared.observe(verdict, now_ns)
        assert told.state(now_ns) is spared.state(now_ns)
        assert told.consecutive_failures == spared.consecutive_failures
        assert told.consecutive_successes == spared.consecutive_successes


@given(specs, steps)
def test_s4_nothing_but_unknown_for_two_intervals_and_a_timeout_is_shown_unknown(
    spec: CheckSpec, script: list[tuple[int, Verdict]]
) -> None:
    machine = CheckMachine(spec, T0)
    now_ns = T0
    for pause_s, verdict in script:
        now_ns += pause_s * S
        machine.observe(verdict, now_ns)
    blind_ns = max(now_ns, T0 + spec.grace_ns) + 2 * spec.interval_ns + spec.timeout_ns
    machine.observe(UNKNOWN, blind_ns)
    assert machine.state(blind_ns) is CheckState.UNKNOWN
    assert machine.state(blind_ns + 10**18) is CheckState.UNKNOWN


@given(specs, steps)
def test_the_state_changes_by_time_alone_only_when_it_was_foretold(
    spec: CheckSpec, script: list[tuple[int, Verdict]]
) -> None:
    machine = CheckMachine(spec, T0)
    now_ns = T0
    for pause_s, verdict in script:
        before, foretold_ns = machine.state(now_ns), machine.next_change_ns(now_ns)
        end_ns = now_ns + pause_s * S
        until_ns = min(end_ns, foretold_ns - 1) if foretold_ns > now_ns else end_ns
        assert machine.state(until_ns) is before
        now_ns = end_ns
        machine.observe(verdict, now_ns)


def test_an_unknown_check_in_grace_asks_for_no_tick_before_something_can_change() -> None:
    machine = CheckMachine(check(grace_ns=600 * S), T0)
    machine.observe(OK, T0 + 1 * S)
    assert machine.next_change_ns(T0 + 2 * S) == T0 + 26 * S
    assert machine.state(T0 + 26 * S) is CheckState.UNKNOWN
    assert machine.next_change_ns(T0 + 26 * S) == T0 + 600 * S
