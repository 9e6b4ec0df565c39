"""File events by watchfiles: told of the files that are asked for, and of no other, on the folders that exist."""

import asyncio
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import pytest

from lifesign.engine.folder_events import FolderEvents

_WITHIN_S = 30


def never() -> None:
    raise AssertionError("the library misses nothing by itself")


def told_of(told: "asyncio.Queue[str]", keys: Collection[str]) -> None:
    for key in keys:
        told.put_nowait(key)


def write(path: Path) -> None:
    path.write_text("new")


async def until_refused(events: FolderEvents[str], folder: Path) -> str:
    """Asks until it says what has ended the watch."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            await asyncio.sleep(0.02)
            try:
                events.follow({folder: 1}, {folder: {"config": ["ours"]}})
            except OSError as error:
                return str(error)


async def until_told(told: "asyncio.Queue[str]", path: Path) -> str:
    """Writes until something is told: when the library listens, nobody says."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            write(path)
            try:
                async with asyncio.timeout(0.5):
                    return await told.get()
            except TimeoutError:
                continue


async def test_a_change_is_told_of_the_files_that_are_asked_for_alone(tmp_path: Path) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    with closing(FolderEvents[str](changed=lambda keys: told_of(told, keys), missed=never)) as events:
        events.follow({tmp_path: 1}, {tmp_path: {"config": ["ours"]}})
        (tmp_path / "other").write_text("new")
        assert await until_told(told, tmp_path / "config") == "ours"


async def test_a_file_that_is_put_in_the_place_of_another_is_told_and_other_files_can_be_asked_for(
    tmp_path: Path,
) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    with closing(FolderEvents[str](changed=lambda keys: told_of(told, keys), missed=never)) as events:
        events.follow({tmp_path: 1}, {tmp_path: {"config": ["ours"]}})
        await until_told(told, tmp_path / "config")
        events.follow({tmp_path: 1}, {tmp_path: {"another": ["theirs"]}})
        assert await until_told(told, tmp_path / "another") == "theirs"


async def test_a_folder_that_cannot_be_watched_is_told_once_and_the_next_call_begins_anew(tmp_path: Path) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    gone = tmp_path / "gone"
    with closing(FolderEvents[str](changed=lambda keys: told_of(told, keys), missed=never)) as events:
        events.follow({gone: 1}, {gone: {"config": ["ours"]}})
        assert "o such file" in await until_refused(events, gone)
        gone.mkdir()
        events.follow({gone: 2}, {gone: {"config": ["ours"]}})
        assert await until_told(told, gone / "config") == "ours"


@pytest.mark.parametrize("folders", [0, 1])
async def test_it_closes_whether_it_listens_or_not(tmp_path: Path, folders: int) -> None:
    events = FolderEvents[str](changed=lambda keys: None, missed=never)
    events.follow({tmp_path: 1} if folders else {}, {tmp_path: {"config": ["ours"]}})
    await asyncio.sleep(0)
    events.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait({task}, timeout=_WITHIN_S)
        assert task.done()
