"""A memory, field by field: what each machine writes down, and what it holds again once it is recalled elsewhere."""

from dataclasses import replace

from lifesign.core.check import CheckMachine
from lifesign.core.flapping import FlapDetector
from lifesign.core.memory import FlapMemory, IncidentMemory, MachineMemory, SignalMemory
from lifesign.core.model import CheckState, Identity, Instant, Observation, Verdict, WorkSignal
from lifesign.core.signal import SignalJudge
from lifesign.core.spec import SignalPolicy
from tests.core.stage import FAIL, OK, START, UNKNOWN, WARN, S, Stage, check, component

SPEC = check(interval_ns=60 * S, failure_threshold=4, success_threshold=3, grace_ns=10 * S)
ELSEWHERE = 9_000_000 * S  # another clock's time


def machine(*seen: tuple[int, Verdict]) -> CheckMachine:
    made = CheckMachine(SPEC, 0)
    for at_s, verdict in seen:
        made.observe(verdict, at_s * S)
    return made


def test_a_new_check_remembers_that_nothing_is_known_of_it() -> None:
    assert machine().memory(4 * S) == MachineMemory(
        pending=True, known_age_ns=4 * S, grace_left_ns=6 * S, blind_left_ns=-4 * S - 1, worse_ages_ns=(4 * S, 4 * S)
    )


def test_a_check_that_failed_in_its_grace_remembers_it() -> None:
    assert machine((3, FAIL)).memory(5 * S) == MachineMemory(
        pending=True,
        failed_in_grace=True,
        last=2,
        consecutive_failures=1,
        known_age_ns=2 * S,
        grace_left_ns=5 * S,
        blind_left_ns=-5 * S - 1,
        worse_ages_ns=(5 * S, 5 * S),
    )


def test_a_check_remembers_both_its_runs_and_when_they_began() -> None:
    made = machine((20, OK), (30, WARN), (50, FAIL), (70, FAIL), (75, UNKNOWN))
    assert made.memory(80 * S) == MachineMemory(
        pending=False,
        level=0,
        last=2,
        worse_runs=(3, 2),
        worse_ages_ns=(50 * S, 30 * S),
        better_runs=(0, 0),
        consecutive_failures=2,
        known_age_ns=10 * S,
        grace_left_ns=-70 * S,
        blind_left_ns=-80 * S - 1,
    )


def test_a_failed_check_on_its_way_back_remembers_its_level_and_its_successes() -> None:
    made = machine((20, FAIL), (30, FAIL), (40, FAIL), (50, FAIL), (60, WARN), (70, OK), (80, OK))
    made.excuse(85 * S, 95 * S)
    assert made.memory(100 * S) == MachineMemory(
        pending=False,
        level=1,
        last=0,
        worse_ages_ns=(70 * S, 70 * S),
        better_runs=(2, 3),
        consecutive_successes=2,
        known_age_ns=-5 * S,
        grace_left_ns=-90 * S,
        blind_left_ns=5 * S,
        blind_stalls=1,
    )


def test_a_check_recalled_under_another_clock_holds_all_of_it_and_is_blind_for_its_grace() -> None:
    memory = MachineMemory(
        pending=False,
        level=1,
        last=2,
        worse_runs=(3, 2),
        worse_ages_ns=(50 * S, 30 * S),
        better_runs=(0, 1),
        consecutive_failures=2,
        consecutive_successes=7,
        known_age_ns=12 * S,
        grace_left_ns=-70 * S,
        blind_left_ns=-9 * S,
        blind_stalls=4,
    )
    made = CheckMachine(SPEC, ELSEWHERE)
    made.recall(memory, ELSEWHERE)
    again = made.memory(ELSEWHERE)
    assert again == replace(memory, known_age_ns=-10 * S, grace_left_ns=0, blind_left_ns=10 * S, blind_stalls=1)
    assert made.state(ELSEWHERE) is CheckState.FAILING


def test_a_check_recalled_within_a_blindness_counts_one_stall_more() -> None:
    made = CheckMachine(SPEC, ELSEWHERE)
    made.recall(MachineMemory(pending=False, last=0, blind_left_ns=25 * S, blind_stalls=2), ELSEWHERE)
    assert made.memory(ELSEWHERE).blind_stalls == 3
    assert made.memory(ELSEWHERE).blind_left_ns == 25 * S
    assert made.blinded_until_ns == ELSEWHERE + 25 * S


def test_a_check_recalled_in_its_grace_has_a_whole_one_again_and_stays_pending() -> None:
    made = CheckMachine(SPEC, ELSEWHERE)
    made.recall(MachineMemory(pending=True, failed_in_grace=True, last=2, grace_left_ns=1), ELSEWHERE)
    assert made.memory(ELSEWHERE).grace_left_ns == 10 * S
    assert made.state(ELSEWHERE + 10 * S - 1) is CheckState.PENDING
    assert made.state(ELSEWHERE + 10 * S) is CheckState.FAILING


JUDGED = SignalPolicy(stale_after_ns=300 * S, stuck_after_ns=200 * S)


def at(mono_s: int, wall_s: int = 1_790_000_000) -> Instant:
    """Boot runs 1,000 s before the monotonic clock."""
    return Instant(mono_s * S, (wall_s + mono_s) * S, (mono_s + 1_000) * S)


def test_a_judge_remembers_nothing_before_the_first_signal() -> None:
    assert SignalJudge(JUDGED).memory(at(5)) is None


def test_a_judge_remembers_work_counter_and_process() -> None:
    judge = SignalJudge(JUDGED)
    judge.read(WorkSignal((1_790_000_000 + 90) * S, 7), at(100))
    judge.read(WorkSignal((1_790_000_000 + 115) * S, 7), at(120))
    judge.begin_incarnation(130 * S, 170 * S)
    assert judge.memory(at(150)) == SignalMemory(
        timestamp_ns=(1_790_000_000 + 115) * S,
        work_age_ns=35 * S,
        work_boot_age_ns=35 * S,
        counts=True,
        progress=7,
        progress_age_ns=20 * S,
        incarnation_age_ns=20 * S,
        grace_left_ns=20 * S,
    )


def test_a_judge_without_a_counter_or_a_new_process_remembers_that_there_is_none() -> None:
    judge = SignalJudge(JUDGED)
    judge.read(WorkSignal((1_790_000_000 + 90) * S), at(100))
    memory = judge.memory(at(150))
    assert memory is not None
    assert (memory.counts, memory.progress, memory.progress_age_ns, memory.incarnation_age_ns) == (
        False,
        None,
        None,
        None,
    )
    assert memory.work_age_ns == 60 * S


def test_a_judge_recalled_has_work_and_process_aged_and_the_counter_stood() -> None:
    memory = SignalMemory(
        timestamp_ns=(1_790_000_000 + 115) * S,
        work_age_ns=35 * S,
        work_boot_age_ns=36 * S,
        counts=True,
        progress=7,
        progress_age_ns=20 * S,
        incarnation_age_ns=22 * S,
        grace_left_ns=1,
    )
    judge = SignalJudge(JUDGED)
    judge.recall(memory, at(9_000), 50 * S, 40 * S)
    assert judge.memory(at(9_000)) == replace(
        memory, work_age_ns=85 * S, work_boot_age_ns=86 * S, incarnation_age_ns=72 * S, grace_left_ns=40 * S
    )
    assert judge.work_wall_ns == (1_790_000_000 + 115) * S
    assert judge.has_signal


def test_a_judge_recalled_after_the_grace_has_none_left_and_what_was_not_known_stays_so() -> None:
    memory = SignalMemory(timestamp_ns=5 * S, work_age_ns=2 * S, work_boot_age_ns=3 * S, grace_left_ns=0)
    judge = SignalJudge(JUDGED)
    judge.recall(memory, at(9_000), 0, 40 * S)
    assert judge.memory(at(9_000)) == memory


def test_a_flap_detector_remembers_its_changes_by_their_age_and_goes_on_with_them() -> None:
    flaps = FlapDetector(3, 100 * S)
    for second, ok in ((10, True), (20, False), (40, True), (70, False)):
        flaps.observe(ok=ok, now_ns=second * S)
    memory = flaps.memory(75 * S)
    assert memory == FlapMemory(False, True, (55 * S, 35 * S, 5 * S))
    other = FlapDetector(3, 100 * S)
    other.recall(memory, ELSEWHERE)
    assert other.memory(ELSEWHERE) == memory
    assert other.next_change_ns() == ELSEWHERE - 35 * S + 100 * S


def test_a_flapping_that_was_over_meanwhile_by_other_limits_is_not_taken_up() -> None:
    other = FlapDetector(8, 100 * S)
    other.recall(FlapMemory(True, True, (55 * S, 35 * S, 5 * S)), ELSEWHERE)
    assert not other.flapping


def test_a_component_remembers_its_incident_its_process_and_what_it_told() -> None:
    pid = check("process", kind="process", grace_ns=0, failure_threshold=1, success_threshold=2, interval_ns=10 * S)
    stage = Stage(component("mind", pid))
    stage.world["mind", "process"] = Observation(OK, identity=Identity(42, 1_789_999_000.5))
    stage.run(30)
    opened_s = stage.elapsed_s
    stage.tell("mind", "process", Observation(FAIL, "gone"))
    stage.world["mind", "process"] = Observation(FAIL, "gone")
    stage.run(7)
    memory = stage.monitor.components["mind"].memory(stage.now)
    down = next(event for event in stage.events if event.name == "component.down")
    assert memory.name == "mind"
    assert memory.taken_wall_ns == stage.now.wall_ns == START.wall_ns + round((opened_s + 7) * S)
    assert (memory.state, memory.told) == ("down", "down")
    assert memory.since_wall_ns == down.at_wall_ns
    assert memory.incidents == 1
    assert memory.incident == IncidentMemory(down.incident or "", down.at_wall_ns, 7 * S, ("process",))
    assert memory.identity is not None
    assert (memory.identity.pid, memory.identity.started_at) == (42, 1_789_999_000.5)
    seen_s = max(at_s for at_s, look in stage.looks if at_s <= opened_s)
    assert memory.identity.seen_age_ns == round((opened_s + 7 - seen_s) * S)
    assert (memory.incarnation, memory.crash_loop, memory.replaced_ages_ns) == (0, False, ())
    held = memory.checks["process"]
    assert (held.type, held.told, held.last_verdict, held.last_message) == ("process", "failed", FAIL, "gone")
    assert held.last_wall_ns is not None
    assert held.machine.level == 2
    assert held.flaps.ok is False


def test_a_component_remembers_every_replacement_and_its_loop() -> None:
    pid = check("process", kind="process", grace_ns=0, flap_window_ns=500 * S, interval_ns=10 * S)
    stage = Stage(component("mind", pid))
    for number in range(4):
        stage.world["mind", "process"] = Observation(OK, identity=Identity(42 + number, float(number)))
        stage.run(20)
    memory = stage.monitor.components["mind"].memory(stage.now)
    assert memory.incarnation == 3
    assert memory.crash_loop
    assert len(memory.replaced_ages_ns) == 3
    assert list(memory.replaced_ages_ns) == sorted(memory.replaced_ages_ns, reverse=True)
    assert all(0 <= age_ns <= 60 * S for age_ns in memory.replaced_ages_ns)
