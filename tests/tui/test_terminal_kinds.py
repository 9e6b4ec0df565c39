"""Each kind of terminal: every state is a sign and a word on every view, in what that terminal can show, read from the
bytes that it got."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyte
import pytest

from lifesign.api.documents import Incident
from tests.tui.documents import STATES, at, component, state
from tests.tui.emitted import Emitted
from tests.tui.test_terminal import ESCAPE, Terminal, lay_down, opened

pytestmark = pytest.mark.proof

UNICODE = {"healthy": "●", "degraded": "▲", "down": "✖", "unknown": "?", "starting": "◌", "paused": "‖"}
ASCII = {"healthy": "+", "degraded": "!", "down": "X", "unknown": "?", "starting": "o", "paused": "="}
VIEWS = {b"1": "limit 5m", b"2": "why, and what next", b"3": "0 silenced"}  # keys, and what each shows alone
_SIXTEEN = {*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)}
_DIRECT = re.compile(rb"(?<=[\[;])[34]8;2;")
_INDEXED = re.compile(rb"(?<=[\[;])[34]8;5;")


@dataclass(frozen=True)
class Kind:
    """One kind of terminal. `colors`: how many it is written to have; 0 for none at all."""

    environment: Mapping[str, str]
    colors: int
    signs: Mapping[str, str] = field(default_factory=lambda: UNICODE)


KINDS = {
    "NO_COLOR": Kind({"NO_COLOR": "1"}, 0),
    "16 colours": Kind({"TERM": "xterm"}, 16),
    "256 colours": Kind({"TERM": "xterm-256color"}, 256),
    "true colour": Kind({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, 2**24),
    "linux": Kind({"TERM": "linux"}, 16, ASCII),
    "LANG=C": Kind({"LANG": "C", "PYTHONIOENCODING": ""}, 256, ASCII),
    "LC_ALL=POSIX": Kind({"LC_ALL": "POSIX", "LANG": "C.UTF-8", "PYTHONIOENCODING": ""}, 256, ASCII),
    "latin-1": Kind({"LANG": "de_DE", "PYTHONIOENCODING": "iso-8859-1"}, 256, ASCII),
    "no colour on linux": Kind({"NO_COLOR": "1", "TERM": "linux"}, 0, ASCII),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A component in each state, with letters that not every terminal has."""
    components = [
        component(f"c-{word}", word, diagnosis="größer → Ω", next="ⅷ", incident=Incident(id="i", opened_at=at(-9)))
        for word in STATES
    ]
    return lay_down(tmp_path / "state.json", state(components, overall="down"))


def is_told(terminal: Terminal, kind: Kind) -> bool:
    """Whether each component's row begins with its state's sign and word."""
    for word in STATES:
        lines = [line for line in terminal.lines if f"c-{word}" in line]
        if not lines or not all(
            re.search(rf"{re.escape(kind.signs[word])} {word}\b.*c-{word}", line) for line in lines
        ):
            return False
    return True


def assert_visible(terminal: Terminal) -> None:
    """No letter has the colour of its ground."""
    for row, line in enumerate(terminal.lines):
        for cell in terminal.styled(row):
            assert cell.data == " " or cell.fg != cell.bg or cell.fg == "default", (cell, line)


def shows_focus(terminal: Terminal) -> bool:
    """Whether Cancel is drawn as the button that has the focus: unlike the one beside it."""
    row = next((row for row, line in enumerate(terminal.lines) if "Cancel" in line and "Silence" in line), None)
    if row is None:  # it is being drawn
        return False
    cells, at = terminal.styled(row), terminal.lines[row].index("Cancel")
    cancel, other = cells[at], cells[terminal.lines[row].index("Silence")]
    return bool(cancel[1:] != other[1:]) and not is_dim(cancel)


def is_dim(cell: pyte.screens.Char) -> bool:
    """Whether it is not to be seen."""
    return bool(cell.fg == cell.bg != "default")


def assert_capable(terminal: Terminal, kind: Kind) -> None:
    """Only what the terminal knows was written to it."""
    emitted = Emitted.of(terminal.written)
    if kind.signs is ASCII:
        assert terminal.written.isascii(), [text for text in emitted.text if not text.isascii()]
    if kind.colors == 0:
        assert not emitted.sgr & {*_SIXTEEN, 38, 48}
    if kind.colors < 2**24:
        assert not _DIRECT.search(terminal.written)
    if kind.colors == 16:
        assert not _INDEXED.search(terminal.written)
    if kind.colors:
        assert emitted.sgr & {*_SIXTEEN, 38, 48}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_state_is_a_sign_and_a_word_on_every_view(file: Path, kind: Kind) -> None:
    with opened(file, (100, 45), **kind.environment) as terminal:
        terminal.until(lambda: "c-healthy" in terminal.text)
        for view, alone in VIEWS.items():
            terminal.process.send(view)
            terminal.until(lambda alone=alone: alone in terminal.text and is_told(terminal, kind))  # type: ignore[misc]
            assert_visible(terminal)
        terminal.process.send(b"1\r")
        terminal.until(lambda: "layers" in terminal.text and f"{kind.signs['down']} down" in terminal.text)
        for keys in (b"G", ESCAPE, b"?", ESCAPE, b"s"):  # pages, help, a dialog: they too write what is known
            terminal.process.send(keys)
            terminal.settle()
        terminal.until(lambda: "Cancel" in terminal.text)
        assert_visible(terminal)
        terminal.until(lambda: shows_focus(terminal) or not terminal.process.send(b"\t"))
        terminal.process.send(b"\x03")
        assert terminal.end() == 0
        assert_capable(terminal, kind)
