"""The state document in colours, by rich: tables on a terminal, and a picture of one. Nothing in the data is markup.

Not here: what is told without colour (`cli.present`), which costs a third of this.
"""

import io
import re
from typing import IO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lifesign.api.documents import Component, State
from lifesign.cli.state_words import LAYERS, about, plain, reason, troubles, wants_words, word, work
from lifesign.text import clean
from lifesign.tui.drawing.glyphs import UNICODE, Glyphs

STYLES = {
    "healthy": "green",
    "degraded": "yellow",
    "down": "bold red",
    "unknown": "magenta",
    "starting": "cyan",
    "paused": "bright_black",
    "muted": "bright_black",
}
_SVG_WIDTH = 120
_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def print_coloured(state: State, file: IO[str], glyphs: Glyphs) -> None:
    """Prints `state` to `file`, as wide as that or COLUMNS says; in colours on a terminal unless NO_COLOR says no."""
    console = Console(
        file=file,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=None if file.isatty() else False,  # whatever FORCE_COLOR says
    )
    console.print(_drawing(state, glyphs))


def render_svg(state: State) -> str:
    """`state` as a picture of a terminal. It asks no other host for anything."""
    environment: dict[str, str] = {}  # not ours: a picture does not depend on NO_COLOR or COLUMNS
    console = Console(
        file=io.StringIO(), record=True, width=_SVG_WIDTH, force_terminal=True, color_system="truecolor",
        markup=False, emoji=False, highlight=False, no_color=False, _environ=environment,
    )  # fmt: skip
    console.print(_drawing(state, UNICODE))
    return _WEB_FONT.sub("", console.export_svg(title=f"lifesign: {clean(state.monitor.name, 60)}"))


def _drawing(state: State, glyphs: Glyphs) -> RenderableType:
    parts: list[RenderableType] = [_headline(state, glyphs)]
    if state.components:
        parts += [Text(), _table(state, glyphs)]
    for component in filter(wants_words, state.components):
        parts += [Text(), *_why(component, glyphs)]
    return Group(*parts)


def _headline(state: State, glyphs: Glyphs) -> Text:
    name = (plain(state.monitor.name, glyphs), "bold")
    return Text.assemble(_state_text(state.overall, glyphs), "  ", name, "  ", (about(state, glyphs), STYLES["muted"]))


def _table(state: State, glyphs: Glyphs) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=STYLES["muted"])
    table.add_column("state", no_wrap=True)
    table.add_column("component", overflow="fold")
    for layer in LAYERS:
        table.add_column(layer, no_wrap=True)
    table.add_column("last work", no_wrap=True)
    for component in state.components:
        layers = [_layer_text(getattr(component.layers, layer), glyphs) for layer in LAYERS]
        name = Text(plain(component.name, glyphs), "bold")
        table.add_row(_state_text(component.state, glyphs), name, *layers, Text(plain(work(component), glyphs)))
    return table


def _why(component: Component, glyphs: Glyphs) -> list[RenderableType]:
    glyph, role = glyphs.of_state(component.state)
    name = (plain(component.name, glyphs), "bold")
    title = Text.assemble((glyph, STYLES[role]), " ", name, "  ", reason(component, glyphs))
    below = [Text(plain(f"{glyphs.arrow} {component.next}", glyphs), "cyan")] if component.next else []
    for state, check_name, words in troubles(component):
        sign, kind = glyphs.of_check(state)
        below.append(Text.assemble((sign, STYLES[kind]), " ", plain(f"{check_name} {words}", glyphs)))
    return [title, *(Padding(line, (0, 0, 0, 2), expand=False) for line in below)]


def _state_text(state: str, glyphs: Glyphs) -> Text:
    return Text(word(glyphs, state), STYLES[glyphs.of_state(state)[1]])


def _layer_text(state: str | None, glyphs: Glyphs) -> Text:
    return Text(plain(state or "-", glyphs), STYLES[glyphs.of_check(state)[1]])
