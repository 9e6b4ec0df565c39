"""What a governor counts by: the budget of a window (R4, R14), and the restarts as they are kept."""

from dataclasses import replace

import pytest

from lifesign.core.attempts import Attempt, Attempts
from lifesign.core.budget import Budget
from lifesign.core.events import EventName
from lifesign.core.model import Identity, Instant
from lifesign.core.restart import HISTORY, Outcome, RestartRecord
from lifesign.core.spec import RestartSpec
from tests.core.stage import S

NOON = Instant(5_000 * S, 1_790_164_800 * S, 70_000 * S)  # 2026-09-23 12:00 UTC
HOUR = 3_600 * S


def budget(*ages_s: float, most: int = 3, shared: tuple[float, ...] = ()) -> Budget:
    """So many seconds ago these were spent, within an hour's window."""
    made = Budget(most, HOUR)
    for age_s in ages_s:
        made.spend(NOON.boot_ns - round(age_s * S))
    made.share([NOON.boot_ns - round(age_s * S) for age_s in shared])
    return made


@pytest.mark.parametrize(
    ("made", "left", "wait_s"),
    [
        (budget(), 3, 0),
        (budget(100), 2, 0),
        (budget(300, 200, 100), 0, 3_300),
        (budget(3_600, 200, 100), 1, 0),
        (budget(3_599, 200, 100), 0, 1),
        (budget(400, 300, 200, 100), 0, 3_300),
        (budget(300, shared=(300,)), 2, 0),
        (budget(300, shared=(300, 200, 50)), 0, 3_300),
        (budget(300, 200, 100, shared=(300, 200, 100, 10)), 0, 3_400),
        (budget(300, 200, 100, shared=(100, 200)), 0, 3_300),
        (budget(100, most=1), 0, 3_500),
    ],
)
def test_at_most_so_many_are_left_in_any_window_by_whichever_count_is_larger(
    made: Budget, left: int, wait_s: float
) -> None:
    assert made.left(NOON.boot_ns) == left
    assert made.wait_ns(NOON.boot_ns) == round(wait_s * S)
    if wait_s:
        assert made.left(NOON.boot_ns + round(wait_s * S) - 1) == 0
        assert made.left(NOON.boot_ns + round(wait_s * S)) == 1


def test_the_shared_ledger_may_come_in_any_order() -> None:
    made = budget()
    made.share([NOON.boot_ns - age_s * S for age_s in (10, 300, 200)])
    assert made.wait_ns(NOON.boot_ns) == 3_300 * S


def test_what_was_not_made_is_given_back_and_what_is_out_of_the_window_forgotten() -> None:
    made = budget(4_000, 200, 100)
    assert made.ages_ns(NOON.boot_ns) == (200 * S, 100 * S)
    made.refund()
    assert made.ages_ns(NOON.boot_ns) == (200 * S,)
    made.spend(NOON.boot_ns)
    assert made.ages_ns(NOON.boot_ns + HOUR - 1) == (HOUR - 1,)


def test_over_our_death_no_restart_is_forgotten_too_early() -> None:
    made = Budget(3, HOUR)
    made.recall((500 * S, 90 * S), NOON.boot_ns, 10 * S)
    assert made.ages_ns(NOON.boot_ns) == (510 * S, 100 * S)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (budget(100), "budget: 2 of 3 left"),
        (budget(300, 200, 100), "budget: 0 of 3 left until 12:55 UTC"),
    ],
)
def test_what_is_left_is_told_and_where_nothing_is_until_when(made: Budget, words: str) -> None:
    assert made.words(NOON) == words


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (budget(300, 200, 100), "3 restarts within 1h spent, none until 12:55 UTC"),
        (budget(1_800, most=1), "1 restart within 1h spent, none until 12:30 UTC"),
        (
            budget(300, shared=(300, 200, 100)),
            "3 restarts within 1h spent by the monitors of this host together, none until 12:55 UTC",
        ),
    ],
)
def test_why_none_may_be_made_is_told_with_who_spent_it_and_until_when(made: Budget, words: str) -> None:
    assert made.doubt(NOON) == ("budget", words)
    assert budget(100, 200).doubt(NOON) is None


def test_a_window_of_a_broken_second_is_told_rounded_up() -> None:
    made = budget(1, most=1)
    made.window_ns = 89 * S + 1
    doubt = made.doubt(NOON)
    assert doubt is not None
    assert doubt[1].startswith("1 restart within 90s spent")


OLD, NEW = Identity(100, 1.0), Identity(101, 9.0)


@pytest.mark.parametrize(
    ("before", "seen", "other"),
    [
        (None, OLD, True),
        (OLD, NEW, True),
        (OLD, OLD, False),
        (OLD, Identity(100, 3.0), False),
        (OLD, Identity(100, 3.1), True),
        (Identity(100, 3.1), OLD, True),
        (OLD, Identity(100), False),
        (Identity(100), OLD, False),
    ],
)
def test_a_process_is_another_one_by_its_pid_or_by_a_start_that_no_rounding_explains(
    before: Identity | None, seen: Identity, other: bool
) -> None:
    assert Attempt(1, NOON, before=before).is_other(seen) is other


def begun(number: int = 1, now: Instant = NOON, kept: Attempts | None = None) -> Attempts:
    made = kept or Attempts(NOON)
    made.begin(Attempt(number, now, before=OLD), "ann", "why")
    return made


def test_a_restart_is_kept_from_its_beginning_with_what_is_known_then() -> None:
    made = begun()
    assert [*made.history] == [RestartRecord(1, NOON.wall_ns, True, "ann", "why", pid_before=100)]
    assert made.last.since_ns == NOON.mono_ns
    made.begin(Attempt(2, NOON, automatic=False), "", "")
    assert made.history[-1] == RestartRecord(2, NOON.wall_ns, False, "", "", pid_before=None)


def test_the_first_process_that_is_seen_after_it_is_the_one_it_brought() -> None:
    made = begun()
    made.renewed(NEW, NOON.mono_ns + 2 * S, NOON.mono_ns + 3 * S + 123_456_789)
    assert (made.last.after, made.last.since_ns) == (NEW, NOON.mono_ns + 2 * S)
    assert (made.history[-1].pid_after, made.history[-1].process_after_s) == (101, 3.123)
    assert made.pids == ", pid 100 -> 101"
    made.renewed(Identity(102), NOON.mono_ns + 8 * S, NOON.mono_ns + 9 * S)
    assert (made.last.after, made.history[-1].pid_after) == (NEW, 101)


def test_a_process_whose_start_is_told_earlier_than_the_deed_makes_no_older_work_evidence() -> None:
    made = begun()
    made.renewed(NEW, NOON.mono_ns - S, NOON.mono_ns + S)
    assert made.last.since_ns == NOON.mono_ns


def test_without_a_new_process_no_pids_are_told_and_without_the_old_one_it_is_unknown() -> None:
    assert Attempts(NOON).pids == begun().pids == ""
    made = Attempts(NOON)
    made.begin(Attempt(1, NOON), "", "")
    made.renewed(OLD, NOON.mono_ns - 2 * S - 1, NOON.mono_ns)
    assert made.last.after is None, "it is older than the restart: it was there all the while"
    made.renewed(NEW, NOON.mono_ns - 2 * S, NOON.mono_ns)
    assert made.pids == ", pid unknown -> 101"


def test_only_the_newest_restarts_are_kept() -> None:
    made = Attempts(NOON)
    for number in range(HISTORY + 3):
        begun(number, kept=made)
    assert [record.attempt for record in made.history] == list(range(3, HISTORY + 3))
    assert HISTORY == 20


def test_what_is_known_later_is_noted_of_the_last_restart_alone() -> None:
    made = begun(2, kept=begun(1))
    made.note(outcome=Outcome.FAILED)
    assert [record.outcome for record in made.history] == [Outcome.PENDING, Outcome.FAILED]
    made.last = replace(made.last, number=3)
    made.note(outcome=Outcome.PRODUCTIVE)
    assert [record.outcome for record in made.history] == [Outcome.PENDING, Outcome.FAILED], "of which none is kept"
    Attempts(NOON).note(outcome=Outcome.FAILED)


def test_a_restart_that_was_not_made_is_kept_no_more_and_the_wait_counts_from_the_one_before() -> None:
    later = NOON.after(60 * S)
    made = begun(2, later, begun(1))
    made.forget_last()
    assert [record.attempt for record in made.history] == [1]
    assert made.last.began == NOON
    made.forget_last()
    assert [record.attempt for record in made.history] == [1], "the one before was made"


def test_an_event_of_a_restart_carries_its_figures_and_one_that_was_withheld_none() -> None:
    made = begun()
    made.note(pid_after=101, process_after_s=1.5, work_after_s=2.5)
    assert made.data(EventName.RESTART_PRODUCTIVE) == {
        "attempt": 1,
        "automatic": True,
        "author": "ann",
        "reason": "why",
        "pid_before": 100,
        "pid_after": 101,
        "process_after_s": 1.5,
        "work_after_s": 2.5,
    }
    assert made.data(EventName.RESTART_WITHHELD) == {}
    assert Attempts(NOON).data(EventName.RESTART_SENT) == {}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"max_unproductive": 0}, "max_unproductive must be positive, not 0"),
        ({"max_restarts": 0}, "max_restarts must be positive, not 0"),
        ({"after_ns": 0}, "after_ns must be positive, not 0"),
        ({"grace_ns": 0}, "grace_ns must be positive, not 0"),
        ({"backoff_initial_ns": 0}, "backoff_initial_ns must be positive, not 0"),
        ({"window_ns": 0}, "window_ns must be positive, not 0"),
        ({"backoff_factor": 0.9}, "backoff_factor must be 1 or more, not 0.9"),
        ({"backoff_factor": float("nan")}, "backoff_factor must be 1 or more, not nan"),
        ({"backoff_initial_ns": 11, "backoff_max_ns": 10}, "backoff_max_ns is shorter than backoff_initial_ns"),
    ],
)
def test_a_restart_that_makes_no_sense_cannot_be_specified(wrong: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        RestartSpec("signal", **wrong)  # type: ignore[arg-type]
    assert str(refused.value) == words


def test_the_least_that_makes_sense_can_be_specified() -> None:
    assert RestartSpec("signal", False, 1, 1, 1, 1, 1, 1.0, 1, 1).backoff_factor == 1.0
