"""What a component shows its governor, read off its checks: who fails, who was looked at, who works (R1, R3, R9)."""

import pytest

from lifesign.core.evidence import (
    failed,
    grace_left_ns,
    is_calm,
    is_looked_at,
    last_look,
    needs_a_look,
    witnesses,
    works_since,
)
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import ComponentState, Layer, Observation, WorkSignal
from lifesign.core.sight import LastLook
from lifesign.core.spec import CheckSpec, SignalPolicy
from lifesign.core.tracked import TrackedCheck
from tests.core.stage import FAIL, OK, START, S, Stage, check, component

PORT = check("port", grace_ns=0, failure_threshold=1, success_threshold=1)
PAGE = check("page", grace_ns=0, failure_threshold=1, success_threshold=1)
EXTRA = check("extra", grace_ns=0, failure_threshold=1, optional=True)
BEAT = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, failure_threshold=1, signal=SignalPolicy(100 * S))
REFUSED = Observation(FAIL, "refused")


def held(*specs: CheckSpec, broken: tuple[str, ...] = ()) -> tuple[Stage, TrackedComponent]:
    """After one round of looks."""
    stage = Stage(component("mind", *specs))
    for name in broken:
        stage.world["mind", name] = REFUSED
    if BEAT in specs and "beat" not in broken:
        stage.world["mind", "beat"] = Observation(OK, signal=WorkSignal(START.wall_ns))
    return stage.run(2), stage.monitor.components["mind"]


def names(checks: list[TrackedCheck]) -> list[str]:
    return [one.spec.name for one in checks]


def test_those_take_it_down_that_failed_and_are_not_optional() -> None:
    _, made = held(PORT, PAGE, EXTRA, broken=("page", "extra"))
    assert names(failed(made)) == ["page"]


@pytest.mark.parametrize(
    ("state", "calm"),
    [
        (ComponentState.HEALTHY, True),
        (ComponentState.DEGRADED, True),
        (ComponentState.DOWN, False),
        (ComponentState.UNKNOWN, False),
        (ComponentState.STARTING, False),
        (ComponentState.PAUSED, False),
    ],
)
def test_it_is_calm_while_nothing_is_wrong_and_somebody_knows(state: ComponentState, calm: bool) -> None:
    _, made = held(PORT)
    made.state = state
    assert is_calm(made) is calm
    down = held(PORT, broken=("port",))[1]
    down.state = state
    assert not is_calm(down), "its incident is open"


def test_nothing_may_be_condemned_until_the_last_of_their_graces_is_over() -> None:
    stage, made = held(PORT, PAGE)
    made.checks["port"].machine.grace_ends_ns = stage.now.mono_ns + 5 * S
    made.checks["page"].machine.grace_ends_ns = stage.now.mono_ns + 9 * S
    assert grace_left_ns(made.checks.values(), stage.now.mono_ns) == 9 * S
    assert grace_left_ns([], stage.now.mono_ns) == 0


def test_r1_a_last_look_counts_once_everything_that_failed_was_looked_at_since_it_was_asked_for() -> None:
    stage, made = held(PORT, PAGE, broken=("port", "page"))
    both, now_ns = failed(made), stage.now.mono_ns
    assert last_look(both, None, now_ns) is LastLook.AWAITED
    assert last_look(both, now_ns, now_ns) is LastLook.AWAITED
    stage.tell("mind", "port", REFUSED)
    assert last_look(both, now_ns, now_ns) is LastLook.AWAITED, "one of two"
    stage.tell("mind", "page", REFUSED)
    assert last_look(both, now_ns, now_ns) is LastLook.FAILS
    assert last_look(both, now_ns, now_ns + 2 * S) is LastLook.FAILS
    assert last_look(both, now_ns, now_ns + 2 * S + 1) is LastLook.OLD
    assert last_look([], now_ns, now_ns) is LastLook.PASSES
    stage.tell("mind", "page", Observation(OK))
    assert last_look(both, now_ns, now_ns) is LastLook.PASSES, "not everything fails any more"


def test_the_newest_of_several_last_looks_tells_how_old_they_are() -> None:
    stage, made = held(PORT, PAGE, broken=("port", "page"))
    both, asked_ns = failed(made), stage.now.mono_ns
    stage.tell("mind", "port", REFUSED)
    stage.run(1.5).tell("mind", "page", REFUSED)
    assert last_look(both, asked_ns, stage.now.mono_ns + 2 * S) is LastLook.FAILS


def test_what_answers_at_once_is_looked_at_anew_where_its_last_look_is_older_than_two_seconds() -> None:
    stage, made = held(PORT, BEAT)
    port, beat, now_ns = made.checks["port"], made.checks["beat"], stage.now.mono_ns
    seen_ns = beat.observed_ns
    assert not needs_a_look(beat, seen_ns, seen_ns + 2 * S)
    assert needs_a_look(beat, seen_ns, seen_ns + 2 * S + 1)
    assert not needs_a_look(port, port.looked_ns, now_ns + 600 * S)
    assert needs_a_look(port, port.looked_ns + 1, now_ns)


@pytest.mark.parametrize(
    ("specs", "blamed", "proving"),
    [
        ((PORT, PAGE, EXTRA), ("page",), ["page"]),
        ((PORT, PAGE, BEAT), ("page",), ["page", "beat"]),
        ((PORT, PAGE, EXTRA), (), ["port", "page"]),
        ((PORT, PAGE, EXTRA), ("gone",), ["port", "page"]),
        ((PORT, EXTRA), ("extra",), ["port"]),
        ((EXTRA,), (), ["extra"]),
        ((PORT, BEAT), (), ["beat"]),
    ],
)
def test_those_who_were_to_blame_and_those_of_work_can_prove_it_else_all_that_are_required(
    specs: tuple[CheckSpec, ...], blamed: tuple[str, ...], proving: list[str]
) -> None:
    assert names(witnesses(held(*specs)[1], blamed)) == proving


def test_it_works_again_once_every_witness_passes_by_what_was_looked_at_since() -> None:
    stage, made = held(PORT, PAGE)
    since_ns = min(one.looked_ns for one in made.checks.values())
    assert works_since(made, (), since_ns)
    assert not works_since(made, (), since_ns + 1)
    assert not works_since(made, (), max(one.looked_ns for one in made.checks.values()) + 1)
    stage.tell("mind", "page", REFUSED)
    assert not works_since(made, (), since_ns)
    assert works_since(made, ("port",), made.checks["port"].looked_ns)


def test_it_is_looked_at_once_every_witness_was_since_that_was_asked_for() -> None:
    _, made = held(PORT, PAGE)
    first, second = sorted(one.looked_ns for one in made.checks.values())
    assert first < second
    assert is_looked_at(made, (), first)
    assert not is_looked_at(made, (), second)
    assert not is_looked_at(made, (), None)
