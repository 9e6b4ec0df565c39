"""The help page and the key bar: both drawn from the commands, so that neither can name a key that is not there."""

from collections.abc import Sequence

from lifesign.tui.commands import MOVES, Command
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.spans import Line, Span, cut, width_of

MAX_KEYS_NARROW = 8
_MEANINGS = {
    "healthy": "every check passes",
    "degraded": "a blip, a warning, a failed optional check, or flapping",
    "down": "a check has failed for as long as its thresholds ask",
    "unknown": "nobody could find out: neither good nor bad",
    "starting": "in its grace, not every check has passed yet",
    "paused": "the operator stopped its checks",
}
_LAYER_MEANINGS = (
    ("startable", "its source parses"),
    ("alive", "its process exists"),
    ("ready", "it accepts work"),
    ("working", "it finishes work"),
)


def help_lines(commands: Sequence[Command], width: int, glyphs: Glyphs) -> list[Line]:
    """Keys, states and layers."""
    lines = [_heading("keys", width, glyphs)]
    lines += [_entry(command.spelled_keys(plain=glyphs.plain), command.help, width, glyphs) for command in commands]
    lines += [_entry(keys, what, width, glyphs) for keys, what in MOVES]
    lines += [cut([], width, glyphs), _heading("states", width, glyphs)]
    for state, meaning in _MEANINGS.items():
        glyph, role = glyphs.of_state(state)
        lines.append(cut([(f"   {glyph} {state:<14}", role), (meaning, "text")], width, glyphs))
    lines += [cut([], width, glyphs), _heading("layers", width, glyphs)]
    lines += [_entry(layer, meaning, width, glyphs) for layer, meaning in _LAYER_MEANINGS]
    return lines


def key_spans(commands: Sequence[Command], width: int, glyphs: Glyphs) -> list[tuple[Command, list[Span]]]:
    """The key bar: by rank, at most eight below 100 cells, and no more than fit."""
    ranked = _by_rank(commands, width)
    shown: list[tuple[Command, list[Span]]] = []
    room = width - 1
    for command in ranked if width >= 100 else ranked[:MAX_KEYS_NARROW]:
        spans = _key(command, glyphs)
        if width_of(spans) > room:
            break
        room -= width_of(spans)
        shown.append((command, spans))
    return shown


def further_key_spans(
    commands: Sequence[Command], shown: Sequence[Command], width: int, room: int, glyphs: Glyphs
) -> list[Span]:
    """What the key bar of `width` cells, which has `shown`, leaves out: as many as fit into `room` cells."""
    further: list[Span] = []
    for command in _by_rank(commands, width):
        spans = _key(command, glyphs)
        if command not in shown and width_of(spans) <= room:
            room -= width_of(spans)
            further += spans
    return further


def _by_rank(commands: Sequence[Command], width: int) -> list[Command]:
    ranked = sorted((command for command in commands if command.rank), key=lambda command: command.rank)
    return ranked + [command for command in commands if not command.rank and width >= 120]


def _key(command: Command, glyphs: Glyphs) -> list[Span]:
    keys = command.spelled_keys(plain=glyphs.plain).split(" ")[0]
    return [(f" {keys}", "key"), (f" {command.label} ", "muted")]


def _heading(text: str, width: int, glyphs: Glyphs) -> Line:
    return cut([(f" {text}", "head")], width, glyphs)


def _entry(keys: str, what: str, width: int, glyphs: Glyphs) -> Line:
    return cut([(f"   {keys:<16}", "key"), (what, "text")], width, glyphs)
