"""Whole lives of the governor, made from seeds: no law from R1 to R13 is broken, and a rule that is off is noticed."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from lifesign.core import doubts, governing, recollection
from lifesign.core.attempts import Attempt, Attempts
from lifesign.core.budget import Budget
from lifesign.core.common_cause import CommonCause
from lifesign.core.events import EventName
from lifesign.core.governor import Governor
from lifesign.core.restart import Phase
from lifesign.core.sight import LastLook
from lifesign.core.tracked import TrackedCheck
from tests.simulation.governor_world import Life, S

YEAR_NS = 31_557_600 * S


def live(seeds: range, faults: int) -> list[Life]:
    lives = [Life(seed).run(faults) for seed in seeds]
    broken = [f"seed {seed}: {life.judge.violations}" for seed, life in zip(seeds, lives, strict=True)]
    assert not any(life.judge.violations for life in lives), [words for words in broken if "[]" not in words]
    return lives


def test_no_law_of_restarts_is_broken_in_five_service_years() -> None:
    lives = live(range(6), 12)
    years = sum(life.service_ns for life in lives) / YEAR_NS
    assert years >= 5
    assert sum(life.judge.deeds for life in lives) > 50
    assert sum(life.deaths for life in lives) > 10
    assert {name for life in lives for name in life.told} >= {
        EventName.RESTART_SENT,
        EventName.RESTART_PRODUCTIVE,
        EventName.RESTART_UNPRODUCTIVE,
        EventName.RESTART_WITHHELD,
        EventName.RESTART_EXHAUSTED,
    }


@pytest.mark.proof
@pytest.mark.timeout(1200)
def test_no_law_of_restarts_is_broken_in_fifty_service_years() -> None:
    years, seed, began_s = 0.0, 1_000, time.process_time()
    while years < 50 and time.process_time() - began_s < 500:
        years += sum(life.service_ns for life in live(range(seed, seed + 10), 12)) / YEAR_NS
        seed += 10
    assert years >= 50


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(400)
def test_no_law_of_restarts_is_broken_while_operators_interfere_all_the_time() -> None:
    for seed in range(2_000, 2_100):
        life = Life(seed)
        life.busyness = 0.02
        assert life.run(6).judge.violations == [], seed


def test_a_dry_run_asks_for_no_deed_in_a_whole_life() -> None:
    life = Life(3, dry_run=True).run(12)
    assert life.judge.violations == []
    assert EventName.RESTART_SENT in life.told


def without(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """One reason to withhold a restart is forgotten."""
    rows = tuple(doubt for doubt in doubts.DOUBTS if doubt.__name__ != name)
    assert len(rows) == len(doubts.DOUBTS) - 1
    return lambda patch: patch.setattr(doubts, "DOUBTS", rows)


def replaced(owner: Any, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(owner, name, value)


def _recall_forgetting(change: Callable[[Governor], None]) -> Callable[[pytest.MonkeyPatch], None]:
    honest = recollection.recall

    def recall(governor: Governor, *rest: Any) -> None:
        honest(governor, *rest)
        change(governor)

    return lambda patch: patch.setattr("lifesign.core.reincarnation.recall", recall)


def _begin_again(governor: Governor) -> None:
    if governor.phase is Phase.VERIFYING:
        governor.phase, governor.due_ns, governor.rest_until_ns = Phase.BACKOFF, 0, 0


def _spend_nothing(governor: Governor) -> None:
    governor.budget.recall((), 0, 0)


def _never_enough(governor: Governor, *rest: Any) -> Any:
    governor.unproductive = min(governor.unproductive, governor.spec.max_unproductive - 2)
    return _in_vain(governor, *rest)


def _shrinking(governor: Governor, *rest: Any) -> Any:
    told = _in_vain(governor, *rest)
    governor.due_ns -= governor.backoff_ns + governor.gap_ns
    return told


def _of_no_process(attempts: Attempts, attempt: Attempt, *rest: str) -> None:
    _begin_attempt(attempts, attempt, *rest)
    attempt.before = None


def _not_dry(governor: Governor, *rest: Any, **_: Any) -> None:
    _new_governor(governor, *rest, dry_run=False)


def _believing_after_a_stall(patch: pytest.MonkeyPatch) -> None:
    """Two rules keep R8 there: no deed soon after a stall, and no failure seen soon after one is a last look."""
    replaced(governing, "_is_recent", lambda *_: False)(patch)
    replaced(governing, "last_look", lambda *_: LastLook.FAILS)(patch)


_in_vain = Governor._in_vain
_begin_attempt = Attempts.begin
_new_governor = Governor.__init__

MUTANTS = {
    "R1 held": without("_held"),
    "R1 dependency": without("_suppressed"),
    "R1 last look": replaced(governing, "last_look", lambda checks, asked_ns, now_ns: LastLook.FAILS),
    "R2 grace of the last": replaced(Governor, "next_due_ns", lambda governor: governor.due_ns - 200 * S),
    "R3 old work condemns the new process": replaced(TrackedCheck, "begin_incarnation", lambda *_: None),
    "R3 our own new process is a stranger": replaced(Governor, "brings", lambda *_: False),
    "R4 budget": replaced(Budget, "wait_ns", lambda budget, boot_ns: 0),
    "R4 over our death": _recall_forgetting(_spend_nothing),
    "R5 growing waits": replaced(Governor, "_in_vain", _shrinking),
    "R6 enough": replaced(Governor, "_in_vain", _never_enough),
    "R7 common cause": replaced(CommonCause, "is_suspected", lambda cause, now_ns: False),
    "R8 stall": _believing_after_a_stall,
    "R9 without work": replaced(governing, "works_since", lambda *_: True),
    "R9 without a new process": replaced(Attempts, "begin", _of_no_process),
    "R12 sent again": _recall_forgetting(_begin_again),
    "R13 a dry run acts": replaced(Governor, "__init__", _not_dry),
}


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(400)
@pytest.mark.parametrize("mutant", list(MUTANTS))
def test_a_rule_that_is_off_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    law = mutant.partition(" ")[0]
    for seed in range(240):
        life = Life(seed, dry_run=law == "R13")
        life.busyness = 0.2 if law == "R3" else life.busyness
        life.judge.only = law
        if mutant == "R1 last look":
            lose_sight(life)
        if life.run(6).judge.violations:
            return
    pytest.fail(f"nobody noticed: {mutant}")


def lose_sight(life: Life) -> None:
    """What hangs cannot be looked at any more, about when it would be restarted."""
    for _ in range(10):
        life.strike("hang", "tools")
        life.live_for(life.random.uniform(60, 130))
        life.strike("blind", "tools")
        life.live_for(400)
        life.strike("mend", "tools")
        life.live_for(10_000)


def test_no_law_of_restarts_is_broken_where_what_hangs_cannot_be_seen() -> None:
    for seed in range(2):
        life = Life(seed)
        lose_sight(life)
        assert life.judge.violations == [], seed
