"""What goes to the terminal again: every cell that differs, as few others as can be."""

from hypothesis import given
from hypothesis import strategies as st

from lifesign.tui.drawing.glyphs import UNICODE
from lifesign.tui.drawing.spans import Line, cut
from lifesign.tui.widgets.changes import changed_cells

ROLES = st.sampled_from(["text", "down"])
SPANS = st.lists(st.tuples(st.text("ab 漢", max_size=6), ROLES), max_size=6)


def cells(line: Line) -> list[tuple[str, str]]:
    """What each cell shows; a wide letter fills two."""
    return [(letter, role) for text, role in line for letter in text for _ in range(2 if letter == "漢" else 1)]


@given(SPANS, SPANS, st.integers(1, 30))
def test_outside_the_changed_cells_nothing_differs(
    old: list[tuple[str, str]], new: list[tuple[str, str]], width: int
) -> None:
    before, now = cut(old, width, UNICODE), cut(new, width, UNICODE)
    start, count = changed_cells(((before, "plain"),), ((now, "plain"),))
    for at, (one, other) in enumerate(zip(cells(before), cells(now), strict=True)):
        assert one == other or start <= at < start + count


def test_an_age_that_grows_is_all_that_is_written_again() -> None:
    def row(age: str) -> Line:
        return (("mind ", "strong"), (f"{age:>4}", "text"), (" why", "muted"))

    assert changed_cells(((row("9s"), "plain"),), ((row("10s"), "plain"),)) == (5, 4)
    assert changed_cells(((row("9s"), "plain"),), ((row("9s"), "plain"),))[1] == 0
    assert changed_cells(((row("9s"), "plain"),), ((row("9s"), "cursor"),)) == (0, 13)
