"""How large the history becomes, by what some hours of it take."""

import pytest

from tests.bench.history import year
from tests.figures import Figures


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(900)
def test_a_year_of_two_hundred_components_stays_under_500_mb(figures: Figures) -> None:
    [row] = year(3)
    assert row.ours is not None
    assert row.is_met(), row
    figures("a year of 200 components", megabytes=round(row.ours))
