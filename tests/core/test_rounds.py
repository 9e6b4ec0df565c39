"""Runs of one round each, as from cron: what one long watch would tell of the same looks, they tell between them."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.events import Event, EventName
from lifesign.core.memory import ComponentMemory, NoticeMemory
from lifesign.core.model import CheckId, ComponentState, Identity, Layer, Observation, Verdict, WorkSignal
from lifesign.core.restart import RestartMemory
from lifesign.core.rounds import take_round
from lifesign.core.spec import CheckSpec, SignalPolicy
from tests.core.stage import FAIL, OK, START, UNKNOWN, S, check, component

DOWN, RECOVERED = EventName.COMPONENT_DOWN, EventName.COMPONENT_RECOVERED
PORT = CheckId("gateway", "port")


class Cron:
    """Runs that come one after another; nothing is handed on but the memory, and the clocks go on."""

    def __init__(self, *checks: CheckSpec) -> None:
        self.spec = component("gateway", *checks)
        self.now = START
        self.memory: ComponentMemory | None = None
        self.events: list[Event] = []
        self.state = ComponentState.STARTING

    def run(self, pause_s: float, *found: tuple[CheckId, Observation]) -> list[EventName]:
        """The next run, so long after the one before; what it tells."""
        self.now = self.now.after(round(pause_s * S))
        tracked, events = take_round(self.spec, self.memory, dict(found), self.now)
        self.memory, self.state = tracked.memory(self.now), tracked.state
        self.events += events
        return [event.name for event in events]

    def looks(self, verdicts: Sequence[Verdict], pause_s: float = 300) -> "Cron":
        for verdict in verdicts:
            self.run(pause_s, (PORT, Observation(verdict, "seen")))
        return self

    def turns(self) -> list[EventName]:
        return [event.name for event in self.events if event.name in (DOWN, RECOVERED)]


def test_failures_are_counted_over_runs_and_the_time_between_them_excuses_none() -> None:
    cron = Cron(check(grace_ns=30 * S, failure_threshold=3)).looks([OK, FAIL, FAIL])
    assert cron.turns() == []
    assert cron.state is ComponentState.DEGRADED
    cron.looks([FAIL])
    assert cron.turns() == [DOWN]
    cron.looks([FAIL, FAIL, OK])
    assert cron.turns() == [DOWN], "two successes are asked for"
    cron.looks([OK])
    assert cron.turns() == [DOWN, RECOVERED]
    assert len({event.incident for event in cron.events if event.name in (DOWN, RECOVERED)}) == 1
    assert "recovered after 20m" in next(e.message for e in cron.events if e.name is RECOVERED)


def test_an_ok_between_begins_the_count_anew() -> None:
    assert Cron(check(grace_ns=0, failure_threshold=3)).looks([OK, FAIL, FAIL, OK, FAIL, FAIL]).turns() == []


def test_no_run_has_a_grace_the_very_first_one_counts() -> None:
    often = Cron(check(grace_ns=600 * S, failure_threshold=3))
    often.looks([FAIL] * 2, pause_s=1)
    assert often.turns() == []
    often.looks([FAIL], pause_s=1)
    assert often.turns() == [DOWN], "the third failure in a row"


def test_how_long_it_failed_is_measured_from_run_to_run() -> None:
    cron = Cron(check(grace_ns=0, failure_threshold=2, failure_for_ns=600 * S)).looks([OK, FAIL, FAIL, FAIL])
    assert cron.turns() == [DOWN], "ten minutes after the first"
    assert (
        Cron(check(grace_ns=0, failure_threshold=2, failure_for_ns=601 * S)).looks([OK, FAIL, FAIL, FAIL]).turns() == []
    )


def test_what_cannot_be_found_out_is_told_once_and_neither_ends_nor_resets_anything() -> None:
    cron = Cron(check(grace_ns=0, failure_threshold=2)).looks([OK, FAIL])
    told = [cron.run(300, (PORT, Observation(UNKNOWN, "no descriptor"))) for _ in range(3)]
    assert told == [[EventName.CHECK_UNKNOWN, EventName.COMPONENT_UNKNOWN], [], []]
    cron.looks([FAIL])
    assert cron.turns() == [DOWN]
    cron.looks([UNKNOWN, UNKNOWN])
    assert cron.turns() == [DOWN], "the incident stays open"


def test_a_counter_that_rests_from_run_to_run_fails_though_the_timestamp_is_fresh() -> None:
    beat = CheckSpec("beat", "heartbeat", Layer.WORKING, grace_ns=0, failure_threshold=1, success_threshold=1,
                     signal=SignalPolicy(900 * S, stuck_after_ns=900 * S))  # fmt: skip
    cron = Cron(beat)
    for moment, cycle in enumerate((1, 2, 2, 2)):
        seen = WorkSignal(cron.now.wall_ns + 300 * S, progress=cycle)
        cron.run(300, (CheckId("gateway", "beat"), Observation(OK, signal=seen)))
        assert cron.turns() == [], moment
    stuck = WorkSignal(cron.now.wall_ns + 300 * S, progress=2)
    cron.run(300, (CheckId("gateway", "beat"), Observation(OK, signal=stuck)))
    assert cron.turns() == [DOWN]
    assert "stuck" in cron.events[-1].message


def test_a_process_that_was_replaced_between_two_runs_is_told() -> None:
    source = check("process", Layer.ALIVE, "process", grace_ns=30 * S)
    cron = Cron(source)
    at = CheckId("gateway", "process")
    for pid in (100, 100, 200):
        told = cron.run(300, (at, Observation(OK, identity=Identity(pid, 1.0 * pid))))
    assert told == [EventName.PROCESS_REPLACED]
    assert cron.memory is not None
    assert cron.memory.incarnation == 1


def test_all_of_a_round_is_known_before_any_of_it_is_judged() -> None:
    cron = Cron(check("port", grace_ns=0), check("other", grace_ns=0))
    both = [CheckId("gateway", name) for name in ("port", "other")]
    cron.run(0, *((at, Observation(OK)) for at in both))
    cron.run(300, *((at, Observation(UNKNOWN)) for at in both))
    told = cron.run(300, *((at, Observation(OK)) for at in both))
    assert told == [EventName.CHECK_PASSED, EventName.CHECK_PASSED, EventName.COMPONENT_HEALTHY]


def test_a_wall_clock_that_went_back_between_two_runs_tells_nothing() -> None:
    cron = Cron(check(grace_ns=0, failure_threshold=3)).looks([OK, FAIL])
    cron.now = replace(cron.now, wall_ns=0)
    assert cron.run(60, (PORT, Observation(FAIL))) == []
    assert cron.run(60, (PORT, Observation(FAIL)))[-1] is DOWN


def expected_turns(verdicts: Sequence[Verdict], failures: int, successes: int) -> list[EventName]:
    """The rule in its plainest form: so many in a row, unknown counting for nothing."""
    turns: list[EventName] = []
    bad = good = 0
    for verdict in verdicts:
        if verdict is UNKNOWN:
            continue
        bad, good = (bad + 1, 0) if verdict is FAIL else (0, good + 1 if verdict is OK else 0)
        is_down = turns[-1:] == [DOWN]
        if not is_down and bad >= failures:
            turns.append(DOWN)
        elif is_down and good >= successes:
            turns.append(RECOVERED)
    return turns


@given(
    st.lists(st.sampled_from([OK, FAIL, UNKNOWN]), max_size=60),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 86_400),
)
def test_downs_and_recoveries_alternate_as_the_plain_rule_has_it_whatever_the_pause(
    verdicts: list[Verdict], failures: int, successes: int, pause_s: int
) -> None:
    spec = check(grace_ns=0, failure_threshold=failures, success_threshold=successes, flap_changes=1000)
    cron = Cron(spec).looks([OK, *verdicts], pause_s)
    settled = expected_turns(verdicts, failures, successes)
    if verdicts[-1:] == [UNKNOWN]:  # an incident does not end while nobody can find out
        assert cron.turns() in (settled, settled[:-1])
    else:
        assert cron.turns() == settled


def test_a_paused_component_takes_nothing() -> None:
    cron = Cron(check(grace_ns=0, failure_threshold=1)).looks([OK])
    assert cron.memory is not None
    notice = NoticeMemory("ann", "a move", 0, None)
    cron.memory = replace(cron.memory, paused=notice)
    cron.looks([FAIL, FAIL])
    assert (cron.turns(), cron.state) == ([], ComponentState.PAUSED)


def test_what_a_daemon_knew_of_its_restarts_goes_through_the_runs_and_ages_by_their_time() -> None:
    cron = Cron(check(grace_ns=0)).looks([OK])
    assert cron.memory is not None
    known = RestartMemory(
        unproductive=2, spent_ages_ns=(5 * S, 700 * S), due_left_ns=9 * S, rest_left_ns=90 * S, verify_left_ns=0,
        began_age_ns=5 * S, common_left_ns=400 * S,
    )  # fmt: skip
    cron.memory = replace(cron.memory, restart=known)
    cron.looks([OK, OK], pause_s=100)
    assert cron.memory.restart == replace(
        known, spent_ages_ns=(205 * S, 900 * S), due_left_ns=-191 * S, rest_left_ns=-110 * S, verify_left_ns=-200 * S,
        began_age_ns=205 * S, common_left_ns=200 * S,
    )  # fmt: skip


def test_what_cannot_be_found_out_is_unknown_at_once_however_short_ago_it_was_known() -> None:
    cron = Cron(check(grace_ns=0)).looks([OK, OK], pause_s=1)
    assert cron.run(1, (PORT, Observation(UNKNOWN, "no descriptor"))) == [
        EventName.CHECK_UNKNOWN,
        EventName.COMPONENT_UNKNOWN,
    ]


def test_a_component_is_in_its_state_since_the_run_that_found_it_so() -> None:
    cron = Cron(check(grace_ns=0, failure_threshold=2)).looks([OK])
    for verdict, changes in ((OK, False), (FAIL, True), (FAIL, True), (FAIL, False)):
        before = cron.memory
        cron.looks([verdict])
        assert before is not None
        assert cron.memory is not None
        assert cron.memory.since_wall_ns == (cron.now.wall_ns if changes else before.since_wall_ns), verdict
    assert cron.state is ComponentState.DOWN
    tracked, _ = take_round(cron.spec, cron.memory, {}, cron.now.after(S))
    assert cron.memory is not None
    assert (tracked.state, tracked.since_wall_ns) == (ComponentState.DOWN, cron.memory.since_wall_ns), "nobody looked"
    changed = replace(cron.memory, state=ComponentState.HEALTHY)
    assert take_round(cron.spec, changed, {}, cron.now.after(S))[0].since_wall_ns == cron.now.after(S).wall_ns


def test_a_check_that_is_new_or_of_another_type_begins_afresh_and_the_others_go_on() -> None:
    first, port = check("first", grace_ns=0, failure_threshold=2), check(grace_ns=0, failure_threshold=2)
    cron = Cron(first, port)
    both = [(CheckId("gateway", name), Observation(FAIL, "refused")) for name in ("first", "port")]
    cron.run(300, *both)
    for specs in ((check("new", grace_ns=0), port), (replace(first, type="http"), port)):
        tracked, _ = take_round(component("gateway", *specs), cron.memory, dict(both), cron.now.after(300 * S))
        assert tracked.checks["port"].machine.consecutive_failures == 2
        assert tracked.checks[specs[0].name].machine.consecutive_failures <= 1
        assert tracked.state is ComponentState.DOWN


def test_a_heartbeat_that_was_never_read_and_one_that_no_longer_is_one_are_taken_as_they_are() -> None:
    beat = CheckSpec("beat", "heartbeat", Layer.WORKING, grace_ns=0, failure_threshold=1, signal=SignalPolicy(900 * S))
    at = CheckId("gateway", "beat")
    cron = Cron(beat)
    cron.run(300, (at, Observation(FAIL, "nobody has ever written it")))
    cron.run(300, (at, Observation(OK, signal=WorkSignal(cron.now.wall_ns + 300 * S))))
    assert cron.memory is not None
    bare, _ = take_round(component("gateway", replace(beat, signal=None)), cron.memory, {}, cron.now.after(S))
    assert bare.checks["beat"].judge is None


def test_work_ages_from_run_to_run_by_the_time_that_passed() -> None:
    beat = CheckSpec("beat", "heartbeat", Layer.WORKING, grace_ns=0, failure_threshold=1, signal=SignalPolicy(900 * S))
    at = CheckId("gateway", "beat")
    cron = Cron(beat)
    cron.run(300, (at, Observation(OK, signal=WorkSignal(START.wall_ns + 250 * S))))
    tracked, _ = take_round(cron.spec, cron.memory, {}, cron.now.after(100 * S))
    assert tracked.checks["beat"].staleness_s(cron.now.after(100 * S).mono_ns) == (150.0, 900.0)


def test_a_crash_loop_is_one_in_the_next_run_too_until_a_window_is_calm() -> None:
    process = check("process", Layer.ALIVE, "process", grace_ns=0, flap_window_ns=3_600 * S)
    at = CheckId("gateway", "process")
    cron = Cron(process)
    for pid in (100, 101, 102, 103):
        seen = Observation(OK, identity=Identity(pid, cron.now.wall_ns / S))
        cron.run(60, (at, seen))
    states = [cron.state]
    for pause_s in (60, 3_600):
        cron.run(pause_s, (at, seen))
        states.append(cron.state)
    assert states == [ComponentState.DEGRADED, ComponentState.DEGRADED, ComponentState.HEALTHY]
