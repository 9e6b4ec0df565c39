"""File events: every way in which a file changes is told, once for all that came together, and what was missed too."""

import asyncio
import os
import shutil
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path

import pytest

from lifesign.engine.file_events import FileEvents


class Heard:
    """What was told, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[set[str]] = []
        self.missed = 0

    def changed(self, keys: Collection[str]) -> None:
        self.batches.append(set(keys))

    def miss(self) -> None:
        self.missed += 1

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(40):
            while not condition():  # noqa: ASYNC110 - whatever the condition is about
                await asyncio.sleep(0.002)


def events(heard: Heard) -> closing[FileEvents[str]]:
    return closing(FileEvents[str](changed=heard.changed, missed=heard.miss))


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def identity(folder: Path) -> object:
    return folder.stat().st_ino


def appended(path: Path) -> None:
    with path.open("a") as file:
        file.write("more")


def replaced(path: Path) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text("2")
    fresh.replace(path)


def moved_away(path: Path) -> None:
    path.rename(path.with_suffix(".1"))


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("change", [appended, replaced, moved_away, Path.unlink, Path.touch, linked])
async def test_each_way_in_which_a_file_changes_is_told(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path, heard = tmp_path / "beat ä.json", Heard()
    path.write_text("1")
    (tmp_path / "other").write_text("1")
    with events(heard) as told:
        told.follow({tmp_path: 1}, {tmp_path: {path.name: ["beat"]}})
        (tmp_path / "other").write_text("2")
        change(path)
        await heard.until(lambda: heard.batches)
    assert set.union(*heard.batches) == {"beat"}


async def test_what_only_reads_a_file_is_not_told(tmp_path: Path) -> None:
    read, written, heard = tmp_path / "read", tmp_path / "written", Heard()
    read.write_text("1")
    with events(heard) as told:
        told.follow({tmp_path: 1}, {tmp_path: {"read": ["read"], "written": ["written"]}})
        assert read.read_text() == "1"
        written.write_text("1")
        await heard.until(lambda: heard.batches)
    assert set.union(*heard.batches) == {"written"}


async def test_what_came_together_is_told_in_one_go_and_what_comes_after_it_is_told_too(tmp_path: Path) -> None:
    names = [f"b{number}" for number in range(300)]
    heard = Heard()
    with events(heard) as told:
        told.follow({tmp_path: 1}, {tmp_path: {name: [name] for name in names}})
        for name in names:
            (tmp_path / name).write_text("1")
        await heard.until(lambda: heard.batches)
        assert heard.batches == [set(names)]
        (tmp_path / "b7").write_text("2")
        await heard.until(lambda: len(heard.batches) > 1)
        assert heard.batches[1] == {"b7"}
        await heard.until(lambda: told._next is None)  # it waits for events again, not for the next batch
        (tmp_path / "b8").write_text("2")
        await heard.until(lambda: heard.batches[-1] == {"b8"})
    assert heard.missed == 0


async def test_two_files_of_one_name_and_two_ways_to_one_folder_are_told_apart(tmp_path: Path) -> None:
    one, other, link = tmp_path / "one", tmp_path / "other", tmp_path / "link"
    one.mkdir()
    other.mkdir()
    link.symlink_to(one)
    heard = Heard()
    with events(heard) as told:
        files = {folder: {"beat": [folder.name, f"{folder.name} again"]} for folder in (one, other, link)}
        told.follow(dict.fromkeys((one, other, link), 1), files)
        (one / "beat").write_text("1")
        await heard.until(lambda: heard.batches)
        assert set.union(*heard.batches) == {"one", "one again", "link", "link again"}
        told.follow(dict.fromkeys((other, link), 1), files)
        heard.batches.clear()
        (one / "beat").write_text("2")
        await heard.until(lambda: heard.batches)
        assert set.union(*heard.batches) == {"link", "link again"}


async def test_a_folder_made_anew_is_followed_again(tmp_path: Path) -> None:
    folder, heard = tmp_path / "run", Heard()
    folder.mkdir()
    (folder / "beat").write_text("1")
    files = {folder: {"beat": ["beat"]}}
    with events(heard) as told:
        told.follow({folder: identity(folder)}, files)
        shutil.rmtree(folder)
        await heard.until(lambda: heard.batches)
        folder.mkdir()
        told.follow({folder: identity(folder)}, files)  # often by the same number: its watch is gone all the same
        heard.batches.clear()
        (folder / "beat").write_text("1")
        await heard.until(lambda: heard.batches)


async def test_one_folder_that_cannot_be_watched_is_told_and_all_others_are_watched(tmp_path: Path) -> None:
    there, gone, heard = tmp_path / "there", tmp_path / "gone", Heard()
    there.mkdir()
    with events(heard) as told:
        with pytest.raises(FileNotFoundError):
            told.follow({gone: 1, there: 1}, {there: {"beat": ["beat"]}})
        (there / "beat").write_text("1")
        await heard.until(lambda: heard.batches)


MOST = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


@pytest.mark.skipif(MOST > 100_000, reason="so many events would take too long")
async def test_more_events_than_the_kernel_keeps_are_told_as_missed(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.write_text("1")
    heard = Heard()
    with events(heard) as told:
        told.follow({tmp_path: 1}, {tmp_path: {"a": ["a"], "b": ["b"]}})
        for number in range(MOST + 10):
            os.utime(paths[number % 2])  # the same twice in a row would be one event
        await heard.until(lambda: heard.missed)


async def test_nothing_is_told_and_nothing_is_held_after_a_close(tmp_path: Path) -> None:
    heard, before = Heard(), descriptors()
    with events(heard) as told:
        told.follow({tmp_path: 1}, {tmp_path: {"beat": ["beat"]}})
        (tmp_path / "beat").write_text("1")
    await asyncio.sleep(0)
    assert heard.batches == []
    assert descriptors() == before
