"""The values of a sweep."""

import pytest

from lifesign.replay.values import values_of


@pytest.mark.parametrize(
    ("span", "values"),
    [
        ("1m,5m, 10m", ["1m", "5m", "10m"]),
        ("1..5", ["1", "2", "3", "4", "5"]),
        ("1m..10m", ["1m", "90s", "2m", "3m", "5m", "7m", "10m"]),
        ("45s..45s", ["45s"]),
        ("10h..30h", ["10h", "12h", "18h", "24h", "30h"]),
    ],
)
def test_a_list_is_taken_as_it_is_and_a_range_in_human_steps(span: str, values: list[str]) -> None:
    assert values_of(span) == values


def test_a_wide_range_has_few_values() -> None:
    assert 5 < len(values_of("1s..7d")) <= 12
    assert 5 < len(values_of("1..1000")) <= 12


@pytest.mark.parametrize("span", ["", "1m,,2m", "5m..1m", "9..3", "soon..later"])
def test_what_is_no_range_is_refused(span: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values_of(span)
