"""Each fault of a target is told in the right words and mended, by the real daemon, and disturbs nobody beside it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import running as e2e
from tests.e2e.running import Daemon, daemon, wait_until
from tests.faults import bystander
from tests.faults.families.monitor import MonitorFault
from tests.faults.families.state import StateFault
from tests.faults.recipe import DOWN, HEALTHY, Recipe
from tests.faults.registry import all_recipes, batches

DEFAULTS = '[defaults]\ninterval = "400ms"\ntimeout = "1s"\nfailure_threshold = 2\ngrace = "500ms"\n'
TIMEOUT_S = 60.0
SURVIVED_LOOKS = 3


@pytest.mark.parametrize(
    "kinds", batches(kind for kind in all_recipes() if not issubclass(kind, (MonitorFault, StateFault)))
)
def test_a_fault_is_told_mended_and_disturbs_nobody(
    tmp_path: Path, kinds: list[type[Recipe]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with prepared(tmp_path, kinds) as (recipes, text):
        prefix = [word for recipe in recipes for word in recipe.prefix()]
        monkeypatch.setattr(e2e, "LIFESIGN", [*prefix, *e2e.LIFESIGN])
        for recipe in recipes:
            for key, value in recipe.environment(tmp_path).items():
                monkeypatch.setenv(key, value)
        with bystander.working(tmp_path, prefix) as well, daemon(tmp_path, DEFAULTS + well.text + text) as running:
            run(running, recipes)
            assert not [event for event in running.events() if "died" in event.get("message", "")]
    assert "Traceback" not in (tmp_path / "stderr").read_text()


@contextlib.contextmanager
def prepared(folder: Path, kinds: list[type[Recipe]]) -> Iterator[tuple[list[Recipe], str]]:
    """The healthy targets of all of them, each in a folder of its own, and their components."""
    recipes = [kind() for kind in kinds]
    with contextlib.ExitStack() as stack:
        parts = []
        for recipe in recipes:
            own = folder / recipe.name
            own.mkdir()
            stack.callback(recipe.close)
            parts.append(recipe.config(own))
        yield recipes, "".join(parts)


def run(running: Daemon, recipes: list[Recipe]) -> None:
    """Healthy, broken, told, mended, told: all of them at once."""
    sound = [recipe for recipe in recipes if not recipe.begins_broken]
    await_all(running, {recipe.name: (HEALTHY, "") for recipe in sound} | {bystander.NAME: (HEALTHY, "")})
    for name in (bystander.NAME, *(recipe.name for recipe in sound)):  # the log may lag behind the state
        running.wait_for_event("component.healthy", name)
    well = len(events_of(running, bystander.NAME))  # a busy machine may have been slow to its first look
    before = {recipe.name: len(events_of(running, recipe.name)) if recipe in sound else 0 for recipe in recipes}
    for recipe in recipes:
        recipe.inject()
    await_all(running, {recipe.name: (recipe.expect.state, recipe.expect.words) for recipe in recipes})
    for _ in range(SURVIVED_LOOKS):
        await_a_look(running, recipes)
    await_all(running, {recipe.name: (recipe.expect.state, recipe.expect.words) for recipe in recipes})
    for recipe in recipes:
        recipe.heal()
    await_all(running, {recipe.name: (HEALTHY, "") for recipe in recipes})
    wrong = {recipe.name: faults for recipe in recipes if (faults := broken_promises(running, recipe, before))}
    assert wrong == {}
    assert events_of(running, bystander.NAME)[well:] == []


def await_a_look(running: Daemon, recipes: list[Recipe]) -> None:
    """Waits until every check of theirs was looked at once more."""
    before = {recipe.name: last_looks(running, recipe.name) for recipe in recipes}
    wait_until(lambda: all(last_looks(running, name) != looks for name, looks in before.items()), "a further look")


def broken_promises(running: Daemon, recipe: Recipe, before: dict[str, int]) -> list[str]:
    """What was told of one recipe that should not, and what was not told that should, in words."""
    wait = recipe.expect.state == DOWN
    if wait:
        running.wait_for_event("component.recovered", recipe.name)
    names = [event["event"] for event in events_of(running, recipe.name)[before[recipe.name] :]]
    if recipe.expect.state == HEALTHY and not recipe.expect.events:
        return [f"told {name}" for name in names]
    turns = [name for name in names if name in ("component.down", "component.recovered")]
    expected = ["component.down", "component.recovered"] if recipe.expect.state == DOWN else []
    faults = [] if turns == expected else [f"the turns were {turns}"]
    faults += [f"{name} was not told" for name in recipe.expect.events if name not in names]
    return faults + [f"told {name}" for name in recipe.expect.never if name in names]


def await_all(running: Daemon, expected: dict[str, tuple[str, str]]) -> None:
    """Waits until each is in its state, in these words; tells which are not."""

    def others() -> dict[str, tuple[str, str]]:
        return {
            name: told
            for name, told in standing(running).items()
            if name in expected and (told[0] != expected[name][0] or expected[name][1] not in told[1])
        }

    try:
        wait_until(lambda: not others(), "", TIMEOUT_S)
    except AssertionError:
        found = {name: (*expected[name], "but", *told) for name, told in others().items()}
        assert found == {}


def standing(running: Daemon) -> dict[str, tuple[str, str]]:
    """State and diagnosis of each component."""
    _, state = running.request("GET", "/api/v1/state")
    return {found["name"]: (found["state"], found["diagnosis"]) for found in state["components"]}


def last_looks(running: Daemon, name: str) -> list[Any]:
    """When each check of a component was last looked at."""
    return [check["last_at"] for check in running.component(name)["checks"]]


def events_of(running: Daemon, name: str) -> list[dict[str, Any]]:
    """What was told of one component, in order."""
    return [event for event in running.events() if event.get("component") == name]
