"""What is on the screen, as text that a test can compare and a diff can show: the letters, then each row's colours.

It holds no font, no host and no time of its own. `python -m tests.tui.test_pictures` writes all of them anew.
"""

from itertools import groupby
from pathlib import Path

from rich.segment import Segment

from tests.tui.desk import Desk

FOLDER = Path(__file__).parent / "pictures"


def picture(desk: Desk) -> str:
    """The letters of every row, a rule, and the looks of every row, each with its number of cells."""
    letters = [line.rstrip() for line in desk.lines]
    looks = [_looks(row) for row in desk.rows]
    return "\n".join([*letters, "-" * desk.app.size.width, *looks]) + "\n"


def _looks(row: list[Segment]) -> str:
    """Neighbours that look alike are one; blanks show their ground alone."""
    cells = ((_look(segment), segment.cell_length) for segment in row)
    return ", ".join(
        f"{sum(width for _, width in run)} {look}" for look, run in groupby(cells, key=lambda cell: cell[0])
    )


def _look(segment: Segment) -> str:
    style = segment.style
    if style is None:
        return "plain"
    ink = style.color.name if style.color and segment.text.strip() else "-"
    ground = style.bgcolor.name if style.bgcolor else "-"
    marks = "".join(name[0] for name in ("bold", "dim", "reverse", "underline") if getattr(style, name))
    return f"{ink}/{ground}{'+' if marks else ''}{marks}"
