"""What must survive us is told anew to a file that is not the one it was told to."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lifesign.bootstrap import keeping
from lifesign.bootstrap.keeping import FILE, Keeper
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.core.monitor import Monitor
from lifesign.core.spec import MonitorSpec
from lifesign.engine.clock import read_clocks
from tests.core.stage import check, component


@contextlib.asynccontextmanager
async def keeping_in(folder: StateFolder) -> AsyncIterator[Keeper]:
    """A keeper that saves again and again, of one component that nothing is observed of."""
    assert folder.hold() is None
    keeper = Keeper(folder, history_s=3600.0, announce=lambda document: None)
    monitor = Monitor(MonitorSpec((component("mind", check()),)), read_clocks())
    keeper.recall()
    keeper.follow(monitor)
    saving = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        saving.cancel()
        await keeper.close()
        folder.release()


async def until_kept(folder: StateFolder, *keys: str) -> None:
    """Until these, and no others, are found in the file that is there now."""
    deadline_s = time.monotonic() + 30
    while (found := kept_in(folder.path / FILE)) != set(keys):
        assert time.monotonic() < deadline_s, f"kept are {found}"
        await asyncio.sleep(0.02)


def kept_in(path: Path) -> set[str]:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return {key for (key,) in connection.execute("SELECT key FROM memory")}
    except sqlite3.Error:
        return set()


async def test_what_was_kept_in_a_folder_that_is_taken_away_is_kept_in_the_one_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SAVE_EVERY_S", 0.05)
    folder = StateFolder(tmp_path / "state")
    async with keeping_in(folder) as keeper:
        keeper.keep({"alerting/open": "1", "alerting/over": "2"})
        await until_kept(folder, "component/mind", "alerting/open", "alerting/over")
        keeper.keep({"alerting/over": None})
        await until_kept(folder, "component/mind", "alerting/open")
        folder.path.rename(tmp_path / "gone")
        assert folder.stays_held()
        keeper.keep({"alerting/new": "3"})
        await until_kept(folder, "component/mind", "alerting/open", "alerting/new")
        assert keeper.writable
