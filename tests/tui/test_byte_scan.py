"""Sixty hostile strings in every field from outside, on every screen of a real terminal: what is written, taken apart.

The same is done with calm strings in the same places. Whatever sequence the hostile ones write beyond those is theirs.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lifesign.api.documents import Component, EventDocument, State
from tests.tui import hostile
from tests.tui.documents import at
from tests.tui.emitted import STEERING, Emitted
from tests.tui.test_hostile_text import poisoned, poisoned_past
from tests.tui.test_terminal import ESCAPE, Terminal, lay_down, opened

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]

_DRAWN_SGR = {*range(10), *range(22, 30), *range(30, 50), *range(90, 98), *range(100, 108)} - {5, 6, 8, 28, 25}
_FAILS = 12345  # a number that every row shows at one place
_PASTE = b"\x1b[200~%b\x1b[201~"


def documents(strings: Sequence[str]) -> State:
    """A component for each string, which stands in every field of it; each tells its own number of failures."""
    components = [whole(string) for string in strings]
    joined = " ".join(string[:40] for string in strings)
    document = poisoned(joined)
    document = msgspec.structs.replace(document, components=components, overall="down", generated_at=at(0))
    return msgspec.convert(_finite(msgspec.to_builtins(document)), State)


def _finite(value: Any) -> Any:
    """JSON knows no infinity."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return 1.5 if isinstance(value, float) and not math.isfinite(value) else value


def whole(string: str) -> Component:
    """The one component of `poisoned`, sane where a number or a time would hide the text."""
    component = poisoned(string).components[0]
    return msgspec.structs.replace(component, state="down", since=at(-600), consecutive_failures=_FAILS)


def events(strings: Sequence[str]) -> list[EventDocument]:
    """Each in every field of an event."""
    return [
        EventDocument(ts=string, level=string, event=string, component=string, check=string, message=string)
        for string in strings
    ]


def lay_beside(file: Path, strings: Sequence[str]) -> None:
    """The history of the document in `file`: each string in every field of an event, and of a moment of the past."""
    past = {string: poisoned_past(string) for string in strings}
    beside = {
        "events": events(strings),
        "past": {string: stood for string, (stood, _) in past.items()},
        "past_incidents": [then for _, then in past.values()],
    }
    for ending, kept in beside.items():
        file.with_name(f"{file.name}.{ending}").write_bytes(msgspec.json.encode(_finite(msgspec.to_builtins(kept))))


def walk(terminal: Terminal, each: int) -> list[str]:
    """Every screen, every dialog, a refusal, a paste, a lost link; the screens as they were seen."""
    seen: list[str] = []

    def press(*keys: bytes) -> None:
        for key in keys:
            terminal.process.send(key)
            terminal.settle()
            seen.append(terminal.text)

    terminal.until(lambda: "h00" in terminal.text)
    press(b"2", *[b"\x1b[6~"] * 4, b"g")
    terminal.until(lambda: columns_hold(terminal))
    for _ in range(each):
        press(b"\r", b"G", b"[")
        terminal.until(lambda: "THE PAST" in terminal.text)
        press(b"G", b"]")
        terminal.until(lambda: "THE PAST" not in terminal.text)
        press(ESCAPE, b"j")
    press(b"g", b"1", *[b"\x1b[6~"] * 16, b"g")
    press(b"3", *[b"\x1b[6~"] * 8)
    for name in hostile.NAMES[:each]:
        press(b"[")
        terminal.until(lambda name=name: "THE PAST" in terminal.text and name in terminal.text)  # type: ignore[misc]
        press(b"G", b"g")
    press(ESCAPE, ESCAPE, b"4", b"\x1b[5~", b"g", ESCAPE, b"?", ESCAPE)
    for key in (b"s", b"h", b"R", b"P"):
        press(key, ESCAPE)
        terminal.until(lambda: "Cancel" not in terminal.text or not terminal.process.send(ESCAPE))
    press(b"c", b":", b"h5", ESCAPE, ESCAPE)
    press(b"/", _PASTE % hostile.STRINGS[39].encode(), ESCAPE)
    return seen


def columns_hold(terminal: Terminal) -> bool:
    """Whether in the table every row shows its failures at the same place, whatever stands before it."""
    rows = [terminal.cells(row) for row in range(3, 30)]
    places = [place for row in rows for place in range(len(row) - 5) if "".join(row[place : place + 5]) == str(_FAILS)]
    return len(set(places)) == 1 and len(places) > 20


def emitted(folder: Path, strings: Sequence[str], each: int) -> tuple[Emitted, list[str]]:
    """The walk on a 160x50 terminal, to its end."""
    file = lay_down(folder / "state.json", documents(strings))
    lay_beside(file, strings)
    with opened(file, (160, 50)) as terminal:
        seen = walk(terminal, each)
        file.write_text("{" + strings[20])  # no document any more: the link is lost, and why is told
        terminal.until(lambda: "disconnected since" in terminal.text)
        terminal.settle()
        terminal.process.send(b"q")
        assert terminal.end() == 0, terminal.text
        assert "Traceback" not in terminal.text
    return Emitted.of(terminal.written), seen


def test_no_byte_of_a_hostile_string_reaches_the_terminal(tmp_path: Path) -> None:
    for name in ("calm", "hostile"):
        (tmp_path / name).mkdir()
    calm, _ = emitted(tmp_path / "calm", hostile.HARMLESS, 2)
    found, seen = emitted(tmp_path / "hostile", hostile.STRINGS, len(hostile.STRINGS))
    assert set(found.kinds) <= set(calm.kinds), set(found.kinds) - set(calm.kinds)
    assert found.controls <= calm.controls, found.controls - calm.controls
    assert found.sgr <= _DRAWN_SGR, found.sgr - _DRAWN_SGR
    for string in found.strings:
        assert not any(name in string for name in hostile.NAMES), string
    for text in found.text:
        assert not STEERING.search(text), repr(text)
    shown = "\n".join(seen)
    assert [name for name in hostile.NAMES if name not in shown] == []


def test_the_scan_itself_sees_what_a_terminal_would_obey() -> None:
    for string in hostile.STRINGS[:36]:
        try:
            found = Emitted.of(string.encode())
        except ValueError:
            continue
        assert found.kinds or found.sgr - _DRAWN_SGR or found.controls, repr(string)
