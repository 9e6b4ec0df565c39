"""File events and the stat sweep behind them.

The sweep is the truth: once a second it compares a signature of every watched file. One `awatch`
over all folders only looks at single files early, for events alone go deaf without a word: on a replaced file,
a folder made anew, a full queue, a network mount. A path that may hang is left to its own check,
which reads it in a disposable child.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lifesign.core.model import CheckId

SWEEP_S = 1.0
STEP_MS, DEBOUNCE_MS = 5, 30  # of watchfiles: how soon an event is told when all is quiet, and when it never is
FOLDERS_S = 5.0  # how often the set of folders that exist is looked at again

logger = logging.getLogger(__name__)


class FileSweep:
    """Calls `wake` for the checks whose file has changed.

    `signature` tells two states of a file apart and does not block; `may_hang` says which paths must
    not be touched from here.
    """

    def __init__(
        self,
        paths: Mapping[CheckId, Path],
        *,
        wake: Callable[[CheckId], None],
        signature: Callable[[Path], object],
        may_hang: Callable[[Path], bool],
    ) -> None:
        self._paths = dict(paths)
        self._wake = wake
        self._signature = signature
        self._may_hang = may_hang
        self._seen: dict[CheckId, object] = {}
        self._folders: dict[Path, object] = {}

    async def run(self) -> None:
        """Sweeps until cancelled."""
        if not self._paths:
            return
        self.sweep(first=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep_for_ever())
            group.create_task(self._listen_for_ever())

    def sweep(self, *, first: bool = False) -> None:
        """Compares every file once."""
        self._compare(self._paths, first=first)

    def _compare(self, checks: Iterable[CheckId], *, first: bool = False) -> None:
        for check in checks:
            path = self._paths[check]
            if self._may_hang(path):
                continue
            signature = self._signature(path)
            if signature != self._seen.get(check):
                self._seen[check] = signature
                if not first:
                    self._wake(check)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep()

    async def _listen_for_ever(self) -> None:
        """Keeps one `awatch` on the folders that exist; begins anew when that set has changed."""
        told = False
        while True:
            self._folders = self._existing_folders()
            if not self._folders:
                await asyncio.sleep(FOLDERS_S)
                continue
            try:
                await self._listen()
            except (OSError, RuntimeError) as error:  # watchfiles: a folder went, or no watch is left
                if not told:
                    logger.warning("file events are off, the sweep goes on without them: %s", error)
                told = True
                await asyncio.sleep(FOLDERS_S)

    async def _listen(self) -> None:
        stop = asyncio.Event()
        named: dict[str, list[CheckId]] = {}
        for check, path in self._paths.items():
            named.setdefault(str(path), []).append(check)
        async with asyncio.TaskGroup() as group:
            guard = group.create_task(self._until_folders_change(stop))
            async for changes in _changes(list(self._folders), named, stop):
                for name in {name for _, name in changes}:
                    self._compare(named.get(name, ()))
            guard.cancel()

    async def _until_folders_change(self, stop: asyncio.Event) -> None:
        while self._existing_folders() == self._folders:  # noqa: ASYNC110  the file system sets no event
            await asyncio.sleep(FOLDERS_S)
        stop.set()

    def _existing_folders(self) -> dict[Path, object]:
        folders: dict[Path, object] = {}
        for folder in {path.parent for path in self._paths.values()}:
            if self._may_hang(folder):
                continue
            with suppress(OSError):
                status = folder.stat()
                folders[folder] = (status.st_dev, status.st_ino)
        return folders


def _changes(folders: list[Path], names: Collection[str], stop: asyncio.Event) -> AsyncIterator[Any]:
    from watchfiles import Change, awatch

    def is_ours(_change: Change, name: str) -> bool:
        return name in names

    return awatch(*folders, watch_filter=is_ours, step=STEP_MS, debounce=DEBOUNCE_MS, stop_event=stop, recursive=False)
