"""Roll-up: every mix of checks and components, against the tables of the contract read line by line."""

from itertools import combinations_with_replacement, product

import pytest

from lifesign.core.component import overall_state
from lifesign.core.model import CheckState, ComponentState, Layer, Observation, Verdict
from tests.core.stage import FAIL, OK, UNKNOWN, S, Stage, check, component

# How to bring a fresh check into each state, by what it is told (no grace, three failures condemn, unknown after 25 s).
WAYS: dict[CheckState, tuple[Verdict, ...]] = {
    CheckState.PASSING: (OK, OK, OK),
    CheckState.WARNING: (OK, OK, Verdict.WARN),
    CheckState.FAILING: (OK, FAIL, FAIL),
    CheckState.FAILED: (FAIL, FAIL, FAIL),
    CheckState.UNKNOWN: (UNKNOWN, UNKNOWN, UNKNOWN),
    CheckState.PENDING: (UNKNOWN, UNKNOWN, UNKNOWN),
}


def expected_of(checks: list[tuple[CheckState, bool]]) -> ComponentState:
    """The table of section 3, worst first."""
    if any(state is CheckState.FAILED and not optional for state, optional in checks):
        return ComponentState.DOWN
    if any(state is CheckState.UNKNOWN and not optional for state, optional in checks):
        return ComponentState.UNKNOWN
    if any(state in ("failing", "warning", "failed", "unknown") for state, _ in checks):
        return ComponentState.DEGRADED
    if any(state is CheckState.PENDING for state, _ in checks):
        return ComponentState.STARTING
    return ComponentState.HEALTHY


KINDS = list(product(CheckState, (False, True)))


@pytest.mark.parametrize("first", KINDS, ids=lambda kind: f"{kind[0]}{'-optional' if kind[1] else ''}")
def test_the_state_of_a_component_is_the_worst_that_is_true_of_its_checks(first: tuple[CheckState, bool]) -> None:
    for others in combinations_with_replacement(KINDS, 1):
        wanted = [first, *others]
        specs = [
            check(
                f"c{number}",
                optional=optional,
                grace_ns=600 * S if state is CheckState.PENDING else 0,
                interval_ns=10 * S,
            )
            for number, (state, optional) in enumerate(wanted)
        ]
        stage = Stage(component("mind", *specs))
        for number in range(len(wanted)):
            stage.world["mind", f"c{number}"] = None  # what it is told is all that counts
        for step in range(3):
            for number, (state, _) in enumerate(wanted):
                stage.tell("mind", f"c{number}", Observation(WAYS[state][step]))
            stage.run(9)
        assert [stage.check_state("mind", f"c{number}") for number in range(len(wanted))] == [s for s, _ in wanted]
        assert stage.state("mind") is expected_of(wanted)


def test_a_layer_shows_the_worst_of_its_checks_and_nothing_where_it_has_none() -> None:
    stage = Stage(
        component(
            "mind",
            check("process", Layer.ALIVE, grace_ns=0),
            check("port", Layer.READY, grace_ns=0),
            check("page", Layer.READY, grace_ns=0),
        )
    )
    stage.world["mind", "page"] = Observation(FAIL)
    stage.look_now().run(0)
    assert stage.view("mind").layers == {
        Layer.STARTABLE: None,
        Layer.ALIVE: CheckState.PASSING,
        Layer.READY: CheckState.FAILING,
        Layer.WORKING: None,
    }


def test_a_component_without_a_check_is_unknown_for_nobody_looks() -> None:
    stage = Stage(component("mind"))
    assert stage.state("mind") is ComponentState.UNKNOWN
    assert stage.view("mind").diagnosis == "nobody looks: no check of it can be run"


def expected_whole(components: list[tuple[ComponentState, bool]], *, works: bool) -> ComponentState:
    """Section 3: overall."""
    counted = [(state, optional) for state, optional in components if state is not ComponentState.PAUSED]
    if any(state is ComponentState.DOWN and not optional for state, optional in counted):
        return ComponentState.DOWN
    if not counted or not works or any(state is ComponentState.UNKNOWN and not optional for state, optional in counted):
        return ComponentState.UNKNOWN
    capped = [
        ComponentState.DEGRADED if optional and state in (ComponentState.DOWN, ComponentState.UNKNOWN) else state
        for state, optional in counted
    ]
    for state in (ComponentState.DEGRADED, ComponentState.STARTING):
        if state in capped:
            return state
    return ComponentState.HEALTHY


def test_the_whole_follows_its_components_in_every_mix_of_three() -> None:
    kinds = list(product(ComponentState, (False, True)))
    for count in range(4):
        for mix in combinations_with_replacement(kinds, count):
            for works in (True, False):
                assert overall_state(mix, monitor_works=works) is expected_whole(list(mix), works=works), (mix, works)


def test_an_optional_component_that_is_down_never_turns_the_whole_down() -> None:
    stage = Stage(component("mind", check(grace_ns=0)), component("tools", check(grace_ns=0), optional=True))
    stage.world["tools", "port"] = Observation(FAIL)
    stage.run(60)
    assert stage.state("tools") is ComponentState.DOWN
    assert stage.monitor.view(stage.now).overall is ComponentState.DEGRADED


def test_a_blip_never_turns_the_whole_down_and_the_third_failure_does() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    stage.run(20)
    stage.world["mind", "port"] = Observation(FAIL)
    seen = []
    for _ in range(3):
        stage.run(10)
        seen.append(stage.monitor.view(stage.now).overall)
    assert seen == [ComponentState.DEGRADED, ComponentState.DEGRADED, ComponentState.DOWN]


def test_s10_a_dependency_that_is_down_is_named_and_turns_no_row_green() -> None:
    stage = Stage(
        component("gateway", check(grace_ns=0)),
        component("mind", check(grace_ns=0), depends_on=("gateway",)),
        component("voice", check(grace_ns=0), depends_on=("mind", "gateway")),
    )
    alone = Stage(component("gateway", check(grace_ns=0)), component("mind", check(grace_ns=0)))
    for watched in (stage, alone):
        watched.world["mind", "port"] = Observation(FAIL)
        watched.run(60)
    assert stage.view("mind").suppressed_by is None
    assert stage.view("voice").suppressed_by == "mind"
    for watched in (stage, alone):
        watched.world["gateway", "port"] = Observation(FAIL)
        watched.run(60)
    assert stage.view("mind").suppressed_by == "gateway"
    assert stage.view("voice").suppressed_by == "mind"
    assert stage.view("gateway").suppressed_by is None
    for name in ("gateway", "mind"):
        assert stage.state(name) is alone.state(name) is ComponentState.DOWN
        assert stage.names(name) == alone.names(name)
    stage.world["gateway", "port"] = Observation(OK)
    stage.run(60)
    assert stage.view("mind").suppressed_by is None
