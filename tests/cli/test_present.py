"""How a state is drawn for people: words, signs, colours, and nothing that steers a terminal or a page."""

import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lifesign.api.documents import State
from lifesign.api.render import state_document
from lifesign.cli.coloured import print_coloured, render_svg
from lifesign.cli.present import print_state, render_markdown, render_text
from lifesign.core.model import ComponentState
from lifesign.tui.drawing.glyphs import ASCII, UNICODE, Glyphs
from tests.api.fakes import check, component, info, mind_down, monitor

WORDS = ("● healthy", "▲ degraded", "✖ down", "? unknown", "◌ starting", "‖ paused")


def _state() -> State:
    every = [component(state.value, state) for state in ComponentState]
    return state_document(monitor(mind_down(), *every, overall=ComponentState.DOWN), info())


def _hostile() -> State:
    nasty = "[bold]x[/] [/ |a|b| `c` <script>alert(1)</script> *d* _e_ \x1b[31mred\x1b]52;c;x\x07 \u202ebidi"
    view = replace(
        component("evil", ComponentState.DOWN, checks=(replace(check(), message=nasty),)),
        diagnosis=nasty,
        next_step=nasty,
    )
    return state_document(monitor(view, overall=ComponentState.DOWN), info())


def test_every_state_is_a_sign_and_a_word() -> None:
    text = render_text(_state())
    assert all(words in text for words in WORDS)


def test_the_text_tells_why_and_what_next() -> None:
    text = render_text(_state())
    assert "alive and ready, but not working: no new work for 612 s (limit 300 s)" in text
    assert "restart in 41 s (1 of 3)" in text
    assert "heartbeat (working, failed x61) no new work for 612 s" in text
    assert "10m of 5m" in text


def test_a_healthy_component_is_one_line() -> None:
    text = render_text(state_document(monitor(component()), info()))
    assert sum("gateway" in line for line in text.splitlines()) == 1


def test_a_state_without_components_is_drawn() -> None:
    empty = state_document(monitor(overall=ComponentState.UNKNOWN), info())
    assert "no components" in render_text(empty)
    assert "no components" in render_markdown(empty)


@pytest.mark.parametrize("render", [render_text, render_markdown, render_svg])
def test_nothing_in_the_data_steers_a_terminal_or_is_markup(render: object) -> None:
    assert callable(render)
    drawn = render(_hostile())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", drawn)
    assert render is render_text or "<script>" not in drawn


def test_rich_markup_in_the_data_is_shown_as_it_is() -> None:
    assert "[bold]x[/] [/ |a|b|" in render_text(_hostile())


def test_markdown_in_the_data_is_escaped() -> None:
    drawn = render_markdown(_hostile())
    for raw in ("|a|b|", "`c`", "*d*", "_e_", "[bold]"):
        assert not re.search(r"(?<!\\)" + re.escape(raw), drawn)


def test_a_markdown_table_keeps_its_columns_whatever_a_name_holds() -> None:
    plain = component()
    named = replace(plain, spec=replace(plain.spec, name="a|b"))
    rows = [
        line for line in render_markdown(state_document(monitor(named), info())).splitlines() if line.startswith("|")
    ]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}


def test_the_picture_asks_no_other_host_for_anything() -> None:
    drawn = render_svg(_state())
    assert drawn.startswith("<svg")
    assert not re.search(r"url\(.?https?:|@import|@font-face|href=", drawn)


class _Stream(io.TextIOWrapper):
    """A standard output with an encoding of its own."""

    def __init__(self, encoding: str, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def written(self) -> bytes:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


def _printed(monkeypatch: pytest.MonkeyPatch, state: State, *, encoding: str = "utf-8", terminal: bool = True) -> bytes:
    stream = _Stream(encoding, terminal=terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", stream)
    print_state(state)
    return stream.written()


def test_colour_is_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert b"\x1b[31" in _printed(monkeypatch, _state()) or b"\x1b[1;31" in _printed(monkeypatch, _state())
    assert b"\x1b" not in _printed(monkeypatch, _state(), terminal=False)


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(rb"\x1b\[[0-9;]*(3|9)[0-7]", _printed(monkeypatch, _state()))


def test_an_output_that_is_not_utf_8_gets_ascii(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = state_document(monitor(replace(mind_down(), diagnosis="Zürich → …")), info())
    printed = _printed(monkeypatch, named, encoding="ascii", terminal=False)
    assert b"X down" in printed
    assert b"Z?rich" in printed


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_without_colour_it_reads_as_in_colours(monkeypatch: pytest.MonkeyPatch, glyphs: Glyphs) -> None:
    views = (component("a-much-longer-name-than-others"), component("b", ComponentState.UNKNOWN, checks=()))
    for state in (_state(), _hostile(), state_document(monitor(*views), info()), state_document(monitor(), info())):
        coloured = io.StringIO()
        monkeypatch.setenv("COLUMNS", "1000")
        print_coloured(state, coloured, glyphs)
        monkeypatch.delenv("COLUMNS")
        monkeypatch.setattr("lifesign.cli.present.glyphs_for", lambda *_: glyphs)
        printed = _printed(monkeypatch, state, terminal=False).decode()
        assert printed.splitlines() == [line.rstrip() for line in coloured.getvalue().splitlines()]


def test_the_width_that_is_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert max(map(len, _printed(monkeypatch, _state(), terminal=False).decode().splitlines())) <= 70
