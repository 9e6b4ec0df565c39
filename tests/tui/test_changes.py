"""What goes to the terminal again: every cell that differs, as few others as can be."""

from hypothesis import given
from hypothesis import strategies as st

from lifesign.tui.drawing.glyphs import UNICODE
from lifesign.tui.drawing.spans import Line, cut
from lifesign.tui.widgets.changes import changed_cells
from lifesign.tui.widgets.lists import TableList
from tests.tui.desk import HandClock, seated
from tests.tui.documents import at, component, state

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
    for cell, (one, other) in enumerate(zip(cells(before), cells(now), strict=True)):
        assert one == other or start <= cell < start + count


def test_an_age_that_grows_is_all_that_is_written_again() -> None:
    def row(age: str) -> Line:
        return (("mind ", "strong"), (f"{age:>4}", "text"), (" why", "muted"))

    assert changed_cells(((row("9s"), "plain"),), ((row("10s"), "plain"),)) == (5, 4)
    assert changed_cells(((row("9s"), "plain"),), ((row("9s"), "plain"),))[1] == 0
    assert changed_cells(((row("9s"), "plain"),), ((row("9s"), "cursor"),)) == (0, 13)


async def test_an_age_that_reads_the_same_is_not_painted_again() -> None:
    clock = HandClock()
    rows = [component(f"calm-{number}", since=at(-657), staleness_s=1300.0) for number in range(9)]
    rows += [component("sick", "degraded", since=at(-30), staleness_s=1300.0)]
    async with seated(state(rows), (100, 30), clock) as desk:
        await desk.press("2")
        table, painted = desk.app.screen.query_one(TableList), list[int]()
        whole, table.render_line = table.render_line, lambda y: painted.append(y) or whole(y)  # type: ignore[method-assign,func-returns-value]
        clock.now_s += 1
        await desk.tick()
        assert painted == [0]
        assert "31s" in desk.line("sick")
        clock.now_s += 3
        await desk.tick()
        assert sorted(painted) == [0, *range(10)]
        assert "11m" in desk.line("calm-7")


async def test_from_one_minute_on_what_is_healthy_tells_its_ages_in_minutes_and_what_is_not_in_seconds() -> None:
    async with seated(state([component("calm", since=at(-100)), component("sick", "down", since=at(-100))])) as desk:
        await desk.press("2")
        assert " 1m " in desk.line("calm")
        assert " 10" in desk.line("sick")
