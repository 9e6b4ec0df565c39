"""What is written to a terminal that shows something already: afterwards it shows what it should, for few bytes."""

import re
from random import Random
from typing import TypeAlias

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from lifesign.tui.shown import Shown

WIDTH, HEIGHT = 12, 2
CONSOLE = Console(force_terminal=True, color_system="truecolor")
TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(\n)|([^\x1b\n])")
Screen: TypeAlias = list[list[tuple[str, str]]]  # by line and cell the letter and its colours; "" behind a wide one
Spans: TypeAlias = list[tuple[str, str]]

LETTERS = ["a", "b", " ", "·", "漢", "e\u0301"]  # a mark never begins a text: it is cleaned
CUTS = [(0, 12), (0, 5, 12), (0, 6, 9, 12)]


def any_line(luck: Random) -> Spans:
    """Some texts in two colours."""
    return [
        ("".join(luck.choices(LETTERS, k=luck.randint(1, 9))), luck.choice("rb")) for _ in range(luck.randint(0, 4))
    ]


def strip_of(spans: Spans) -> Strip:
    """A line as wide as the screen."""
    strip = Strip([Segment(text, Style(color={"r": "red", "b": "blue"}[color])) for text, color in spans])
    return strip.adjust_cell_length(WIDTH, Style(color="blue"))


def chopped(line: Spans, cuts: tuple[int, ...]) -> dict[int, Strip | None]:
    """A line in parts, as Textual has it."""
    return dict(zip(cuts, strip_of(line).divide(cuts[1:]), strict=False))


def shows(screen: Screen, written: str) -> None:
    """What a terminal makes of it. Half a wide letter that is written over leaves a blank."""
    x = y = 0
    color, at = "", 0
    while at < len(written):
        token = TOKEN.match(written, at)
        assert token, written[at:]
        at = token.end()
        row, column, colors, line_feed, letter = token.groups()
        if row:
            y, x = int(row) - 1, int(column) - 1
        elif letter and not cell_len(letter):
            before = next(cell for cell in range(x - 1, -1, -1) if screen[y][cell][0])
            screen[y][before] = (screen[y][before][0] + letter, screen[y][before][1])
        elif letter:
            put(screen[y], x, letter, color)
            x += cell_len(letter)
        elif not line_feed:
            color = "" if colors == "0" else colors or ""


def put(line: list[tuple[str, str]], x: int, letter: str, color: str) -> None:
    """One letter into its cells."""
    for cell in range(x, x + cell_len(letter)):
        if not line[cell][0]:
            line[cell - 1] = (" ", line[cell - 1][1])
        if cell + 1 < WIDTH and not line[cell + 1][0]:
            line[cell + 1] = (" ", line[cell + 1][1])
        line[cell] = ("", color)
    line[x] = (letter, color)


def blank() -> Screen:
    """A terminal that was just opened."""
    return [[(" ", "")] * WIDTH for _ in range(HEIGHT)]


def change(luck: Random, shown: Shown, screen: Screen, wanted: Screen) -> None:
    """The whole screen, or a part of its second line, is another; `wanted` gets it without regard to the cost."""
    lines, cuts = [any_line(luck) for _ in range(HEIGHT)], luck.choice(CUTS)
    chops = [chopped(line, cuts) for line in lines]
    left = luck.randint(0, WIDTH - 1)
    right = luck.randint(left + 1, WIDTH)
    if luck.random() < 0.2:
        strips = [[strip for strip in line.values() if strip] for line in chops]
        for y, parts in enumerate(strips, 1):
            shows(wanted, f"\x1b[{y};1H" + "".join(strip.render(CONSOLE) for strip in parts))
        update = shown.still_to_write(LayoutUpdate([*strips], Region(0, 0, WIDTH, HEIGHT)))
    else:
        for x, strip in chops[1].items():
            if strip and x < right and left < x + strip.cell_length:
                shows(wanted, f"\x1b[2;{x + 1}H{strip.render(CONSOLE)}")
        update = shown.still_to_write(ChopsUpdate(chops, [(1, left, right)], [list(cuts[1:])] * HEIGHT))
    shows(screen, update.render_segments(CONSOLE))


def test_whatever_was_written_before_a_terminal_shows_what_it_should() -> None:
    for seed in range(100):
        luck = Random(seed)
        shown, screen, wanted = Shown(), blank(), blank()
        for _ in range(8):
            change(luck, shown, screen, wanted)
            assert screen == wanted, seed


def row(name: str, age: str) -> dict[int, Strip | None]:
    """A line as the table has it."""
    spans = [(" ● healthy   ", "green"), (name, "white"), (f"{age:>6}", "red"), (f"  why · {'so ' * 40}", "white")]
    return {0: Strip([Segment(text, Style(color=color)) for text, color in spans])}


def written(shown: Shown, line: dict[int, Strip | None]) -> str:
    """What a change of the whole first line costs."""
    return shown.still_to_write(ChopsUpdate([line], [(0, 0, 154)], [[154]])).render_segments(CONSOLE)


def test_an_age_that_grows_costs_a_move_and_a_letter() -> None:
    shown = Shown()
    assert len(written(shown, row("mind", "41s"))) > 150
    assert written(shown, row("mind", "42s")) == "\x1b[1;22H\x1b[31m2\x1b[0m"
    assert written(shown, row("mind", "42s")) == ""


def test_another_row_of_the_same_kind_costs_what_differs() -> None:
    shown = Shown()
    written(shown, row("mind", "41s"))
    assert re.sub(r"\x1b\[[\d;]*[mH]", "|", written(shown, row("hand", "7m"))) == "||ha||| 7m|"


def test_what_another_program_has_written_over_is_written_anew() -> None:
    shown = Shown()
    first = written(shown, row("mind", "41s"))
    shown.forget()
    assert written(shown, row("mind", "41s")) == first
