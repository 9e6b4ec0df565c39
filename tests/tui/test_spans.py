"""Cutting and wrapping to cells, of any text into any width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcwidth

from lifesign.tui.drawing.glyphs import ASCII, UNICODE
from lifesign.tui.drawing.spans import cut, fit, justified, left, safe, wrapped

WORDS = st.text(max_size=60) | st.just("漢字" * 20) | st.just("x" * 200)


@given(WORDS, st.integers(-5, 40), st.booleans())
def test_fit_fills_exactly_its_cells(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, UNICODE, right=right)) == max(width, 0)
    assert fit(text, width, ASCII).isascii()


@given(WORDS, st.integers(-5, 40))
def test_wrapping_ends_loses_no_letter_and_keeps_to_its_width(text: str, width: int) -> None:
    rows = wrapped(text, width, UNICODE)
    assert rows
    assert all(cell_len(row) <= max(width, 2) for row in rows)
    assert "".join(rows).replace(" ", "") == "".join(wrapped(text, 10_000, UNICODE)).replace(" ", "")


@given(WORDS, WORDS, st.integers(0, 60))
def test_a_line_has_exactly_the_cells_asked_for(left: str, right: str, width: int) -> None:
    spans = [(fit(left, 20, UNICODE), "text"), (fit(right, 9, UNICODE), "down")]
    assert sum(cell_len(text) for text, _ in cut(spans, width, UNICODE)) == width
    assert sum(cell_len(text) for text, _ in justified(spans[:1], spans[1:], width, UNICODE)) == width


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_letter_takes_the_cells_that_any_terminal_gives_it_by_itself(text: str) -> None:
    drawn = safe(text, UNICODE)
    assert cell_len(drawn) == sum(wcwidth(letter) for letter in drawn)


def test_flags_skin_tones_and_piles_of_marks_are_brought_to_one_width() -> None:
    assert safe("🇩🇪 ☝🏽 ❤\ufe0f", UNICODE) == "DE ☝ ❤"
    assert safe("\u0301e" + 100 * "\u0301", UNICODE) == "e\u0301\u0301\u0301"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1s"), (599.5, "10m"), (600.5, "11m"), (1799.9, "30m"), (1740.0, "29m"), (5400.0, "1h30m"), (None, "–")],
)
def test_what_is_left_of_half_an_hour_begins_as_half_an_hour(seconds: float | None, words: str) -> None:
    assert left(seconds, UNICODE) == words
