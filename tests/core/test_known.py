"""Which views are not right any more is found without looking at those that are."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lifesign.core.known import Known
from lifesign.core.model import Observation
from lifesign.core.spec import MonitorSpec
from lifesign.core.view import Fresh, Looked, Standing
from tests.core.stage import FAIL, OK, S, Stage
from tests.core.test_standing import NAMES, stage


def shown(made: Stage, known: Known) -> list[str]:
    """Who has `known` asks; the names of which something was made anew."""
    names = []
    for name, change in made.monitor.changes(made.now, known, ages=False).components.items():
        assert isinstance(change, Fresh | Looked)
        known.learn(name, change.standing)
        names.append(name)
    return names


def outdated(made: Stage, known: Known, *, ages: bool = False) -> list[str]:
    return sorted(made.monitor.outdated(made.now, known, ages=ages))


@pytest.fixture
def made() -> Stage:
    return stage()


@pytest.fixture
def known(made: Stage) -> Known:
    known = Known()
    assert shown(made, known) == NAMES
    assert outdated(made, known) == []
    return known


def test_who_knows_nothing_lacks_everything(made: Stage) -> None:
    assert outdated(made, Known()) == NAMES


@pytest.mark.parametrize(
    "change",
    [
        lambda held, made: held._replace(revision=held.revision - 1),
        lambda held, made: held._replace(until_ns=made.now.mono_ns),
        lambda held, made: held._replace(suppressed_by="gateway"),
    ],
)
def test_a_view_that_is_no_longer_right_is_the_only_one_found(
    made: Stage, known: Known, change: Callable[[Standing, Stage], Standing]
) -> None:
    known.learn("mind", change(known.standings["mind"], made))
    assert outdated(made, known) == ["mind"]
    assert shown(made, known) == ["mind"]
    assert outdated(made, known) == []


@pytest.mark.parametrize("field", ["wall_ahead_ns", "boot_ahead_ns"])
def test_a_view_that_was_made_by_other_clocks_is_the_only_one_found(made: Stage, known: Known, field: str) -> None:
    held = known.standings["mind"]
    known.learn("mind", held._replace(**{field: getattr(held, field) + 1}))
    assert outdated(made, known) == outdated(made, known) == ["mind"]
    assert shown(made, known) == ["mind"]
    assert outdated(made, known) == []


@pytest.mark.parametrize("clock", ["wall_ns", "boot_ns"])
def test_a_step_of_a_clock_makes_every_view_another(made: Stage, known: Known, clock: str) -> None:
    made.now = replace(made.now, **{clock: getattr(made.now, clock) + S})
    assert shown(made, known) == NAMES
    assert outdated(made, known) == []


@pytest.mark.parametrize("clock", ["wall_ns", "boot_ns"])
def test_after_a_step_of_a_clock_every_view_is_found_until_it_was_made_anew(
    made: Stage, known: Known, clock: str
) -> None:
    made.now = replace(made.now, **{clock: getattr(made.now, clock) + S})
    assert outdated(made, known) == outdated(made, known) == NAMES
    made.monitor.changes(made.now, known, ["voice"], ages=False)  # by somebody who was cancelled before he learnt it
    assert outdated(made, known) == shown(made, known) == NAMES


def test_what_ages_is_told_to_who_asks_for_it_as_long_as_it_ages(made: Stage, known: Known) -> None:
    assert outdated(made, known, ages=True) == ["mind"]
    known.learn("mind", known.standings["mind"]._replace(ages=False))
    assert outdated(made, known, ages=True) == []


def test_a_moment_that_comes_by_itself_is_seen(made: Stage, known: Known) -> None:
    ends_ns = {name: standing.until_ns for name, standing in known.standings.items()}
    first = min(ends_ns, key=lambda name: ends_ns[name])
    made.now = made.now.after(ends_ns[first] - made.now.mono_ns - 1)
    assert outdated(made, known) == []
    made.now = made.now.after(1)
    assert outdated(made, known) == [first]


def test_a_dependency_that_goes_down_is_told_of_what_depends_on_it(made: Stage, known: Known) -> None:
    for _ in range(4):
        made.tell("voice", "port", Observation(FAIL, "refused"))
    assert outdated(made, known) == NAMES
    assert set(shown(made, known)) == set(NAMES)
    made.tell("voice", "port", Observation(OK, "open"))
    assert outdated(made, known) == ["voice"]


def test_who_forgets_a_component_lacks_it_and_another_config_is_followed(made: Stage, known: Known) -> None:
    known.forget("mind")
    assert shown(made, known) == ["mind"]
    made.take(made.monitor.reconfigure(MonitorSpec(made.spec.components[1:]), (), made.now))
    assert outdated(made, known) == ["voice"]
    known.forget("mind")
    assert shown(made, known) == ["voice"]
    made.take(made.monitor.reconfigure(made.spec, (), made.now))
    assert sorted(shown(made, known)) == NAMES
