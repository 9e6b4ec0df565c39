"""The state document for people: tables on a terminal, Markdown, SVG. Nothing in the data is ever markup.

Not here: where the state comes from (`cli.check`, `cli.snapshot`). The signs are the console's (`tui.drawing`).
"""

import io
import os
import re
import sys
from typing import IO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lifesign.api.documents import Component, State
from lifesign.text import clean, format_duration
from lifesign.tui.drawing.glyphs import UNICODE, Glyphs, glyphs_for
from lifesign.tui.words import why

LAYERS = ("startable", "alive", "ready", "working")
STYLES = {
    "healthy": "green",
    "degraded": "yellow",
    "down": "bold red",
    "unknown": "magenta",
    "starting": "cyan",
    "paused": "bright_black",
    "muted": "bright_black",
}
_PIPE_WIDTH = 200
_SVG_WIDTH = 120
_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]|~#])")


def print_state(state: State, *, colour: bool | None = None) -> None:
    """Prints `state` on standard output: colours on a terminal unless NO_COLOR says no, or as `colour` says."""
    console = _console(sys.stdout, colour)
    glyphs = glyphs_for(os.environ.get("TERM", ""), getattr(sys.stdout, "encoding", None) or "ascii")
    console.print(_drawing(state, glyphs))


def render_text(state: State) -> str:
    """`state` as plain text without colour."""
    written = io.StringIO()
    _console(written, colour=False).print(_drawing(state, UNICODE))
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


def render_svg(state: State) -> str:
    """`state` as a picture of a terminal. It asks no other host for anything."""
    environment: dict[str, str] = {}  # not ours: a picture does not depend on NO_COLOR or COLUMNS
    console = Console(
        file=io.StringIO(), record=True, width=_SVG_WIDTH, force_terminal=True, color_system="truecolor",
        markup=False, emoji=False, highlight=False, no_color=False, _environ=environment,
    )  # fmt: skip
    console.print(_drawing(state, UNICODE))
    return _WEB_FONT.sub("", console.export_svg(title=f"lifesign: {clean(state.monitor.name, 60)}"))


def render_markdown(state: State) -> str:
    """`state` as Markdown: a heading, a table, and a list of what is wrong."""
    glyph, _ = UNICODE.of_state(state.overall)
    lines = [
        f"# {glyph} {markdown(state.overall)}: {markdown(state.monitor.name)}",
        "",
        f"{markdown(_summary(state))} · {markdown(state.generated_at)} · {markdown(state.monitor.host)}",
        "",
        "| state | component | " + " | ".join(LAYERS) + " | last work |",
        "|---" * (len(LAYERS) + 3) + "|",
    ]
    for component in state.components:
        cells = [_word(UNICODE, component.state), component.name]
        cells += [getattr(component.layers, layer) or "-" for layer in LAYERS]
        lines.append("| " + " | ".join(markdown(cell) for cell in [*cells, _work(component)]) + " |")
    for component in filter(_wants_words, state.components):
        lines += ["", f"**{markdown(component.name)}**: {markdown(why(component.state, component.diagnosis))}"]
        lines += [""] if component.next or _troubles(component) else []
        lines += [f"- next: {markdown(component.next)}"] if component.next else []
        lines += [f"- {markdown(name)} {markdown(words)}" for _, name, words in _troubles(component)]
    return "\n".join(lines) + "\n"


def _console(file: IO[str], colour: bool | None) -> Console:
    console = Console(
        file=file,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=True if colour else None if file.isatty() else False,  # whatever FORCE_COLOR says
        color_system=None if colour is False else "auto",
    )
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPE_WIDTH
    return console


def _drawing(state: State, glyphs: Glyphs) -> RenderableType:
    parts: list[RenderableType] = [_headline(state, glyphs)]
    if state.components:
        parts += [Text(), _table(state, glyphs)]
    for component in filter(_wants_words, state.components):
        parts += [Text(), *_why(component, glyphs)]
    return Group(*parts)


def _headline(state: State, glyphs: Glyphs) -> Text:
    about = f"{_summary(state)} {glyphs.dot} {state.generated_at} {glyphs.dot} lifesign {state.monitor.version}"
    name = (_plain(state.monitor.name, glyphs), "bold")
    return Text.assemble(_state_text(state.overall, glyphs), "  ", name, "  ", (_plain(about, glyphs), STYLES["muted"]))


def _table(state: State, glyphs: Glyphs) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=STYLES["muted"])
    table.add_column("state", no_wrap=True)
    table.add_column("component", overflow="fold")
    for layer in LAYERS:
        table.add_column(layer, no_wrap=True)
    table.add_column("last work", no_wrap=True)
    for component in state.components:
        layers = [_layer_text(getattr(component.layers, layer), glyphs) for layer in LAYERS]
        name = Text(_plain(component.name, glyphs), "bold")
        table.add_row(_state_text(component.state, glyphs), name, *layers, Text(_plain(_work(component), glyphs)))
    return table


def _why(component: Component, glyphs: Glyphs) -> list[RenderableType]:
    glyph, role = glyphs.of_state(component.state)
    name = (_plain(component.name, glyphs), "bold")
    title = Text.assemble(
        (glyph, STYLES[role]), " ", name, "  ", _plain(why(component.state, component.diagnosis), glyphs)
    )
    below = [Text(_plain(f"{glyphs.arrow} {component.next}", glyphs), "cyan")] if component.next else []
    for state, check_name, words in _troubles(component):
        sign, kind = glyphs.of_check(state)
        below.append(Text.assemble((sign, STYLES[kind]), " ", _plain(f"{check_name} {words}", glyphs)))
    return [title, *(Padding(line, (0, 0, 0, 2), expand=False) for line in below)]


def _troubles(component: Component) -> list[tuple[str, str, str]]:
    """State, name and words of each check that does not pass."""
    found = []
    for check in component.checks:
        if check.state != "passing":
            times = f" x{check.consecutive_failures}" if check.consecutive_failures > 1 else ""
            optional = ", optional" if check.optional else ""
            found.append((check.state, check.name, f"({check.layer}, {check.state}{times}{optional}) {check.message}"))
    return found


def _wants_words(component: Component) -> bool:
    return component.state != "healthy" or bool(_troubles(component))


def _summary(state: State) -> str:
    counts = ((name, getattr(state.counts, name)) for name in state.counts.__struct_fields__)
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "no components"


def _work(component: Component) -> str:
    """How long ago work was finished, and its limit."""
    if component.staleness_s is None:
        missing = "unknown" if component.layers.working == "unknown" else "never"
        return missing if component.stale_after_s is not None else "-"
    limit = f" of {format_duration(component.stale_after_s)}" if component.stale_after_s is not None else ""
    return f"{format_duration(component.staleness_s)}{limit}"


def _word(glyphs: Glyphs, state: str) -> str:
    return f"{glyphs.of_state(state)[0]} {_plain(state, glyphs)}"


def _state_text(state: str, glyphs: Glyphs) -> Text:
    return Text(_word(glyphs, state), STYLES[glyphs.of_state(state)[1]])


def _layer_text(state: str | None, glyphs: Glyphs) -> Text:
    return Text(_plain(state or "-", glyphs), STYLES[glyphs.of_check(state)[1]])


def _plain(text: str, glyphs: Glyphs) -> str:
    """Data fit to be drawn: clean, and ASCII where nothing else can be shown."""
    text = clean(text, 1000)
    return text.replace("…", "...").encode("ascii", "replace").decode() if glyphs.plain else text


def markdown(text: str) -> str:
    """Data as text and nothing else."""
    escaped = _MARKDOWN_SIGNS.sub(r"\\\1", clean(text, 1000))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
