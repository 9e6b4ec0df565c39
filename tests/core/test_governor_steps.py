"""The governor alone, shown one sight after another: each wait to the nanosecond, each refusal (R1 to R6)."""

from dataclasses import replace
from typing import Any

import pytest

from lifesign.core.attempts import Attempt
from lifesign.core.commands import NotPossibleError
from lifesign.core.effects import Effect, Record, Restart
from lifesign.core.events import Event, EventName
from lifesign.core.governor import POLL_NS, RETRY_NS, Governor
from lifesign.core.model import Identity, Instant
from lifesign.core.restart import Failed, Outcome, Phase, Renewed, RestartRecord, Sent, Withheld
from lifesign.core.sight import LastLook, Sight
from lifesign.core.spec import RestartSpec
from tests.core.stage import START, S

SPEC = RestartSpec(
    "signal",
    automatic=True,
    max_unproductive=3,
    max_restarts=5,
    after_ns=60 * S,
    grace_ns=120 * S,
    backoff_initial_ns=30 * S,
    backoff_factor=2.0,
    backoff_max_ns=50 * S,
    window_ns=86_400 * S,
)
OLD, NEW = Identity(100, 1.0), Identity(101, 9_000.0)
DOWN = Sight(down=True, incident="mind-1", blamed=("beat",), identity=OLD)
FOUND = replace(DOWN, last_look=LastLook.FAILS)
WELL = Sight(calm=True)
WORKS = replace(DOWN, works=True, looked=True)
IDLE = replace(DOWN, looked=True)


def at(elapsed_s: float) -> Instant:
    return START.after(round(elapsed_s * S))


def ns(elapsed_s: float) -> int:
    return at(elapsed_s).mono_ns


def governor(*, dry_run: bool = False, **changes: Any) -> Governor:
    return Governor("mind", replace(SPEC, **changes), START, dry_run=dry_run)


def told(effects: list[Effect]) -> list[Event]:
    return [effect.event for effect in effects if isinstance(effect, Record)]


def due(**changes: Any) -> Governor:
    """It went down at 0; at 60 its last look was asked for."""
    made = governor(**changes)
    assert made.advance(DOWN, at(0)) == []
    assert made.advance(DOWN, at(60)) == []
    return made


def restarting(**changes: object) -> Governor:
    """Its first restart was decided at 61."""
    made = due(**changes)
    assert len(made.advance(FOUND, at(61))) == 1
    return made


def verifying(**changes: object) -> Governor:
    """Its first restart was made at 62: it must have worked by 182."""
    made = restarting(**changes)
    made.report(Sent("SIGTERM to pid 100"), DOWN, at(62))
    return made


def in_vain(made: Governor, elapsed_s: float) -> list[Event]:
    """Nothing has resumed by then, which is at the end of its grace."""
    assert made.advance(DOWN, at(elapsed_s)) == []
    return told(made.advance(IDLE, at(elapsed_s)))


def again(made: Governor, elapsed_s: float) -> None:
    """The next one is decided and made right then."""
    assert made.advance(DOWN, at(elapsed_s)) == []
    assert len(made.advance(FOUND, at(elapsed_s))) == 1
    made.report(Sent("SIGTERM"), DOWN, at(elapsed_s))


def test_it_waits_for_after_asks_for_a_last_look_and_restarts_once_that_fails() -> None:
    made = governor()
    assert made.advance(DOWN, at(0)) == []
    assert (made.phase, made.next_due_ns(), made.revision) == (Phase.WAITING, ns(60), 1)
    assert made.advance(FOUND, Instant(ns(60) - 1, 0, 0)) == []
    assert (made.asked_ns, made.is_watching) == (None, False)
    assert made.advance(FOUND, at(60)) == [], "what was found before it was asked for is no last look"
    assert (made.asked_ns, made.is_watching) == (ns(60), True)
    assert made.advance(replace(DOWN, last_look=LastLook.AWAITED), at(60.5)) == []
    assert made.asked_ns == ns(60)
    assert made.advance(FOUND, at(61)) == [Restart("mind", 1, True, "", "down, 1 of 3", OLD)]
    assert (made.phase, made.in_flight, made.revision) == (Phase.RESTARTING, True, 2)
    assert made.attempts.last == Attempt(1, at(61), before=OLD, blamed=("beat",), since_ns=ns(61))
    assert [*made.attempts.history] == [RestartRecord(1, at(61).wall_ns, True, "", "down, 1 of 3", pid_before=100)]
    assert made.budget.left(at(61).boot_ns) == 4
    assert made.brings(NEW)


def test_a_last_look_that_passes_keeps_it_back_and_is_asked_for_again() -> None:
    made = due()
    assert made.advance(replace(DOWN, last_look=LastLook.PASSES), at(61)) == []
    assert (made.asked_ns, made.withheld) == (None, "its last look did not fail")
    assert made.advance(DOWN, at(62)) == []
    assert (made.asked_ns, made.withheld) == (ns(62), "")


def test_a_last_look_that_is_too_old_or_does_not_come_for_half_a_minute_is_asked_for_again() -> None:
    made = due()
    assert made.advance(replace(DOWN, last_look=LastLook.OLD), at(61)) == []
    assert made.asked_ns == ns(61)
    made.advance(DOWN, at(61 + 30))
    assert made.asked_ns == ns(61)
    made.advance(DOWN, Instant(ns(61 + 30) + 1, 0, 0))
    assert made.asked_ns == ns(61 + 30) + 1
    assert RETRY_NS == 30 * S


def test_a_doubt_keeps_it_back_and_is_told_once_and_again_only_after_it_was_well() -> None:
    made = due()
    held = replace(FOUND, held_by="ann")
    (event,) = told(made.advance(held, at(61)))
    assert (event.name, event.component, event.incident) == (EventName.RESTART_WITHHELD, "mind", "mind-1")
    assert (event.message, event.at_wall_ns) == ("restart withheld: held by ann", at(61).wall_ns)
    assert event.data == {"method": "signal", "reason": "held by ann"}
    assert (made.asked_ns, made.withheld) == (None, "held by ann")
    assert made.advance(held, at(62)) == []
    made.advance(WELL, at(70))
    assert (made.phase, made.withheld) == (Phase.IDLE, "")
    made.advance(DOWN, at(80))
    assert len(made.advance(held, at(140))) == 1


def test_one_that_is_well_again_before_its_restart_is_due_waits_the_whole_time_when_it_goes_down_anew() -> None:
    made = governor()
    made.advance(DOWN, at(0))
    made.advance(replace(WELL, calm=False, incident="mind-1"), at(30))
    assert made.phase is Phase.IDLE
    made.advance(DOWN, at(40))
    assert (made.phase, made.next_due_ns()) == (Phase.WAITING, ns(100))


def test_one_that_is_restarted_is_told_with_its_figures_and_has_its_grace_from_then() -> None:
    made = restarting()
    (event,) = told(made.report(Sent("SIGTERM to pid 100", OLD), DOWN, at(62)))
    assert (event.name, event.message) == (EventName.RESTART_SENT, "restarted, 1 of 3: SIGTERM to pid 100")
    assert event.data == {
        "method": "signal",
        "attempt": 1,
        "automatic": True,
        "author": "",
        "reason": "down, 1 of 3",
        "pid_before": 100,
        "pid_after": None,
        "process_after_s": None,
        "work_after_s": None,
    }
    assert (made.phase, made.attempts.last.verify_until_ns, made.rest_until_ns) == (Phase.VERIFYING, ns(182), ns(182))
    assert made.attempts.history[-1].words == "SIGTERM to pid 100"
    assert made.report(Sent("twice"), DOWN, at(63)) == [], "what comes too late is not taken"
    assert made.attempts.last.verify_until_ns == ns(182)


@pytest.mark.parametrize(("seen", "said", "before"), [(OLD, NEW, OLD), (None, NEW, NEW), (None, None, None)])
def test_the_process_of_before_is_the_one_that_was_seen_else_the_one_that_the_deed_tells_of(
    seen: Identity | None, said: Identity | None, before: Identity | None
) -> None:
    made = due()
    made.advance(replace(FOUND, identity=seen), at(61))
    made.report(Sent("done", said), DOWN, at(62))
    assert made.attempts.last.before == before
    assert made.attempts.history[-1].pid_before == (before.pid if before else None)


def test_it_is_productive_once_a_new_process_works_and_not_before() -> None:
    made = verifying()
    assert made.advance(WORKS, at(70)) == [], "the old process at work proves nothing"
    made.renewed(NEW, ns(64), ns(66))
    assert (made.brings(NEW), made.brings(Identity(102, 9.0))) == (True, False), "another one is not ours"
    assert made.advance(DOWN, at(80)) == []
    (event,) = told(made.advance(WORKS, at(81)))
    assert (event.name, event.message) == (
        EventName.RESTART_PRODUCTIVE,
        "productive: work resumed after 20s, pid 100 -> 101",
    )
    assert (event.data["process_after_s"], event.data["work_after_s"], event.data["pid_after"]) == (5.0, 20.0, 101)
    assert (made.phase, made.rest_until_ns, made.unproductive) == (Phase.IDLE, ns(201), 0)
    assert made.attempts.history[-1].outcome is Outcome.PRODUCTIVE


def test_where_nobody_knew_the_process_of_before_whichever_works_is_a_new_one() -> None:
    made = due()
    made.advance(replace(FOUND, identity=None), at(61))
    made.report(Sent("done"), DOWN, at(62))
    assert [event.name for event in told(made.advance(WORKS, at(63)))] == [EventName.RESTART_PRODUCTIVE]


def test_the_managers_word_on_the_new_process_is_taken_while_it_is_verified_and_only_of_another_one() -> None:
    early = restarting()
    assert early.report(Renewed(NEW), DOWN, at(62)) == []
    made = verifying()
    made.report(Renewed(OLD), DOWN, at(64))
    assert (early.attempts.last.after, made.attempts.last.after) == (None, None)
    before = made.revision
    assert made.report(Renewed(NEW), DOWN, at(65)) == []
    assert (made.attempts.last.after, made.attempts.last.since_ns, made.revision) == (NEW, ns(65), before + 1)
    assert made.attempts.history[-1].process_after_s == 4.0
    made.report(Renewed(Identity(102, 9_500.0)), DOWN, at(70))
    assert made.attempts.last.after == NEW, "the first that was seen"


def test_at_the_end_of_its_grace_it_is_looked_at_once_more_and_then_it_was_in_vain() -> None:
    made = verifying()
    assert made.advance(IDLE, Instant(ns(182) - 1, 0, 0)) == []
    assert made.asked_ns is None
    assert made.advance(IDLE, at(182)) == []
    assert made.asked_ns == ns(182)
    assert made.advance(DOWN, Instant(ns(182) + RETRY_NS - 1, 0, 0)) == [], "nobody has looked"
    (event,) = told(made.advance(IDLE, at(183)))
    assert (event.name, event.message) == (
        EventName.RESTART_UNPRODUCTIVE,
        "in vain: no new process within 2m",
    )
    assert (made.phase, made.unproductive, made.due_ns) == (Phase.BACKOFF, 1, ns(183 + 30))
    assert made.attempts.history[-1].outcome is Outcome.UNPRODUCTIVE


def test_where_nobody_can_look_it_was_in_vain_half_a_minute_after_its_grace() -> None:
    made = verifying()
    made.renewed(NEW, ns(64), ns(66))
    made.advance(DOWN, at(182))
    (event,) = told(made.advance(DOWN, at(182 + 30)))
    assert event.message == "in vain: no new work within 2m, pid 100 -> 101"


def test_r5_waits_double_up_to_their_most_and_after_the_last_one_it_gives_up_loudly() -> None:
    made = verifying()
    in_vain(made, 182)
    assert (made.phase, made.next_due_ns(), made.ordinal) == (Phase.BACKOFF, ns(212), "2 of 3")
    again(made, 212)
    in_vain(made, 332)
    assert made.backoff_ns == 50 * S, "twice as long, but no longer than the most"
    assert made.next_due_ns() == ns(382)
    again(made, 400)
    vain, gave_up = in_vain(made, 520)
    assert vain.name is EventName.RESTART_UNPRODUCTIVE
    assert (gave_up.name, gave_up.incident) == (EventName.RESTART_EXHAUSTED, "mind-1")
    assert gave_up.message == "gave up after 3 unproductive restarts: the service is left as it is"
    assert (made.phase, made.unproductive, made.ordinal) == (Phase.EXHAUSTED, 3, "3 of 3")
    assert made.advance(FOUND, at(100_000)) == []


@pytest.mark.parametrize(("second_s", "third_s"), [(250, 250 + 189), (1_000, 1_000 + 120 + 100)])
def test_r5_a_wait_that_was_drawn_out_draws_out_the_next_one_but_not_past_the_longest_there_is(
    second_s: float, third_s: float
) -> None:
    made = verifying(backoff_max_ns=100 * S)
    in_vain(made, 182)
    again(made, second_s)
    in_vain(made, second_s + 120)
    assert (made.backoff_ns, made.next_due_ns()) == (60 * S, ns(third_s))


def test_r5_a_backoff_that_grew_is_not_begun_anew_by_an_incident_that_ends_and_comes_back() -> None:
    made = verifying()
    in_vain(made, 182)
    made.advance(replace(WELL, calm=False), at(190))
    assert made.phase is Phase.IDLE
    made.advance(DOWN, at(195))
    assert (made.phase, made.next_due_ns()) == (Phase.WAITING, ns(255))
    made.advance(WELL, at(200))
    made.due_ns = ns(900)
    made.advance(DOWN, at(205))
    assert made.next_due_ns() == ns(900)


def test_in_backoff_it_goes_on_while_its_incident_is_open_though_it_is_not_down_for_a_moment() -> None:
    made = verifying()
    in_vain(made, 182)
    made.advance(Sight(incident="mind-1"), at(190))
    assert made.phase is Phase.BACKOFF
    made.advance(DOWN, at(212))
    assert made.asked_ns == ns(212)


def test_a_deed_that_fails_is_one_in_vain_and_has_the_grace_before_the_next() -> None:
    made = restarting()
    (event,) = told(made.report(Failed("no such unit"), DOWN, at(62)))
    assert (event.name, event.message) == (EventName.RESTART_UNPRODUCTIVE, "the restart failed: no such unit")
    assert (made.phase, made.unproductive, made.next_due_ns()) == (Phase.BACKOFF, 1, ns(182))
    assert made.attempts.history[-1].outcome is Outcome.FAILED


def test_a_hand_that_was_kept_off_counts_for_nothing_and_is_stretched_out_again_half_a_minute_later() -> None:
    made = restarting()
    (event,) = told(made.report(Withheld("somebody stopped it"), DOWN, at(62)))
    assert event.message == "restart withheld: somebody stopped it"
    assert event.data == {"method": "signal", "reason": "somebody stopped it"}
    assert (made.phase, made.retry_ns, made.unproductive) == (Phase.IDLE, ns(92), 0)
    assert made.budget.left(at(62).boot_ns) == 5
    assert [*made.attempts.history] == []
    made.advance(DOWN, at(63))
    assert (made.phase, made.withheld, made.next_due_ns()) == (Phase.WAITING, "somebody stopped it", ns(92))
    made.advance(DOWN, at(92))
    made.advance(FOUND, at(93))
    assert made.report(Withheld("somebody stopped it"), DOWN, at(94)) == [], "told once"
    assert made.report(Withheld("and another"), DOWN, at(95)) == [], "what comes too late is not taken"
    made.advance(DOWN, at(130))
    made.advance(DOWN, at(130))
    made.advance(FOUND, at(130))
    assert len(made.report(Withheld("and another"), DOWN, at(131))) == 1, "another reason"


def test_a_hand_that_was_kept_off_after_one_in_vain_leaves_it_in_backoff_and_the_wait_before_as_it_was() -> None:
    made = verifying()
    in_vain(made, 182)
    made.advance(DOWN, at(212))
    made.advance(FOUND, at(212))
    made.report(Withheld("no"), DOWN, at(213))
    assert (made.phase, made.retry_ns, made.attempts.last.began) == (Phase.BACKOFF, ns(243), at(61))
    made.advance(DOWN, at(243))
    made.advance(FOUND, at(243))
    assert made.gap_ns == (243 - 61) * S, "counted from the one that was made"


def test_an_operators_restart_that_was_kept_off_is_told_each_time_and_gives_no_budget_back() -> None:
    made = governor()
    made.budget.spend(at(0).boot_ns)
    for asked_s in (10, 50):
        made.order("ann", "try", WELL, at(asked_s))
        assert len(made.report(Withheld("no"), WELL, at(asked_s))) == 1
    assert made.budget.left(at(50).boot_ns) == 4
    assert made.phase is Phase.IDLE


def test_an_operators_restart_is_the_next_one_with_its_author_and_its_reason_and_spends_no_budget() -> None:
    made = governor()
    assert made.order("ann", "new model", FOUND, at(10)) == [Restart("mind", 1, False, "ann", "new model", OLD)]
    assert made.attempts.last == Attempt(1, at(10), automatic=False, before=OLD, blamed=("beat",), since_ns=ns(10))
    assert made.budget.left(at(10).boot_ns) == 5
    (event,) = told(made.report(Sent("SIGTERM"), WELL, at(11)))
    assert event.message == "restarted by ann: SIGTERM"
    assert (event.data["author"], event.data["reason"], event.data["automatic"]) == ("ann", "new model", False)


def test_r2_an_operators_restart_is_refused_while_one_is_in_flight_and_in_the_grace_of_the_last() -> None:
    made = verifying()
    for wanted_s in (63, 181):
        with pytest.raises(NotPossibleError) as refused:
            made.order("ann", "", DOWN, at(wanted_s))
        assert str(refused.value) == "a restart of mind is in flight: verifying"
    made.renewed(NEW, ns(64), ns(66))
    made.advance(WORKS, at(81))
    with pytest.raises(NotPossibleError) as refused:
        made.order("ann", "", WELL, at(131))
    assert str(refused.value) == "the last restart of mind is still in its grace: 1:10 left"
    with pytest.raises(NotPossibleError):
        made.order("ann", "", WELL, Instant(ns(201) - 1, 0, 0))
    assert made.phase is Phase.IDLE
    (effect,) = made.order("ann", "", WELL, at(201))
    assert isinstance(effect, Restart)
    assert effect.attempt == 2


def exhausted() -> Governor:
    made = verifying(max_unproductive=1)
    in_vain(made, 182)
    assert made.phase is Phase.EXHAUSTED
    return made


def test_one_that_gave_up_begins_anew_by_an_operators_restart_or_by_rearming_and_its_budget_stays_spent() -> None:
    ordered, rearmed = exhausted(), exhausted()
    ordered.order("ann", "", DOWN, at(200))
    assert (ordered.phase, ordered.unproductive, ordered.gap_ns) == (Phase.RESTARTING, 0, 0)
    before = rearmed.revision
    rearmed.rearm()
    assert (rearmed.phase, rearmed.unproductive, rearmed.backoff_ns) == (Phase.IDLE, 0, 0)
    assert rearmed.revision == before + 2
    assert rearmed.budget.left(at(200).boot_ns) == 4
    with pytest.raises(NotPossibleError) as refused:
        rearmed.rearm()
    assert str(refused.value) == "the restarts of mind are not exhausted: idle"


def test_an_operators_restart_of_one_that_has_not_given_up_leaves_the_counts_as_they_are() -> None:
    made = verifying()
    in_vain(made, 182)
    made.order("ann", "", DOWN, at(190))
    assert (made.unproductive, made.gap_ns) == (1, (190 - 61) * S)


def test_r5_r6_the_counts_fall_back_after_a_whole_grace_of_calm_and_an_unquiet_moment_begins_it_anew() -> None:
    made = exhausted()
    made.advance(WELL, at(200))
    assert (made.calm_ns, made.next_ns(ns(201))) == (ns(200), ns(320))
    made.advance(replace(WELL, calm=False), at(300))
    assert made.calm_ns is None
    made.advance(WELL, at(310))
    made.advance(WELL, Instant(ns(430) - 1, 0, 0))
    assert (made.phase, made.unproductive) == (Phase.EXHAUSTED, 1)
    before = made.revision
    made.advance(WELL, at(430))
    assert (made.phase, made.unproductive, made.is_at_rest, made.revision) == (Phase.IDLE, 0, True, before + 2)


def test_calm_while_a_restart_is_in_flight_is_none() -> None:
    made = verifying()
    made.advance(replace(WELL, identity=OLD), at(63))
    assert made.calm_ns is None


def test_what_was_told_may_be_told_again_after_a_whole_grace_of_calm() -> None:
    made = governor()
    made.order("ann", "", WELL, at(0))
    made.report(Withheld("no"), WELL, at(0))
    assert not made.is_at_rest
    made.advance(WELL, at(10))
    assert made.next_ns(ns(11)) == ns(130)
    before = made.revision
    made.advance(WELL, at(130))
    assert (made.is_at_rest, made.revision) == (True, before + 1)
    made.advance(WELL, at(500))
    assert made.revision == before + 1, "nothing to forget any more"
    assert made.next_ns(ns(501)) is None


def test_without_automatic_one_in_vain_is_told_counts_for_nothing_and_is_over_at_once() -> None:
    made = governor(automatic=False)
    assert made.advance(DOWN, at(0)) == made.advance(FOUND, at(600)) == []
    made.order("ann", "", DOWN, at(600))
    made.report(Sent("SIGTERM"), DOWN, at(600))
    assert [event.name for event in in_vain(made, 720)] == [EventName.RESTART_UNPRODUCTIVE]
    assert (made.unproductive, made.phase) == (0, Phase.IDLE)
    made.advance(DOWN, at(721))
    assert made.phase is Phase.IDLE


def test_t2_time_in_which_we_did_not_run_is_in_no_wait_and_no_grace_ends_right_after_it() -> None:
    waits, rests, tried, verifies, late = due(), verifying(), restarting(), verifying(), verifying()
    waits.excuse(100 * S, ns(170))
    assert waits.due_ns == ns(160)
    waits.advance(WELL, at(171))
    rests.excuse(100 * S, ns(170))
    assert rests.rest_until_ns == ns(282)
    tried.report(Withheld("no"), DOWN, at(62))
    tried.excuse(100 * S, ns(170))
    assert tried.retry_ns == ns(192)
    verifies.excuse(10 * S, ns(73))
    assert verifies.attempts.last.verify_until_ns == ns(193)
    late.excuse(10 * S, ns(180))
    assert late.attempts.last.verify_until_ns == ns(180 + 120)
    late.attempts.last.verify_until_ns = ns(900)  # a start of our own has prolonged it
    late.excuse(10 * S, ns(200))
    assert late.attempts.last.verify_until_ns == ns(910)


def test_t2_how_long_it_was_down_is_counted_without_a_stall_of_ours() -> None:
    made = governor(automatic=False)
    made.advance(DOWN, at(0))
    made.excuse(100 * S, ns(100))
    made.follow(SPEC)
    made.advance(DOWN, at(110))
    assert made.next_due_ns() == ns(100 + 60)
    well = governor()
    well.excuse(100 * S, ns(100))
    well.advance(DOWN, at(110))
    assert well.next_due_ns() == ns(110 + 60)


def test_what_is_configured_anew_holds_from_the_next_decision_on() -> None:
    made = verifying()
    made.follow(replace(SPEC, method="docker", max_restarts=1, window_ns=60 * S, max_unproductive=1))
    assert made.budget.left(at(62).boot_ns) == 0
    assert made.budget.left(at(121).boot_ns) == 1
    vain, gave_up = in_vain(made, 182)
    assert (vain.data["method"], gave_up.name) == ("docker", EventName.RESTART_EXHAUSTED)
    off = due()
    off.follow(replace(SPEC, automatic=False))
    assert off.advance(FOUND, at(61)) == []
    assert off.phase is Phase.IDLE


def test_it_says_when_it_is_to_be_shown_its_component_next() -> None:
    made = governor()
    assert made.next_ns(ns(0)) is None
    made.advance(DOWN, at(0))
    assert made.next_ns(ns(0)) == ns(60)
    assert made.next_ns(ns(80)) == ns(80) + POLL_NS == ns(81)
    made = restarting()
    assert made.next_ns(ns(61)) is None
    made.report(Sent("done"), DOWN, at(62))
    assert made.next_ns(ns(70)) == ns(182)
    assert made.next_ns(ns(190)) == ns(190)
    made.advance(DOWN, at(190))
    assert made.next_ns(ns(190)) == ns(220)
    made.advance(IDLE, at(191))
    assert made.next_ns(ns(191)) == ns(221)
    assert exhausted().next_ns(ns(200)) is None


def test_a_dry_run_says_so_in_every_word_and_to_it_every_restart_is_one_in_vain() -> None:
    made = due(dry_run=True)
    (event,) = told(made.advance(FOUND, at(61)))
    assert event.message == "dry run: restarted, 1 of 3: dry run: nothing was done"
    assert (made.phase, made.brings(NEW)) == (Phase.VERIFYING, False)
    made.renewed(NEW, ns(64), ns(66))
    assert made.advance(WORKS, at(70)) == []
    (vain,) = in_vain(made, 181)
    assert vain.message.startswith("dry run: in vain: no new work within 2m")


def test_r4_with_no_budget_left_it_keeps_back_and_says_until_when() -> None:
    made = verifying(max_restarts=1)
    in_vain(made, 182)
    (event,) = told(made.advance(DOWN, at(212)))
    assert event.message.startswith("restart withheld: 1 restart within 1d spent, none until ")
    assert made.asked_ns is None
    assert made.advance(DOWN, at(400)) == []
    made.advance(DOWN, at(61 + 86_400))
    assert made.asked_ns == ns(61 + 86_400)
