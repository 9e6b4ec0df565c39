"""The console where there is no terminal to draw on: one line for each transition."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from lifesign.tui.plain import PlainConsole, run_plain
from lifesign.tui.source import SnapshotFile
from tests.started import started
from tests.tui.documents import component, down_mind, state

OPENED = [sys.executable, "-m", "tests.tui.opened"]


def told(*answers: object) -> list[str]:
    """What the plain console says to these answers: documents, or problems."""
    lines: list[str] = []
    console = PlainConsole(lines.append)
    for answer in answers:
        if isinstance(answer, str):
            console.take(None, answer)
        else:
            console.take(answer, "")  # type: ignore[arg-type]
    return lines


def test_it_tells_first_what_is_and_then_only_what_changes() -> None:
    calm, bad = state([component("a")]), state([component("a", "down", diagnosis="no work", next="restart")], seconds=7)
    assert told(calm, calm, bad, bad) == [
        "2026-11-21T12:00:00.000Z a: healthy",
        "2026-11-21T12:00:00.000Z overall: healthy",
        "2026-11-21T12:00:07.000Z a: down (was healthy): no work; next: restart",
        "2026-11-21T12:00:07.000Z overall: down",
    ]


def test_a_lost_daemon_is_told_once_and_its_return_too() -> None:
    calm = state([component("a")])
    lines = told(calm, "refused", "refused", state([component("a")], seconds=9))
    assert lines[2:] == [
        "disconnected since 2026-11-21T12:00:00.000Z: refused; trying again every second",
        "2026-11-21T12:00:09.000Z connected again",
    ]


def test_what_changed_while_the_daemon_was_lost_is_told_when_it_is_back() -> None:
    lines = told(state([component("a"), component("b")]), "refused", state([component("a", "down")], seconds=9))
    assert "2026-11-21T12:00:09.000Z a: down (was healthy)" in lines
    assert "2026-11-21T12:00:09.000Z b: no longer watched" in lines


def test_no_byte_of_the_data_steers_the_terminal() -> None:
    evil = "\x1b]52;c;eA==\x07\u202e[/]\x00\n\x9b1m"
    lines = told(state([component(evil, evil, diagnosis=evil, next=evil)], overall=evil), evil)
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines), lines


def test_a_terminal_of_another_encoding_gets_what_it_can_show(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(msgspec.json.encode(state([component("grün")])))
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    assert run_plain(SnapshotFile(file), out, archived=True) == 0
    assert b"gr?n: healthy" in raw.getvalue()


def test_over_a_pipe_it_prints_lines_and_ends_on_sigint_and_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(msgspec.json.encode(state([down_mind()])))
    for number in (signal.SIGINT, signal.SIGTERM):
        with started([*OPENED, file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as console:
            assert console.stdout is not None
            first = console.stdout.readline()
            assert "mind: down: alive and ready, but not working" in first
            assert "\x1b" not in first
            console.send_signal(number)
            assert console.wait(40) == 0


def test_it_ends_when_nobody_reads_any_more(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(msgspec.json.encode(state([down_mind()])))
    with started([*OPENED, file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as console:
        assert console.stdout is not None
        console.stdout.readline()
        console.stdout.close()
        console.stdout = None
        turned = tmp_path / "turned.json"
        turned.write_bytes(msgspec.json.encode(state([component("mind")], seconds=5)))
        os.replace(turned, file)  # noqa: PTH105 - atomic, as a daemon would
        assert console.wait(40) in {0, 141}
