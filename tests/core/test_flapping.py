"""Flapping by a time window, against a model that counts the whole history (S6)."""

from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.events import EventName
from lifesign.core.flapping import FlapDetector
from lifesign.core.model import ComponentState, Observation
from tests.core import naive
from tests.core.stage import FAIL, OK, S, Stage, check, component

WINDOW = 600 * S


def test_so_many_changes_within_the_window_are_flapping_and_one_fewer_are_not() -> None:
    flaps = FlapDetector(4, WINDOW)
    for number in range(4):
        flaps.observe(ok=number % 2 == 0, now_ns=number * 10 * S)
    assert not flaps.flapping
    flaps.observe(ok=True, now_ns=40 * S)
    assert flaps.flapping


def test_changes_that_are_a_window_apart_are_not_flapping() -> None:
    flaps = FlapDetector(4, WINDOW)
    for number in range(40):
        flaps.observe(ok=number % 2 == 0, now_ns=number * 200 * S)
        assert not flaps.flapping
    quick = FlapDetector(4, WINDOW)
    for number in range(5):
        quick.observe(ok=number % 2 == 0, now_ns=number * 199 * S)
    assert quick.flapping


def test_it_ends_once_a_window_holds_fewer_than_half_of_them_and_says_when() -> None:
    flaps = FlapDetector(4, WINDOW)
    for number in range(5):
        flaps.observe(ok=number % 2 == 0, now_ns=number * 10 * S)
    assert flaps.next_change_ns() == 30 * S + WINDOW
    flaps.advance(30 * S + WINDOW - 1)
    assert flaps.flapping
    flaps.advance(30 * S + WINDOW)
    assert not flaps.flapping
    assert flaps.next_change_ns() is None


def test_a_hundred_equal_results_are_no_change() -> None:
    flaps = FlapDetector(2, WINDOW)
    for number in range(100):
        flaps.observe(ok=False, now_ns=number * S)
    assert not flaps.flapping
    assert flaps.count(100 * S) == 0


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=80), st.integers(2, 9), st.integers(10, 400))
def test_s6_flapping_is_what_the_whole_history_says(
    script: list[tuple[int, bool]], changes: int, window_s: int
) -> None:
    flaps = FlapDetector(changes, window_s * S)
    seen: list[tuple[int, bool]] = []
    now_ns = 0
    for pause_s, ok in script:
        between_ns = now_ns + pause_s * S // 2
        flaps.advance(between_ns)
        assert flaps.flapping is naive.is_flapping(seen, changes, window_s * S, between_ns)
        now_ns += pause_s * S
        flaps.observe(ok=ok, now_ns=now_ns)
        seen.append((now_ns, ok))
        assert flaps.flapping is naive.is_flapping(seen, changes, window_s * S, now_ns)
        if flaps.flapping:
            end_ns = flaps.next_change_ns()
            assert end_ns is not None
            assert naive.is_flapping(seen, changes, window_s * S, end_ns - 1)
            assert not naive.is_flapping(seen, changes, window_s * S, end_ns)


def alternate(stage: Stage, times: int) -> None:
    """Looks ten seconds apart find ok and fail in turn."""
    for number in range(times):
        verdict = OK if number % 2 else FAIL
        stage.world["gateway", "port"] = Observation(verdict, "")
        stage.run(10)


def test_s6_alternating_results_are_reported_once_degrade_and_open_no_incident() -> None:
    stage = Stage(component("gateway", check(flap_changes=6, flap_window_ns=300 * S, grace_ns=0)))
    stage.run(20)
    alternate(stage, 12)
    stage.run(10)
    assert stage.names("gateway").count(EventName.COMPONENT_FLAPPING) == 1
    assert EventName.COMPONENT_DOWN not in stage.names("gateway")
    assert stage.view("gateway").flapping
    assert stage.state("gateway") is ComponentState.DEGRADED
    stage.world["gateway", "port"] = Observation(OK, "")
    stage.run(250)
    assert stage.view("gateway").flapping
    stage.run(60)
    assert not stage.view("gateway").flapping
    assert stage.state("gateway") is ComponentState.HEALTHY


def test_s6_while_it_flaps_the_incident_stays_open_however_often_it_changes() -> None:
    eager = check(flap_changes=6, flap_window_ns=300 * S, grace_ns=0, failure_threshold=1, success_threshold=1)
    stage = Stage(component("gateway", eager))
    stage.run(20)
    alternate(stage, 8)
    assert stage.view("gateway").flapping
    so_far = len(stage.events)
    alternate(stage, 30)
    later = [event.name for event in stage.events[so_far:]]
    assert later.count(EventName.COMPONENT_DOWN) <= 1
    assert EventName.COMPONENT_RECOVERED not in later
    stage.world["gateway", "port"] = Observation(OK, "")
    stage.run(320)
    assert stage.names("gateway")[-2:] == [EventName.COMPONENT_RECOVERED, EventName.COMPONENT_HEALTHY]


def test_a_calm_that_nobody_saw_ended_it_before_the_change_that_follows() -> None:
    flaps = FlapDetector(2, 10 * S)
    for at_s, ok in ((1, False), (2, True), (3, False)):
        flaps.observe(ok=ok, now_ns=at_s * S)
    assert flaps.flapping
    flaps.observe(ok=True, now_ns=14 * S)
    assert not flaps.flapping


def test_a_change_in_the_very_moment_in_which_an_old_one_leaves_the_window_takes_its_place() -> None:
    flaps = FlapDetector(3, 85 * S)
    for at_s, ok in ((1, False), (2, True), (3, False), (28, True), (88, False)):
        flaps.observe(ok=ok, now_ns=at_s * S)
    assert flaps.flapping
