"""Lines made of (text, role): cleaned, cut and padded to cells. Roles are looked up in the theme when painted.

Everything drawn from data passes through `fit` or `safe`, which is the second of the two cleanings.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from math import ceil, isfinite
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

from lifesign.text import clean, format_duration
from lifesign.tui.drawing.glyphs import Glyphs

Span: TypeAlias = tuple[str, str]
Line: TypeAlias = tuple[Span, ...]

NO_VALUE = "–"
_MOST_MARKS = 3
# All but what one sign is to every terminal: said by what it is not, which compiles eight times as fast.
_QUESTIONABLE = re.compile("[^\x00-\u02ff\u2000-\u20cf\u2100-\u2bff]")
_STYLE = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]")
_CALM_FROM_S, _MINUTES_FROM_S, _HOUR_S = 60, 600, 3600
_LONGEST_S = 100 * 366 * 86400.0


def safe(text: str, glyphs: Glyphs, limit: int = 500) -> str:
    """`text` on one line, without a character that could steer the terminal or that it could not show."""
    text = clean(text, limit)
    if glyphs.plain:
        return text.encode("ascii", "replace").decode("ascii")
    return "".join(_drawable(text)) if _QUESTIONABLE.search(text) else text


def _drawable(text: str) -> Iterator[str]:
    """`text` without what terminals draw in different widths, so that no column depends on whose terminal it is.

    A flag becomes its two letters, a skin tone and a choice of emoji style nothing, a letter that this Python does not
    know yet U+FFFD. Marks pile up to three on a letter, and none on what stands before the text.
    """
    marks = _MOST_MARKS
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind.startswith("M") else 0
        if marks > _MOST_MARKS or _STYLE.match(character):
            continue
        if "\U0001f1e6" <= character <= "\U0001f1ff":
            yield chr(ord("A") + ord(character) - 0x1F1E6)
        else:
            yield "\ufffd" if kind == "Cn" else character


def fit(text: str, width: int, glyphs: Glyphs, *, right: bool = False) -> str:
    """`text`, safe, in exactly `width` cells: padded, or cut with a sign that says so."""
    if width <= 0:
        return ""
    text = safe(text, glyphs, max(2 * width, 8))
    room = width - cell_len(text)
    if room < 0:
        return set_cell_size(text, width - 1) + glyphs.ellipsis
    return " " * room + text if right else text + " " * room


def age(seconds: float | None, glyphs: Glyphs, *, calm: bool = False) -> str:
    """Coarse, for people: `42s`, `12m`, `3h05m`.

    Rounded up, so that the figure stays within a second of the truth until the next tick. `calm`: nobody waits for the
    seconds, so from one minute on it changes once a minute.
    """
    if seconds is None or not isfinite(seconds):
        return "-" if glyphs.plain else NO_VALUE
    whole = min(max(ceil(seconds), 0), _LONGEST_S)
    if calm and _CALM_FROM_S <= whole < _HOUR_S:
        return f"{int(whole) // 60}m"
    return format_duration(whole)


def left(seconds: float | None, glyphs: Glyphs) -> str:
    """How much longer, for people: as `age`, but from ten minutes on in whole ones, so that 30m begin as 30m."""
    if seconds is not None and isfinite(seconds) and seconds > _MINUTES_FROM_S:
        seconds = 60 * ceil(seconds / 60)
    return age(seconds, glyphs)


def width_of(spans: Iterable[Span]) -> int:
    """Cells of all spans together."""
    return sum(cell_len(text) for text, _ in spans)


def justified(left: Iterable[Span], right: Iterable[Span], width: int, glyphs: Glyphs) -> Line:
    """`left` and `right` at the two edges of `width` cells; where both have no room, the left one is cut."""
    left, right = list(left), list(right)
    room = width - width_of(right)
    if room < 0:
        return cut(right, width, glyphs)
    return (*cut(left, room, glyphs), *right)


def cut(spans: Iterable[Span], width: int, glyphs: Glyphs) -> Line:
    """`spans` in exactly `width` cells. Their texts are safe already."""
    line: list[Span] = []
    room = width
    for text, role in spans:
        cells = cell_len(text)
        if cells > room:
            if room > 0:
                line.append((set_cell_size(text, room - 1) + glyphs.ellipsis, role))
            return tuple(line)
        line.append((text, role))
        room -= cells
    return (*line, (" " * room, "text")) if room else tuple(line)


def wrapped(text: str, width: int, glyphs: Glyphs) -> list[str]:
    """`text`, safe, broken at spaces into rows of at most `width` cells; a longer word is broken where it must be."""
    rows: list[str] = []
    row, width = "", max(width, 1)
    for whole in safe(text, glyphs, 4000).split(" "):
        word = whole
        joined = f"{row} {word}" if row else word
        if cell_len(joined) <= width:
            row = joined
            continue
        if row:
            rows.append(row)
        while cell_len(word) > width:
            head = _head(word, width)
            rows.append(head)
            word = word[len(head) :]
        row = word
    return [*rows, row] if row or not rows else rows


def _head(word: str, width: int) -> str:
    """As many leading characters as fit, at least one."""
    cells = 0
    for index, character in enumerate(word):
        cells += cell_len(character)
        if cells > width:
            return word[: max(index, 1)]
    return word
