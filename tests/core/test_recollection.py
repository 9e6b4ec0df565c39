"""What survives us of a governor: every field is written down, and what the next one makes of it (R4, R5, R12)."""

from dataclasses import replace

import pytest

from lifesign.core.attempts import Attempt
from lifesign.core.governor import Governor
from lifesign.core.memory import IncidentMemory
from lifesign.core.model import Identity, Instant
from lifesign.core.outage import Incident
from lifesign.core.recollection import aged, go_on, recall, remember
from lifesign.core.restart import Outcome, Phase, RestartMemory, RestartRecord
from lifesign.core.spec import RestartSpec
from tests.core.stage import START, S, Stage, check, component

SPEC = RestartSpec("signal", automatic=True, grace_ns=120 * S, max_restarts=5, window_ns=86_400 * S)
RECORD = RestartRecord(7, START.wall_ns, True, outcome=Outcome.UNPRODUCTIVE)
ELSEWHERE = Instant(9_000_000 * S, 1_800_000_000 * S, 9_500_000 * S)
FULL = RestartMemory(
    phase=Phase.BACKOFF,
    attempt=7,
    unproductive=2,
    backoff_ns=60 * S,
    gap_ns=180 * S,
    spent_ages_ns=(500 * S, 90 * S),
    due_left_ns=40 * S,
    rest_left_ns=30 * S,
    verify_left_ns=-5 * S,
    began_age_ns=90 * S,
    began_wall_ns=START.wall_ns - 90 * S,
    automatic=False,
    before=Identity(100, 1.0),
    after=Identity(101, 2.0),
    blamed=("beat", "port"),
    common_left_ns=200 * S,
    calm_age_ns=15 * S,
    told=("_held", "budget"),
    history=(RECORD,),
)


def governor() -> Governor:
    return Governor("mind", SPEC, ELSEWHERE)


def test_a_new_governor_remembers_that_nothing_was_done() -> None:
    made = Governor("mind", SPEC, START)
    later = START.after(3 * S)
    assert remember(made, later) == RestartMemory(
        due_left_ns=-3 * S,
        rest_left_ns=-3 * S,
        verify_left_ns=-later.mono_ns,
        began_age_ns=3 * S,
        began_wall_ns=START.wall_ns,
    )


def test_every_figure_of_a_governor_is_written_down_by_its_age_or_by_what_is_left_of_it() -> None:
    made, now_ns = Governor("mind", SPEC, START), START.mono_ns
    made.phase, made.unproductive, made.backoff_ns, made.gap_ns = Phase.BACKOFF, 2, 60 * S, 180 * S
    for age_s in (500, 90):
        made.budget.spend(START.boot_ns - age_s * S)
    made.due_ns, made.rest_until_ns, made.retry_ns = now_ns + 40 * S, now_ns + 30 * S, now_ns + 20 * S
    made.attempts.last = Attempt(
        7,
        START.after(-90 * S),
        automatic=False,
        before=FULL.before,
        after=FULL.after,
        blamed=("beat", "port"),
        verify_until_ns=now_ns - 5 * S,
    )
    made.common_until_ns, made.calm_ns = now_ns + 200 * S, now_ns - 15 * S
    made.announcer.recall(["budget", "_held"])
    made.attempts.history.append(RECORD)
    assert remember(made, START) == FULL
    made.retry_ns = now_ns + 35 * S
    assert remember(made, START) == replace(FULL, rest_left_ns=35 * S), "whichever keeps it back longer"


def test_the_next_governor_goes_on_with_all_of_it_and_begins_calm_and_what_was_told_anew() -> None:
    made = governor()
    recall(made, FULL, ELSEWHERE, 1_000 * S, 800 * S)
    now_ns = ELSEWHERE.mono_ns
    assert (made.phase, made.unproductive, made.backoff_ns, made.gap_ns) == (Phase.BACKOFF, 2, 60 * S, 180 * S)
    assert made.budget.ages_ns(ELSEWHERE.boot_ns) == (1_300 * S, 890 * S), "by the clock that says less went by"
    assert (made.due_ns, made.rest_until_ns) == (now_ns + 40 * S, now_ns + 30 * S), "time without us is not counted"
    assert made.attempts.last == Attempt(
        number=7,
        began=Instant(now_ns - 1_090 * S, FULL.began_wall_ns, ELSEWHERE.boot_ns - 890 * S),
        automatic=False,
        before=FULL.before,
        after=FULL.after,
        blamed=("beat", "port"),
        since_ns=now_ns + 1,
        verify_until_ns=now_ns + (120 - 1_090) * S,
    )
    assert (made.common_until_ns, made.calm_ns) == (now_ns + 200 * S, None)
    assert [*made.attempts.history] == [RECORD]
    assert not made.announcer.has_told


@pytest.mark.parametrize(
    ("phase", "goes_on", "verify_left_s", "rest_left_s"),
    [
        (Phase.IDLE, Phase.IDLE, 120 - 90 - 10, 0),
        (Phase.WAITING, Phase.WAITING, 120 - 90 - 10, 0),
        (Phase.RESTARTING, Phase.VERIFYING, 120 - 90 - 10, 120),
        (Phase.VERIFYING, Phase.VERIFYING, 70 - 10, 120),
        (Phase.EXHAUSTED, Phase.EXHAUSTED, 120 - 90 - 10, 0),
    ],
)
def test_r12_what_was_in_flight_counts_as_sent_and_its_grace_counts_from_the_record(
    phase: Phase, goes_on: Phase, verify_left_s: float, rest_left_s: float
) -> None:
    made = governor()
    memory = replace(FULL, phase=phase, verify_left_ns=70 * S, rest_left_ns=-S, common_left_ns=None)
    recall(made, memory, ELSEWHERE, 10 * S, 10 * S)
    assert made.phase is goes_on
    assert made.attempts.last.verify_until_ns == ELSEWHERE.mono_ns + round(verify_left_s * S)
    assert made.rest_until_ns == ELSEWHERE.mono_ns + round(rest_left_s * S)
    assert made.common_until_ns is None


def test_a_rest_that_is_longer_than_the_grace_is_not_cut_short_by_our_death() -> None:
    made = governor()
    recall(made, replace(FULL, phase=Phase.VERIFYING, rest_left_ns=500 * S), ELSEWHERE, 0, 0)
    assert made.rest_until_ns == ELSEWHERE.mono_ns + 500 * S


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.VERIFYING, Phase.EXHAUSTED])
def test_one_run_of_one_round_goes_on_after_another_with_its_calm_and_with_what_it_told(phase: Phase) -> None:
    made = governor()
    go_on(made, replace(FULL, phase=phase, verify_left_ns=70 * S), ELSEWHERE, 800 * S)
    assert (made.phase, made.calm_ns) == (phase, ELSEWHERE.mono_ns - 15 * S)
    assert made.announcer.told == ("_held", "budget")
    assert made.rest_until_ns == ELSEWHERE.mono_ns + 30 * S, "what was in flight is over when it would have been"
    assert made.attempts.last.began.mono_ns == ELSEWHERE.mono_ns - 90 * S
    assert made.budget.ages_ns(ELSEWHERE.boot_ns) == (1_300 * S, 890 * S)
    if phase is Phase.VERIFYING:
        assert made.attempts.last.verify_until_ns == ELSEWHERE.mono_ns + 70 * S
    go_on(made, replace(FULL, calm_age_ns=None, rest_left_ns=-S), ELSEWHERE, 0)
    assert (made.calm_ns, made.rest_until_ns) == (None, ELSEWHERE.mono_ns)


def test_a_memory_that_is_older_has_every_age_grown_and_every_wait_shrunk_by_as_much() -> None:
    assert aged(FULL, 10 * S) == replace(
        FULL,
        spent_ages_ns=(510 * S, 100 * S),
        due_left_ns=30 * S,
        rest_left_ns=20 * S,
        verify_left_ns=-15 * S,
        began_age_ns=100 * S,
        common_left_ns=190 * S,
        calm_age_ns=25 * S,
    )
    none = replace(FULL, common_left_ns=None, calm_age_ns=None)
    assert (aged(none, S).common_left_ns, aged(none, S).calm_age_ns) == (None, None)


@pytest.mark.parametrize(
    ("phase", "short_s", "long_s"),
    [(Phase.IDLE, 10, 60), (Phase.WAITING, 10, 60), (Phase.VERIFYING, 120, 120)],
)
def test_only_a_restart_that_is_verified_prolongs_a_grace_over_our_death(
    phase: Phase, short_s: int, long_s: int
) -> None:
    spec = component("mind", check("short", grace_ns=10 * S), check("long", grace_ns=60 * S), restart=SPEC)
    stage = Stage(spec).run(1)
    governed = stage.monitor.components["mind"].governor
    assert governed is not None
    governed.phase, governed.attempts.last.verify_until_ns = phase, stage.now.mono_ns + 120 * S
    stage.die()
    ends = [one.machine.grace_ends_ns - stage.now.mono_ns for one in stage.monitor.components["mind"].checks.values()]
    assert ends == [short_s * S, long_s * S]


def test_a_component_without_a_check_goes_on_with_its_restarts_too() -> None:
    stage = Stage(component("empty", restart=SPEC)).run(1).die(5)
    assert stage.monitor.components["empty"].governor is not None


def test_an_incident_that_goes_on_keeps_who_is_to_blame_of_those_that_are_still_there() -> None:
    incident = Incident("mind-1", START, {"port", "beat"})
    memory = incident.memory(START.mono_ns + 40 * S)
    assert memory == IncidentMemory("mind-1", START.wall_ns, 40 * S, ("beat", "port"))
    again = Incident.recalled(memory, ELSEWHERE, {"port": 1, "new": 2})
    assert (again.id, again.blamed) == ("mind-1", {"port"})
    assert again.opened == Instant(ELSEWHERE.mono_ns - 40 * S, START.wall_ns, ELSEWHERE.boot_ns - 40 * S)
