"""Figures of the proofs: what a test counted is added up and printed at the end of the run, over all its processes."""

from collections.abc import Callable
from typing import Any

import pytest

Figures = Callable[..., None]
_KEY = "figures"


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Call it with a title and amounts by their unit: `figures("children", runs=10_000)`."""

    def note(title: str, **amounts: float) -> None:
        record_property(_KEY, [title, amounts])

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line a title, the amounts of all tests under it added up."""
    sums: dict[str, dict[str, float]] = {}
    for report in terminalreporter.stats.get("passed", []):
        for key, (title, amounts) in (entry for entry in report.user_properties if entry[0] == _KEY):
            counted = sums.setdefault(title, {})
            for unit, amount in amounts.items():
                counted[unit] = counted.get(unit, 0) + amount
            assert key == _KEY
    if sums:
        terminalreporter.section("figures")
    for title, counted in sorted(sums.items()):
        words = ", ".join(f"{amount:,.1f}".removesuffix(".0") + f" {unit}" for unit, amount in counted.items())
        terminalreporter.line(f"{title}: {words.replace('_', ' ')}")
