"""The state document for people as text: plain, and Markdown. Nothing in the data is ever markup.

Not here: where the state comes from (`cli.checking`, `cli.snapshot`), and colours (`cli.coloured`), which a pipe
does not wait for. The signs are the console's (`tui.drawing`).
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence

from lifesign.api.documents import Component, State
from lifesign.cli.saying import say
from lifesign.cli.state_words import COLUMNS, LAYERS, about, plain, reason, summary, troubles, wants_words, word, work
from lifesign.text import clean
from lifesign.tui.drawing.glyphs import UNICODE, Glyphs, glyphs_for
from lifesign.tui.words import why

_MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]|~#])")


def print_state(state: State) -> None:
    """Prints `state` on standard output: in colours on a terminal, unless NO_COLOR says no, and as wide as that is.

    To anything else each line is as long as it has to be, unless COLUMNS says how wide it is.
    """
    glyphs = glyphs_for(os.environ.get("TERM", ""), getattr(sys.stdout, "encoding", None) or "ascii")
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        from lifesign.cli.coloured import print_coloured

        print_coloured(state, sys.stdout, glyphs)
    else:
        for line in _lines(state, glyphs):
            say(line)


def render_text(state: State) -> str:
    """`state` as plain text without colour."""
    return "".join(f"{line}\n" for line in _lines(state, UNICODE))


def render_markdown(state: State) -> str:
    """`state` as Markdown: a heading, a table, and a list of what is wrong."""
    glyph, _ = UNICODE.of_state(state.overall)
    lines = [
        f"# {glyph} {markdown(state.overall)}: {markdown(state.monitor.name)}",
        "",
        f"{markdown(summary(state))} · {markdown(state.generated_at)} · {markdown(state.monitor.host)}",
        "",
        "| state | component | " + " | ".join(LAYERS) + " | last work |",
        "|---" * (len(LAYERS) + 3) + "|",
    ]
    for component in state.components:
        cells = [word(UNICODE, component.state), component.name]
        cells += [getattr(component.layers, layer) or "-" for layer in LAYERS]
        lines.append("| " + " | ".join(markdown(cell) for cell in [*cells, work(component)]) + " |")
    for component in filter(wants_words, state.components):
        lines += ["", f"**{markdown(component.name)}**: {markdown(why(component.state, component.diagnosis))}"]
        lines += [""] if component.next or troubles(component) else []
        lines += [f"- next: {markdown(component.next)}"] if component.next else []
        lines += [f"- {markdown(name)} {markdown(words)}" for _, name, words in troubles(component)]
    return "\n".join(lines) + "\n"


def _lines(state: State, glyphs: Glyphs) -> Iterator[str]:
    yield f"{word(glyphs, state.overall)}  {plain(state.monitor.name, glyphs)}  {about(state, glyphs)}".rstrip()
    if state.components:
        yield ""
        yield from _table([COLUMNS, *(_row(component, glyphs) for component in state.components)])
    for component in filter(wants_words, state.components):
        yield ""
        sign, name = glyphs.of_state(component.state)[0], plain(component.name, glyphs)
        yield f"{sign} {name}  {reason(component, glyphs)}".rstrip()
        if component.next:
            yield f"  {plain(f'{glyphs.arrow} {component.next}', glyphs)}"
        for kind, check_name, words in troubles(component):
            yield f"  {glyphs.of_check(kind)[0]} {plain(f'{check_name} {words}', glyphs)}"


def _row(component: Component, glyphs: Glyphs) -> tuple[str, ...]:
    layers = (plain(getattr(component.layers, layer) or "-", glyphs) for layer in LAYERS)
    name, last = plain(component.name, glyphs), plain(work(component), glyphs)
    return (word(glyphs, component.state), name, *layers, last)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def markdown(text: str) -> str:
    """Data as text and nothing else."""
    escaped = _MARKDOWN_SIGNS.sub(r"\\\1", clean(text, 1000))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
