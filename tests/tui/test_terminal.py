"""The drawn console on a real pseudo-terminal: it draws, it rings, it ends, and leaves the terminal as it was."""

import os
import re
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pexpect
import pyte
import pytest

from lifesign.api.documents import State
from tests.started import put_away
from tests.tui.documents import component, down_mind, state

TITLE = re.compile(rb"\x1b\]2;([^\x07]*)\x07")
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[>=<?][0-9;]*u|\x1b\[[0-9;]*t|\x1b\[>[0-9;]*[a-z]")
STRING_SEQUENCE = re.compile(rb"\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)")


ESCAPE = b"\x1b[27u"  # as kitty spells it: a bare one, with the next key close behind, is that key with alt


class Terminal:
    """A console on a pseudo-terminal, with every byte that it wrote."""

    def __init__(self, process: "pexpect.spawn[bytes]", columns: int, rows: int) -> None:
        self.process = process
        self.written = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def read(self) -> None:
        """Takes what has been written in the meantime."""
        try:
            chunk = self.process.read_nonblocking(65536, timeout=0.1)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.written += chunk
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", chunk))

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The rows of the screen."""
        return ["".join(self.cells(row)) for row in range(self._screen.lines)]  # pyte's own fails on half a wide letter

    def styled(self, row: int) -> list[pyte.screens.Char]:
        """The cells of a row with their colours."""
        return [self._screen.buffer[row][column] for column in range(self._screen.columns)]

    def cells(self, row: int) -> list[str]:
        """What each cell of a row shows; the second half of a wide letter shows nothing."""
        return [self._screen.buffer[row][column].data for column in range(self._screen.columns)]

    def settle(self) -> None:
        """Reads until nothing more comes for a tenth of a second."""
        deadline_s = time.monotonic() + 40
        before = -1
        while before != len(self.written):
            assert time.monotonic() < deadline_s, "it never rests"
            before = len(self.written)
            self.read()

    def until(self, holds: Callable[[], bool]) -> None:
        """Reads until `holds()`."""
        deadline_s = time.monotonic() + 40
        while not holds():
            assert time.monotonic() < deadline_s, self.text
            self.read()

    def end(self) -> int:
        """Waits until the console has ended, reading all the while; its exit code, negative for a signal."""
        deadline_s = time.monotonic() + 40
        while self.process.isalive():
            assert time.monotonic() < deadline_s, self.text
            self.read()
        self.read()
        status = self.process.exitstatus
        return -(self.process.signalstatus or 0) if status is None else status


@contextmanager
def opened(file: Path, size: tuple[int, int] = (80, 24), **environment: str) -> Iterator[Terminal]:
    """The console on `file`, in a terminal of `size`, columns and rows."""
    whole = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLORTERM"}}
    whole |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
    whole |= {"XDG_CONFIG_HOME": "/nonexistent", **environment}
    process: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable, ["-m", "tests.tui.opened", str(file)], dimensions=size[::-1], timeout=40, env=whole
    )
    try:
        yield Terminal(process, *size)
    finally:
        put_away(process)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A state document with one component that is down."""
    return lay_down(tmp_path / "state.json", state([down_mind(), component("gateway")]))


def lay_down(path: Path, document: State) -> Path:
    """Replaces the file at once."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(document))
    return fresh.replace(path)


def modes(terminal: Terminal) -> list[object]:
    """The terminal's line discipline."""
    return termios.tcgetattr(terminal.process.child_fd)[:4]


def assert_sane(terminal: Terminal, before: list[object]) -> None:
    """Cursor, screen, mouse and paste mode are as they were."""
    assert modes(terminal) == before
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l")
    for mode in (b"1049", b"1000", b"1003", b"1006", b"2004"):
        if (switched_on := b"\x1b[?%bh" % mode) in terminal.written:
            assert terminal.written.rindex(b"\x1b[?%bl" % mode) > terminal.written.rindex(switched_on), mode
    assert terminal.written.rindex(b"\x1b[23;2t") > terminal.written.rindex(b"\x1b]2;")


def test_it_shows_the_state_and_q_leaves_the_terminal_as_it_was(file: Path) -> None:
    with opened(file) as terminal:
        before = modes(terminal)
        terminal.until(lambda: "✖ down" in terminal.text and "no new work for 612 s" in terminal.text)
        terminal.process.send(b"q")
        assert terminal.end() == 0
        assert_sane(terminal, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(file: Path, number: int) -> None:
    with opened(file) as terminal:
        before = modes(terminal)
        terminal.until(lambda: "✖ down" in terminal.text)
        terminal.process.kill(number)
        assert terminal.end() == 0
        assert_sane(terminal, before)


def test_it_rings_once_when_something_goes_down_and_the_title_carries_the_count(tmp_path: Path) -> None:
    file = lay_down(tmp_path / "state.json", state([component("a"), component("b", "degraded")]))
    with opened(file) as terminal:
        terminal.until(lambda: "degraded" in terminal.text)
        lay_down(file, state([component("a", "degraded"), component("b", "degraded")]))
        terminal.until(lambda: "2 degraded" in terminal.text or "▲ 2" in terminal.text)
        assert b"\x07" not in STRING_SEQUENCE.sub(b"", terminal.written)
        lay_down(file, state([component("a", "down"), component("b", "degraded")]))
        terminal.until(lambda: b"lifesign: 1 down" in TITLE.findall(terminal.written))
        terminal.until(lambda: b"\x07" in STRING_SEQUENCE.sub(b"", terminal.written))
        lay_down(file, state([component("a"), component("b")]))
        terminal.until(lambda: TITLE.findall(terminal.written)[-1] == b"lifesign: healthy")
        assert STRING_SEQUENCE.sub(b"", terminal.written).count(b"\x07") == 1


def test_with_no_color_not_one_colour_is_written_and_the_words_remain(file: Path) -> None:
    with opened(file, NO_COLOR="1") as terminal:
        terminal.until(lambda: "✖ down" in terminal.text and "● healthy" in terminal.text)
        terminal.process.send(b"2")
        terminal.until(lambda: "why, and what next" in terminal.text)
        terminal.process.send(b"q")
        assert terminal.end() == 0
        for codes in re.findall(rb"\x1b\[([0-9;]*)m", terminal.written):
            for code in codes.split(b";"):
                assert int(code or 0) < 30 or int(code) in {39, 49}, codes


def test_on_the_linux_console_every_sign_is_ascii(file: Path) -> None:
    with opened(file, TERM="linux") as terminal:
        terminal.until(lambda: "X down" in terminal.text)
        terminal.process.send(b"2")
        terminal.until(lambda: "why, and what next" in terminal.text)
        assert terminal.text.isascii()
        assert b"\x1b]2;" not in terminal.written


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_gets_lines_and_not_one_escape_sequence(file: Path, term: str) -> None:
    with opened(file, TERM=term) as terminal:
        terminal.until(lambda: "mind: down: alive and ready, but not working" in terminal.text.replace("\n", ""))
        terminal.process.send(b"\x03")
        assert terminal.end() == 0
        assert b"\x1b" not in terminal.written


def test_no_byte_of_hostile_data_reaches_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b]52;c;RVZJTA==\x07\x1b[31mEVIL\x9b2J\u202e\u200b[/]"
    whole = component(evil, "down", title=evil, diagnosis=evil, next=evil, tags=[evil])
    file = lay_down(tmp_path / "state.json", state([whole], name=evil))
    with opened(file) as terminal:
        terminal.until(lambda: "EVIL" in terminal.text)
        for key in (b"2", b"\r"):
            terminal.process.send(key)
        terminal.until(lambda: "flags" in terminal.text or "why " in terminal.text)
        terminal.process.send(b"q")
        assert terminal.end() == 0
        assert b"52;c;" not in b"".join(re.findall(rb"\x1b\][^\x07\x1b]*", terminal.written))
        assert b"\x1b[31mEVIL" not in terminal.written
        for character in ("\x9b", "\u202e", "\u200b"):
            assert character.encode() not in terminal.written


def _chosen(terminal: Terminal) -> str:
    """The theme that the picker has chosen; empty while it is drawn."""
    found = re.search(r"→ (\w+) *│", terminal.text)
    return found[1] if found else ""


def test_the_next_console_wears_the_theme_that_was_kept_and_one_that_is_gone_is_none(
    file: Path, tmp_path: Path
) -> None:
    grounds = {"day": b"48;2;250;250;247", "night": b"48;2;17;21;27"}
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "COLORTERM": "truecolor"}
    with opened(file, (80, 24), **environment) as terminal:
        terminal.until(lambda: "✖ down" in terminal.text)
        terminal.process.send(b"t")
        terminal.until(lambda: "enter keeps" in terminal.text)
        for _ in range(8):
            chosen = _chosen(terminal)
            if chosen == "day":
                break
            terminal.process.send(b"j")
            terminal.until(lambda chosen=chosen: _chosen(terminal) not in ("", chosen))  # type: ignore[misc]
        terminal.process.send(b"\r")
        terminal.until(lambda: "theme day, kept for the next console too" in terminal.text)
    for name, worn in (("day", "day"), ("gone", "night")):
        (tmp_path / "config" / "lifesign" / "theme").write_text(f"{name}\n")
        with opened(file, (80, 24), **environment) as terminal:
            terminal.until(lambda: "✖ down" in terminal.text)
            assert {theme for theme, ground in grounds.items() if ground in terminal.written} == {worn}


def test_a_terminal_that_went_away_ends_it_though_sighup_is_ignored(file: Path) -> None:
    script = f"trap '' HUP; exec {sys.executable} -m tests.tui.opened {file}"
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    process: pexpect.spawn[bytes] = pexpect.spawn("/bin/sh", ["-c", script], dimensions=(24, 80), env=environment)
    terminal = Terminal(process, 80, 24)
    terminal.until(lambda: "mind" in terminal.text)
    os.close(process.child_fd)
    deadline_s = time.monotonic() + 40
    while not os.waitpid(process.pid or 0, os.WNOHANG)[0]:
        assert time.monotonic() < deadline_s, "it runs on without a terminal"
        time.sleep(0.05)
    process.closed = True


def test_ctrl_l_draws_the_screen_anew_where_another_program_has_written_over_it(file: Path) -> None:
    with opened(file) as terminal:
        terminal.until(lambda: "✖ down" in terminal.text)
        terminal.settle()
        whole = terminal.lines[1:]
        terminal._stream.feed(b"\x1b[4;1Hthe system goes down in ten minutes")
        assert terminal.lines[1:] != whole
        terminal.process.send(b"\x0c")
        terminal.until(lambda: "goes down" not in terminal.text and "no new work for 612 s" in terminal.text)
