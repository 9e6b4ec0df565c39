"""Which cells of a row differ from what was painted there, so that a terminal gets those alone. Pure."""

from collections.abc import Sequence
from typing import TypeAlias

from rich.cells import cell_len

from lifesign.tui.drawing.spans import Line

Row: TypeAlias = tuple[tuple[Line, str], ...]


def changed_cells(before: Row, now: Row) -> tuple[int, int]:
    """The first cell that differs and how many there are until the last; none where the rows are alike."""
    old, new = _flat(before), _flat(now)
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    start = _cells(new[:head])
    width = max(_cells(old[head : len(old) - tail]), _cells(new[head : len(new) - tail]))
    moved = _cells(old) != _cells(new)  # what stands behind has another place too
    return start, max(_cells(old), _cells(new)) - start if moved else width


def _flat(row: Row) -> list[tuple[str, str, str]]:
    return [(text, role, ground) for line, ground in row for text, role in line]


def _alike(old: Sequence[tuple[str, str, str]], new: Sequence[tuple[str, str, str]]) -> int:
    """How many at the beginning are the same."""
    for at, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other:
            return at
    return min(len(old), len(new))


def _cells(spans: Sequence[tuple[str, str, str]]) -> int:
    return sum(cell_len(text) for text, _, _ in spans)
