"""The tail of a log or heartbeat: rotation, truncation, a million lines, search; and what a far console says."""

import os
import time
from pathlib import Path

import pytest

from lifesign.api.documents import Component
from lifesign.tui.screens.log import LogScreen
from lifesign.tui.tail import KEPT_LINES, Tail
from tests.tui.desk import HandClock, seated
from tests.tui.documents import check, component, state


def tail_of(path: Path) -> Tail:
    tail = Tail(path)
    tail.refresh()
    return tail


def everything(tail: Tail) -> list[str]:
    return list(tail.lines(0, tail.count))


def writing(path: Path, name: str = "mind") -> Component:
    """A component with a log and a heartbeat file."""
    beat = check(path=str(path.with_name("beat.json")))
    log = check("output", type="log", path=str(path))
    return component(name, checks=[beat, log])


# --- the file ---


def test_lines_are_told_as_they_come_the_unfinished_one_too(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\nthr")
    tail = tail_of(path)
    assert everything(tail) == ["one", "two", "thr"]
    with path.open("a") as file:
        file.write("ee\nfour\n")
    tail.refresh()
    assert everything(tail) == ["one", "two", "three", "four"]
    tail.close()


def test_a_rotated_file_keeps_what_it_held_last_and_goes_on_with_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"old {i}\n" for i in range(KEPT_LINES + 5)))
    tail = tail_of(path)
    with path.open("a") as file:
        file.write("the very last\n")
    path.rename(tmp_path / "a.log.1")
    path.write_text("new\n")
    tail.refresh()
    assert everything(tail)[-2:] == ["the very last", "new"]
    assert tail.count == KEPT_LINES + 1
    tail.close()


def test_a_heartbeat_that_is_replaced_with_every_beat_is_a_list_of_beats(tmp_path: Path) -> None:
    path = tmp_path / "beat.json"
    tail = Tail(path)
    for cycle in range(5):
        fresh = tmp_path / "fresh"
        fresh.write_text(f'{{"cycle": {cycle}}}')
        fresh.rename(path)
        tail.refresh()
    assert everything(tail) == [f'{{"cycle": {cycle}}}' for cycle in range(5)]
    tail.close()


def test_a_truncated_file_begins_anew_and_a_missing_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    tail = tail_of(path)
    assert tail.note == "No such file or directory"
    path.write_text("long enough\n" * 3)
    tail.refresh()
    assert (tail.count, tail.note) == (3, "")
    path.write_text("short\n")
    tail.refresh()
    assert everything(tail) == ["short"]
    assert tail.note == "the file was truncated"
    tail.close()


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    tail = tail_of(tmp_path / "pipe")
    assert (tail.count, tail.note) == (0, "not a regular file")


def test_a_million_lines_are_searched_and_each_is_found_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "big.log"
    path.write_text("".join(f"line {i}\n" for i in range(1_000_000)))
    tail = tail_of(path)
    assert tail.count == 1_000_000
    assert tail.lines(765_432, 2) == ("line 765432", "line 765433")
    assert tail.find("LINE 999998", tail.count - 1, -1) == 999_998
    assert tail.find("line 993", 995_000, -1) == 993_999
    assert tail.find("line 999", 999_000, 1) == 999_000
    assert tail.find("nowhere", 3000, -1) is None
    tail.close()


def test_a_line_without_end_is_cut_and_no_sign_of_it_steers_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\x1b[31mred\x00\n" + b"x" * 3_000_000 + b"\nlast\n")
    tail = tail_of(path)
    first, long, last = everything(tail)
    assert "\x1b" not in first
    assert "\x00" not in first
    assert len(long) <= 2000
    assert last == "last"
    tail.close()


# --- the screen ---


@pytest.mark.proof  # textual's pilot waits for seconds at each key here
async def test_l_shows_the_log_and_follows_it_and_l_again_the_heartbeat(tmp_path: Path) -> None:
    path = tmp_path / "mind.log"
    path.write_text("".join(f"did {i}\n" for i in range(100)))
    path.with_name("beat.json").write_text('{"cycle": 88}')
    async with seated(state([writing(path)]), (80, 24), HandClock(), local=True) as desk:
        await desk.press("l")
        await desk.until_shown("did 99")
        assert "output" in desk.line(str(path)[:20])
        with path.open("a") as file:
            file.write("and then\x1b[2J\n")
        await desk.until_shown("and then")
        await desk.until_shown("101 lines")
        await desk.press("g")
        await desk.until_shown("did 0 ")
        await desk.until_shown("not at the end")
        await desk.press("l")
        await desk.until_shown('{"cycle": 88}')
        await desk.press("escape")
        await desk.until_shown("1 shown")


@pytest.mark.proof  # textual's pilot waits for seconds at each key here
async def test_slash_finds_the_newest_match_and_n_the_older_and_newer_ones(tmp_path: Path) -> None:
    path = tmp_path / "mind.log"
    path.write_text("".join(f"{'ERROR' if i % 100 == 7 else 'fine'} {i}\n" for i in range(1000)))
    async with seated(state([writing(path)]), (80, 24), HandClock(), local=True) as desk:
        await desk.press("l")
        await desk.until_shown("fine 999")
        await desk.press("slash", *"error", "enter")
        await desk.until_shown("ERROR 907")
        await desk.press("n")
        await desk.until_shown("ERROR 807")
        await desk.press("N")
        await desk.until_shown("ERROR 907")
        await desk.press("slash", *"nowhere", "enter")
        await desk.until(lambda: "no line contains nowhere" in desk.toasts, "nothing was said")
        await desk.press("slash", *["backspace"] * 7, *"ERROR 907", "enter")
        await desk.until_shown("ERROR 907")
        await desk.press("n")
        await desk.until(lambda: "no older line contains ERROR 907" in desk.toasts, "it denied the one that is shown")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "is on trader-1: a console reads files of its own machine alone"),
        ({"local": True, "archived": True}, "a snapshot holds no files"),
    ],
)
async def test_a_console_that_cannot_read_the_file_says_so(tmp_path: Path, options: dict[str, bool], told: str) -> None:
    async with seated(state([writing(tmp_path / "mind.log")]), **options) as desk:  # type: ignore[arg-type]
        await desk.press("l")
        await desk.until(lambda: any(told in one for one in desk.toasts), "nothing was said")
        assert not isinstance(desk.app.screen, LogScreen)


async def test_a_file_that_is_not_there_is_told_beside_its_path_however_long_that_is(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 40)
    async with seated(state([writing(path)]), (80, 24), local=True) as desk:
        await desk.press("l")
        await desk.until_shown("…  No such file or directory ")


async def test_a_component_without_a_file_says_so() -> None:
    async with seated(state([component("a")]), local=True) as desk:
        await desk.press("l")
        told = "a has no log and no heartbeat file among its checks"
        await desk.until(lambda: told in desk.toasts, "nothing was said")


async def test_reading_ends_with_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "mind.log"
    path.write_text("x\n")

    def held() -> bool:
        return any(str(one.resolve()) == str(path) for one in Path("/proc/self/fd").iterdir())

    async with seated(state([writing(path)]), local=True) as desk:
        await desk.press("l")
        await desk.until(held, "the file is not read")
        await desk.press("escape")
        deadline_s = time.monotonic() + 30
        await desk.until(lambda: not held() or time.monotonic() > deadline_s, "the file stays open")
        assert not held()
