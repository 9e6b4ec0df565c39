"""What stands on the terminal, line by line, so that only what differs from it is written.

Textual 8.2.8 writes a line of which one cell has changed from the left edge of its widget on (`ChopsUpdate`), and after
a page down every line whole. Not here: what is drawn, and when Textual wants it written.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from rich.cells import cell_len
from rich.console import COLOR_SYSTEMS, Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_A_MOVE_COSTS = 32  # bytes: to another cell, and there the same colours once more
_NARROW = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u25cf\u2716]*")  # one cell each

Run: TypeAlias = tuple[int, str, Style | None]
"""Text in one style, and the cell at which it begins."""


class Shown:
    """By line the strips that were written, by the cell at which each begins. What is not in it is not known."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, Strip]] = {}

    def forget(self) -> None:
        """Somebody else has written to the terminal."""
        self._lines.clear()

    def still_to_write(self, update: CompositorUpdate) -> CompositorUpdate:
        """What of `update` has to be written, reckoned at the moment at which it is."""
        match update:
            case ChopsUpdate():
                return _Changes(self, update)
            case LayoutUpdate():
                return _Whole(self, update)
            case _:
                self.forget()
                return update

    def take(self, y: int, x: int, strip: Strip) -> list[Run]:
        """`strip` stands at `x` of line `y` from now on: those runs of it that did not stand there before."""
        line = self._lines.setdefault(y, {})
        before = line.get(x)
        if before is strip:
            return []
        if before is not None and before.cell_length == strip.cell_length:
            line[x] = strip
            return list(_changed(before, strip, x))
        end = x + strip.cell_length
        for at in [at for at, other in line.items() if at < end and x < at + other.cell_length]:
            del line[at]
        line[x] = strip
        return list(_runs(strip, x))


class _Changes(CompositorUpdate):
    """Some parts of some lines."""

    def __init__(self, shown: Shown, update: ChopsUpdate) -> None:
        self._shown = shown
        self._update = update

    def render_segments(self, console: Console) -> str:
        """What the terminal has to read."""
        written: list[str] = []
        for y, left, right in self._update.spans:
            for (x, strip), end in zip(self._update.chops[y].items(), self._update.chop_ends[y], strict=True):
                if strip is not None and x < right and left < end:
                    written += _written(self._shown.take(y, x, strip), y, console)
        return "".join(written)


class _Whole(CompositorUpdate):
    """The whole screen. It is written as it is: so what another program has left there goes away."""

    def __init__(self, shown: Shown, update: LayoutUpdate) -> None:
        self._shown = shown
        self._update = update

    def render_segments(self, console: Console) -> str:
        """What the terminal has to read."""
        self._shown.forget()
        lines: list[Iterable[Strip]] = [list(line) for line in self._update.strips]
        for y, line in enumerate(lines, self._update.region.y):
            x = self._update.region.x
            for strip in line:
                self._shown.take(y, x, strip)
                x += strip.cell_length
        return LayoutUpdate(lines, self._update.region).render_segments(console)


def _runs(strip: Strip, x: int) -> Iterator[Run]:
    for text, style, _ in strip:
        yield x, text, style
        x += len(text) if text.isascii() else cell_len(text)


def _changed(before: Strip, now: Strip, x: int) -> Iterator[Run]:
    """The runs of `now` that are not in `before`; of one that was in the same style only the letters that differ.

    Both begin at `x` and are equally wide.
    """
    known = {at: (text, style) for at, text, style in _runs(before, x)}
    for at, text, style in _runs(now, x):
        old_text, old_style = known.get(at, ("", None))
        if style is not old_style and style != old_style:
            yield at, text, style
        elif text != old_text and _NARROW.fullmatch(text) and _NARROW.fullmatch(old_text):
            for first, last in _other_letters(old_text, text):
                yield at + first, text[first:last], style
        elif text != old_text:
            yield at, text, style


def _other_letters(old: str, text: str) -> list[tuple[int, int]]:
    """Where `text` differs: first and last place but one. What is alike for a few letters only is no gap."""
    places = [at for at, (one, other) in enumerate(zip(old, text, strict=False)) if one != other]
    places += range(len(old), len(text))
    found: list[tuple[int, int]] = []
    for at in places:
        if found and at - found[-1][1] < _A_MOVE_COSTS:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found


def _written(runs: list[Run], y: int, console: Console) -> Iterator[str]:
    """Each run, the terminal's cursor moved where it does not stand already."""
    colors = COLOR_SYSTEMS[console.color_system or "truecolor"]
    end = -1
    for x, text, style in runs:
        if x != end:
            yield str(Control.move_to(x, y))
        yield text if style is None else Strip.render_style(style, text, color_system=colors)
        end = x + (len(text) if text.isascii() else cell_len(text))
