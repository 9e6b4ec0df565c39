"""One check as it is followed: its words, its view, what it writes down, and what a new process means for it."""

from dataclasses import replace

import pytest

from lifesign.core.flapping import FlapDetector
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import CheckMemory, FlapMemory
from lifesign.core.model import CheckId, CheckState, Instant, Layer, Observation, Verdict, WorkSignal
from lifesign.core.schedule import Schedule
from lifesign.core.spec import CheckSpec, SignalPolicy
from lifesign.core.tracked import BLINDED, BLINDED_BY_START, TrackedCheck
from lifesign.core.view import CheckView
from tests.core.stage import FAIL, OK, START, UNKNOWN, WARN, S, Stage, check, component

PORT = check(grace_ns=30 * S)
BEAT = CheckSpec(
    "beat",
    "heartbeat",
    Layer.WORKING,
    interval_ns=600 * S,
    grace_ns=30 * S,
    failure_threshold=1,
    success_threshold=1,
    signal=SignalPolicy(100 * S),
)


def at(elapsed_s: float) -> Instant:
    return START.after(round(elapsed_s * S))


def tracked(spec: CheckSpec = PORT, **changes: bool) -> TrackedCheck:
    return TrackedCheck("mind", spec, START, **{"seed": 3, "one_shot": False, **changes})  # type: ignore[arg-type]


def seen(verdict: Verdict, elapsed_s: float, message: str = "", age_s: float | None = None) -> TrackedCheck:
    """A heartbeat of which one look at that moment found a signal of that age, or none."""
    made = tracked(BEAT)
    signal = None if age_s is None else WorkSignal(at(elapsed_s - age_s).wall_ns)
    made.observe(Observation(verdict, message, signal=signal), at(elapsed_s), at(elapsed_s).mono_ns)
    return made


def view(made: TrackedCheck, now: Instant) -> CheckView:
    return made.view(now, made.message(now.mono_ns))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (tracked(BEAT), "nobody has looked yet"),
        (seen(FAIL, 50, "nobody has ever written it"), "nobody has ever written it"),
        (seen(UNKNOWN, 50, "no permission"), "no permission"),
        (seen(OK, 50, "", 20), "last work 20s ago"),
        (seen(OK, 50, "cycle 7", 20), "last work 20s ago · cycle 7"),
        (seen(WARN, 50, "the writer says: degraded", 20), "the writer says: degraded · last work 20s ago"),
        (seen(OK, 250, "", 200), "no new work for 200 s (limit 100 s)"),
        (seen(OK, 250, "cycle 7", 200), "no new work for 200 s (limit 100 s); its last message: cycle 7"),
        (seen(OK, 50, "cycle 7", -90), "clock skew: the timestamp is 90s in the future; its last message: cycle 7"),
    ],
)
def test_what_the_last_look_found_is_told_with_the_age_of_the_work(made: TrackedCheck, words: str) -> None:
    now_ns = START.mono_ns if made.last is None else made.observed_ns
    assert made.message(now_ns) == words


def test_what_only_time_would_condemn_is_told_by_its_age_until_it_was_looked_at_again() -> None:
    made = seen(OK, 50, "", 20)
    assert made.message(at(129.9).mono_ns) == "last work 99s ago"
    assert made.message(at(131).mono_ns) == "last work 101s ago"


def test_a_failure_in_the_shadow_of_a_stall_or_of_our_start_is_told_as_that() -> None:
    made = tracked()
    made.machine.excuse(at(40).mono_ns, at(50).mono_ns)
    made.observe(Observation(FAIL, "refused"), at(60), at(60).mono_ns)
    assert made.message(at(60).mono_ns) == BLINDED + "refused" == "not counted, the monitor itself had stalled: refused"
    assert not made.is_sound
    assert not made.fails_now
    begun = tracked()
    begun.recall(CheckMemory("tcp", tracked().machine.memory(START.mono_ns)), at(100), 0)
    begun.observe(Observation(FAIL, "refused"), at(130), at(130).mono_ns)
    assert begun.message(at(130).mono_ns) == BLINDED_BY_START + "refused"
    assert BLINDED_BY_START == "not counted, the monitor itself has just begun: "
    begun.observe(Observation(FAIL, "refused"), at(130.1), at(130.1).mono_ns)
    assert begun.message(at(130.1).mono_ns) == "refused"
    assert (begun.is_sound, begun.fails_now) == (True, True)


@pytest.mark.parametrize("verdict", [OK, WARN, FAIL])
def test_the_last_look_is_sound_where_it_found_something_out(verdict: Verdict) -> None:
    assert seen(verdict, 50, "x").is_sound
    assert not seen(UNKNOWN, 50, "x").is_sound
    assert not tracked().is_sound


def test_a_look_that_does_not_come_back_is_told_and_shown_as_overdue() -> None:
    made = tracked()
    made.schedule.wake(START.mono_ns)
    late = at(7)
    assert made.message(late.mono_ns) == "overdue: the look that is under way does not come back"
    assert view(made, late).overdue
    assert not view(made, at(6.9)).overdue
    made.pause()
    assert not view(made, late).overdue


def test_the_view_has_what_was_found_and_when_it_will_be_looked_at() -> None:
    made = tracked()
    empty = view(made, START)
    assert (empty.spec, empty.state, empty.latency_s, empty.metrics, empty.data) == (
        PORT,
        CheckState.PENDING,
        None,
        {},
        {},
    )
    assert (empty.last_at_wall_ns, empty.consecutive_failures, empty.consecutive_successes) == (None, 0, 0)
    made.observe(Observation(OK, "fine", 0.25, {"a": 1.0}, {"b": 2}), at(5), at(4).mono_ns)
    made.schedule.due_ns = at(14).mono_ns
    shown = view(made, at(6))
    assert (shown.state, shown.last_at_wall_ns, shown.next_at_wall_ns) == (
        CheckState.PASSING,
        at(5).wall_ns,
        at(14).wall_ns,
    )
    assert (shown.latency_s, shown.metrics, shown.data, shown.message) == (0.25, {"a": 1.0}, {"b": 2}, "fine")
    assert (shown.consecutive_failures, shown.consecutive_successes, shown.flapping) == (0, 1, False)
    assert view(made, at(20)).next_at_wall_ns == at(20).wall_ns, "due already"
    made.flaps.flapping = True
    assert view(made, at(6)).flapping


def test_of_a_paused_check_nothing_is_known_and_no_look_is_planned() -> None:
    made = seen(OK, 50, "fine")
    made.pause()
    shown = view(made, at(51))
    assert (shown.state, shown.next_at_wall_ns, shown.message) == (CheckState.UNKNOWN, None, "paused: nobody looks")


def test_a_check_is_written_down_whole() -> None:
    made = seen(OK, 50, "cycle 7", 20)
    made.told = CheckState.PASSING
    now = at(60)
    assert made.memory(now) == CheckMemory(
        type="heartbeat",
        machine=made.machine.memory(now.mono_ns),
        flaps=FlapMemory(ok=True),
        signal=made.judge.memory(now) if made.judge else None,
        told=CheckState.PASSING,
        last_verdict=OK,
        last_message="last work 30s ago · cycle 7",
        last_wall_ns=at(50).wall_ns,
    )
    fresh = tracked().memory(START)
    assert (fresh.last_verdict, fresh.last_message, fresh.last_wall_ns, fresh.told) == (None, "", None, None)
    assert (fresh.type, fresh.signal) == ("tcp", None)


def test_a_check_goes_on_from_what_was_written_down_and_one_of_another_type_begins_afresh() -> None:
    memory = seen(OK, 50, "cycle 7", 20).memory(at(60))
    again = tracked(BEAT)
    again.recall(memory, at(1_000), 5 * S)
    assert again.last == Observation(OK, "last work 30s ago · cycle 7")
    assert (again.last_wall_ns, again.state) == (at(50).wall_ns, CheckState.PASSING)
    assert again.staleness_s(at(1_000).mono_ns) == (35.0, 100.0)
    other = tracked(replace(BEAT, type="push"))
    other.recall(memory, at(1_000), 5 * S)
    assert (other.last, other.last_wall_ns, other.state) == (None, None, CheckState.PENDING)
    never = tracked(BEAT)
    never.recall(replace(memory, last_verdict=None, signal=None), at(1_000), 0)
    assert (never.last, never.last_wall_ns, never.staleness_s(at(1_000).mono_ns)) == (None, None, (None, 100.0))


def test_failures_of_a_new_process_count_after_its_grace_or_after_our_verification() -> None:
    own, ours = tracked(), tracked()
    own.begin_incarnation(at(90).mono_ns, at(100).mono_ns)
    ours.begin_incarnation(at(90).mono_ns, at(100).mono_ns, at(220).mono_ns)
    assert own.machine.grace_ends_ns == at(130).mono_ns
    assert ours.machine.grace_ends_ns == at(220).mono_ns
    beats, awaited = seen(OK, 50, "", 20), seen(OK, 50, "", 20)
    beats.begin_incarnation(at(90).mono_ns, at(100).mono_ns)
    awaited.begin_incarnation(at(90).mono_ns, at(100).mono_ns, at(220).mono_ns)
    assert (beats.machine.grace_ends_ns, awaited.machine.grace_ends_ns) == (at(130).mono_ns, at(220).mono_ns)
    assert awaited.message(at(101).mono_ns) == "no work yet of the process that began 11s ago"
    assert not awaited.has_improved


def test_the_process_that_our_restart_brought_has_until_the_verification_ends_unless_it_has_worked() -> None:
    waits, worked, plain = seen(OK, 50, "", 20), seen(OK, 50, "", 0), tracked()
    for made in (waits, worked, plain):
        made.confirm_incarnation(at(40).mono_ns, at(60).mono_ns, at(180).mono_ns)
    assert (waits.machine.pending, waits.machine.grace_ends_ns) == (True, at(180).mono_ns)
    assert (worked.machine.pending, worked.has_improved) == (False, False)
    worked.state = CheckState.PASSING
    assert worked.has_improved
    assert plain.machine.grace_ends_ns == at(30).mono_ns


@pytest.mark.parametrize(
    ("state", "improved"),
    [
        (CheckState.PASSING, True),
        (CheckState.WARNING, True),
        (CheckState.FAILING, False),
        (CheckState.FAILED, False),
        (CheckState.UNKNOWN, False),
        (CheckState.PENDING, False),
    ],
)
def test_a_check_holds_its_own_again_while_it_passes_or_warns_and_is_calm(state: CheckState, improved: bool) -> None:
    made = tracked()
    made.state = state
    assert made.has_improved is improved
    made.flaps.flapping = True
    assert not made.has_improved


def test_a_grace_that_is_over_is_not_prolonged_and_one_that_runs_is_never_cut_short() -> None:
    made = seen(OK, 5, "", 1)
    made.prolong_grace(at(10).mono_ns, at(20).mono_ns)
    assert made.machine.grace_ends_ns == at(30).mono_ns
    made.prolong_grace(at(10).mono_ns, at(90).mono_ns)
    assert made.machine.grace_ends_ns == at(90).mono_ns
    made.prolong_grace(at(90).mono_ns, at(200).mono_ns)
    assert made.machine.grace_ends_ns == at(90).mono_ns


def test_a_successor_begins_anew_with_its_own_schedule_and_never_takes_its_forerunners_answers() -> None:
    before = tracked()
    before.schedule.run = 7
    after = TrackedCheck.succeeding(before, "mind", PORT, at(50), 3)
    assert (after.schedule.run, after.state) == (7, CheckState.PENDING)
    assert after.schedule.due_ns == Schedule(PORT, CheckId("mind", "port"), 3, at(50).mono_ns).due_ns
    assert TrackedCheck.succeeding(None, "mind", PORT, at(50), 3).schedule.run == 0
    for spec, state in ((False, CheckState.PASSING), (True, CheckState.UNKNOWN)):
        one = tracked(one_shot=spec)
        for verdict in (OK, UNKNOWN):
            one.observe(Observation(verdict), at(40), at(40).mono_ns)
        assert one.machine.state(at(41).mono_ns) is state


def test_the_staleness_of_a_check_without_a_signal_is_none_and_of_one_never_read_has_its_limit_alone() -> None:
    assert tracked().staleness_s(START.mono_ns) == (None, None)
    assert tracked(BEAT).staleness_s(START.mono_ns) == (None, 100.0)
    assert seen(OK, 50, "", 20).staleness_s(at(60).mono_ns) == (30.0, 100.0)


def test_going_down_recovering_and_flapping_are_told_with_their_figures() -> None:
    quick = check(grace_ns=0, failure_threshold=1, success_threshold=1, flap_changes=4, interval_ns=600 * S)
    stage = Stage(component("mind", quick)).run(20)
    stage.tell("mind", "port", Observation(FAIL, "refused"))
    down = stage.events[-1]
    assert (down.data, down.message) == ({"detected_after_s": 0.0}, "not ready: refused")
    stage.run(5).tell("mind", "port", Observation(OK, "fine"))
    recovered = next(event for event in stage.events if event.name == "component.recovered")
    assert (recovered.data, recovered.message) == ({"down_s": 5.0}, "recovered after 5s")
    for verdict in (FAIL, OK):
        stage.tell("mind", "port", Observation(verdict, "seen"))
    (flapping,) = (event for event in stage.events if event.name == "component.flapping")
    assert flapping.message == "flapping: port changed 4 times or more within 10m"


def test_how_long_it_went_unseen_is_counted_from_the_last_work_or_the_first_failure_in_a_row() -> None:
    slow = check(grace_ns=0, failure_threshold=3, interval_ns=10 * S)
    stage = Stage(component("mind", slow)).run(20)
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.run(40)
    down = next(event for event in stage.events if event.name == "component.down")
    failed_s = float(str(down.data["detected_after_s"]))
    assert failed_s == pytest.approx(20, abs=0.01)


def test_a_crash_loop_is_remembered_only_where_somebody_still_sees_the_process() -> None:
    process = check("process", Layer.ALIVE, "process", grace_ns=0)
    for spec, loops in ((component("mind", process), True), (component("mind", PORT), False)):
        memory = replace(TrackedComponent(spec, START, seed=0, one_shot=False).memory(START), crash_loop=True)
        again = TrackedComponent(spec, START, seed=0, one_shot=False)
        again.recall(memory, START)
        assert again.crash_loop is loops


def test_a_restart_of_ours_forgives_the_changes_before_it_but_no_flapping() -> None:
    calm, flapping = FlapDetector(4, 600 * S), FlapDetector(2, 600 * S)
    for made in (calm, flapping):
        for number in range(3):
            made.observe(ok=number % 2 == 0, now_ns=START.mono_ns + number)
        made.forgive()
    assert calm.memory(START.mono_ns) == FlapMemory()
    assert flapping.flapping
    assert len(flapping.memory(START.mono_ns).change_ages_ns) == 2


@pytest.mark.parametrize("looks", [True, False])
def test_a_process_whose_work_is_still_waited_for_is_unknown_after_its_grace_only_if_the_looks_did_not_come_back(
    looks: bool,
) -> None:
    made = tracked(replace(BEAT, interval_ns=10 * S, failure_threshold=3))
    made.begin_incarnation(START.mono_ns, START.mono_ns, at(60).mono_ns)
    for elapsed_s in range(1, 60, 10):
        if looks or elapsed_s < 20:
            signal = WorkSignal(at(-5).wall_ns)
            made.observe(Observation(OK, "", signal=signal), at(elapsed_s), at(elapsed_s).mono_ns)
    made.advance(at(60).mono_ns)
    assert made.machine.state(at(60).mono_ns) is (CheckState.FAILING if looks else CheckState.UNKNOWN)
