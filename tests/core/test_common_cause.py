"""One common cause, alone: who counts, how long it is suspected, and who waits for whom afterwards (R7)."""

import pytest

from lifesign.core.common_cause import HOLDS_NS, WITHIN_NS, CommonCause, announced
from lifesign.core.events import Event, EventName
from tests.core.stage import START, S


def down(cause: CommonCause, *moments: tuple[str, float], of: int = 5) -> list[Event]:
    """These go down, each so many seconds after the start; what the last of them tells."""
    told: list[Event] = []
    for name, elapsed_s in moments:
        told = cause.went_down(name, of, START.after(round(elapsed_s * S)))
    return told


def suspected() -> CommonCause:
    cause = CommonCause(START.mono_ns)
    assert len(down(cause, ("c", 0), ("a", 1), ("b", 2))) == 1
    return cause


def test_three_and_over_half_within_ten_seconds_are_told_by_name() -> None:
    cause = CommonCause(START.mono_ns)
    assert down(cause, ("c", 0)) == down(cause, ("a", 1)) == []
    assert not cause.is_suspected(START.mono_ns)
    (event,) = down(cause, ("b", 10))
    assert event == Event(
        EventName.OBSERVER_SUSPECT,
        START.wall_ns + 10 * S,
        message="3 of 5 components went down within 10 s: one common cause",
        data={"components": ["a", "b", "c"]},
    )
    assert cause.together == {"a", "b", "c"}
    assert cause.until_ns == START.mono_ns + 10 * S + HOLDS_NS
    assert (HOLDS_NS, WITHIN_NS) == (600 * S, 10 * S)


@pytest.mark.parametrize(
    ("moments", "of", "common"),
    [
        ([("a", 0), ("b", 1)], 2, False),
        ([("a", 0), ("b", 1), ("c", 2)], 6, False),
        ([("a", 0), ("b", 1), ("c", 2)], 5, True),
        ([("a", 0), ("b", 1), ("c", 10)], 3, True),
        ([("a", 0), ("b", 1), ("c", 10.000_000_001)], 3, False),
        ([("a", 0), ("b", 1), ("c", 12)], 3, False),
        ([("a", 0), ("b", 1), ("b", 2)], 3, False),
        ([("a", 0), ("b", 8), ("a", 9), ("c", 11)], 3, True),
    ],
)
def test_who_counts(moments: list[tuple[str, float]], of: int, common: bool) -> None:
    cause = CommonCause(START.mono_ns)
    assert bool(down(cause, *moments, of=of)) is common
    assert cause.is_suspected(START.mono_ns + 12 * S) is common


def test_another_one_while_it_is_suspected_joins_those_that_wait_and_is_not_told() -> None:
    cause = suspected()
    assert down(cause, ("d", 3)) == []
    assert cause.together == {"a", "b", "c", "d"}
    assert down(cause, ("e", 300)) == [], "by itself, it is no part of it"
    assert cause.together == {"a", "b", "c", "d"}


def test_one_that_went_down_long_before_the_others_is_none_of_them() -> None:
    cause = CommonCause(START.mono_ns)
    (event,) = down(cause, ("z", 0), ("a", 20), ("b", 21), ("c", 22))
    assert event.data == {"components": ["a", "b", "c"]}
    assert cause.together == {"a", "b", "c"}


def test_it_is_suspected_until_one_recovers_and_the_others_still_wait_for_each_other() -> None:
    cause = suspected()
    end_ns = START.mono_ns + 2 * S + HOLDS_NS
    assert cause.is_suspected(end_ns - 1)
    assert not cause.is_suspected(end_ns)
    cause.recovered("a", START.mono_ns + 30 * S)
    assert cause.is_suspected(START.mono_ns + 30 * S - 1)
    assert not cause.is_suspected(START.mono_ns + 30 * S)
    assert cause.together == {"b", "c"}
    cause.recovered("b", START.mono_ns + 900 * S)
    assert (cause.together, cause.until_ns) == ({"c"}, START.mono_ns + 30 * S), "a later one prolongs nothing"
    cause.recovered("stranger", START.mono_ns + 901 * S)
    assert cause.together == {"c"}


def test_a_recovery_after_its_time_does_not_prolong_it() -> None:
    cause = suspected()
    cause.recovered("a", START.mono_ns + 2 * S + HOLDS_NS + S)
    assert cause.until_ns == START.mono_ns + 2 * S + HOLDS_NS


def test_what_is_no_longer_in_the_config_is_forgotten_and_nobody_else_joins() -> None:
    cause = suspected()
    cause.keep(["a", "b", "new"])
    assert cause.together == {"a", "b"}
    fresh = CommonCause(START.mono_ns)
    down(fresh, ("a", 0), ("b", 1))
    fresh.keep(["b", "c", "d"])
    assert down(fresh, ("c", 2), of=3) == []
    assert down(fresh, ("d", 3), of=3) != []


def test_over_our_own_death_those_that_wait_for_each_other_still_do_until_the_latest_end() -> None:
    cause = CommonCause(START.mono_ns)
    cause.recall("a", START.mono_ns + 50 * S)
    cause.recall("b", START.mono_ns + 40 * S)
    assert (cause.together, cause.until_ns) == ({"a", "b"}, START.mono_ns + 50 * S)
    over = CommonCause(START.mono_ns)
    over.recall("a", START.mono_ns - S)
    assert not over.is_suspected(START.mono_ns)


def test_of_one_round_most_that_went_down_are_announced_all_of_them() -> None:
    events = [Event(EventName.COMPONENT_DOWN, 0, name, incident=f"{name}-1") for name in "dbac"]
    events.insert(2, Event(EventName.COMPONENT_RECOVERED, 0, "e", incident="e-1"))
    (told,) = announced(events, 6, START)
    assert (told.name, told.data) == (EventName.OBSERVER_SUSPECT, {"components": ["a", "b", "c", "d"]})
    assert announced(events, 8, START) == [], "half of them is not most"
    assert announced(events[:2], 2, START) == [], "two are too few"
