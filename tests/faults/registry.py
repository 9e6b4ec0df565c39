"""Collects the recipes. Adding a module to `recipes/` is all it takes."""

import importlib
import itertools
import pkgutil
from collections.abc import Iterable, Iterator

import pytest
from _pytest.mark import ParameterSet

from tests.faults import recipes
from tests.faults.recipe import Recipe


def all_recipes() -> list[type[Recipe]]:
    """Every recipe there is, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(recipes.__path__))
    return [importlib.import_module(f"{recipes.__name__}.{name}").Fault for name in names]


def batches(found: Iterable[type[Recipe]]) -> list[ParameterSet]:
    """Recipes as pytest parameters, one list for each daemon that is to be run.

    A recipe with a known bug, one that is a longer proof and one that cannot be run here stand alone.
    """
    return list(_batches(list(found)))


def _batches(found: list[type[Recipe]]) -> Iterator[ParameterSet]:
    apart = [recipe for recipe in found if recipe.bug or recipe.proof or recipe.missing()]
    yield from map(alone, apart)
    together = sorted((recipe for recipe in found if recipe not in apart), key=lambda recipe: recipe.batch)
    for batch, members in itertools.groupby(together, key=lambda recipe: recipe.batch):
        yield pytest.param(list(members), id=batch)


def alone(recipe: type[Recipe]) -> ParameterSet:
    """One recipe as a pytest parameter: a list for a daemon of its own, marked as it must be."""
    marks = [pytest.mark.proof] if recipe.proof else []
    marks += [pytest.mark.skip(reason=recipe.missing())] if recipe.missing() else []
    marks += [pytest.mark.xfail(reason=recipe.bug, strict=True)] if recipe.bug else []
    return pytest.param([recipe], id=recipe.name, marks=marks)
