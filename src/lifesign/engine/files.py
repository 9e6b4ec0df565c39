"""File events and the stat sweep behind them.

The sweep is the truth: once a second it compares a signature of every watched file. One `awatch`
over all folders only looks at single files early, for events alone go deaf without a word: on a replaced file,
a folder made anew, a full queue, a network mount. A path that may hang is left to its own check,
which reads it in a disposable child.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

SWEEP_S = 1.0
SLICE = 500  # so many files are compared before others have their turn: about a millisecond
STEP_MS, DEBOUNCE_MS = 5, 30  # of watchfiles: how soon an event is told when all is quiet, and when it never is
FOLDERS_S = 5.0  # how often the set of folders that exist is looked at again

Key = TypeVar("Key", bound=Hashable)

logger = logging.getLogger(__name__)


class FileSweep(Generic[Key]):
    """Calls `wake` for the keys whose file has changed.

    `signature` tells two states of a file apart and does not block; `may_hang` says which paths must
    not be touched from here. `seen`: signatures of before; where there is none, the first one found is that.
    """

    def __init__(
        self,
        paths: Mapping[Key, Path],
        *,
        wake: Callable[[Key], None],
        signature: Callable[[Path], object],
        may_hang: Callable[[Path], bool],
        seen: Mapping[Key, object] | None = None,
    ) -> None:
        self._paths = dict(paths)
        self._wake = wake
        self._signature = signature
        self._may_hang = may_hang
        self._seen: dict[Key, object] = dict(seen or {})
        self._folders: dict[Path, object] = {}
        self._followed = asyncio.Event()

    async def run(self) -> None:
        """Sweeps until cancelled."""
        if not self._paths:
            return
        self._compare([key for key in self._paths if key not in self._seen], first=True)
        self.sweep()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep_for_ever())
            group.create_task(self._listen_for_ever())

    def follow(self, paths: Mapping[Key, Path]) -> None:
        """Watches these files from now on; of one that was watched before, no change is missed by that."""
        fresh = [key for key in paths if self._paths.get(key) != paths[key]]
        self._seen = {key: seen for key, seen in self._seen.items() if key in paths and key not in fresh}
        self._paths = dict(paths)
        self._compare(fresh, first=True)
        self._followed.set()

    def sweep(self) -> None:
        """Compares every file once."""
        self._compare(list(self._paths))

    def _compare(self, keys: Iterable[Key], *, first: bool = False) -> None:
        for key in keys:
            path = self._paths.get(key)
            if path is None or self._may_hang(path):
                continue
            signature = self._signature(path)
            if signature != self._seen.get(key):
                self._seen[key] = signature
                if not first:
                    self._wake(key)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            keys = list(self._paths)
            for begin in range(0, len(keys), SLICE):  # ten thousand in one go would hold up every look
                self._compare(keys[begin : begin + SLICE])
                await asyncio.sleep(0)

    async def _listen_for_ever(self) -> None:
        """Keeps one `awatch` on the folders that exist; begins anew when that set has changed."""
        told = False
        while True:
            self._followed.clear()
            self._folders = self._existing_folders()
            if not self._folders:
                await self._until_followed(FOLDERS_S)
                continue
            error = await self._listen()
            if error is not None:
                if not told:
                    logger.warning("file events are off, the sweep goes on without them: %s", error)
                told = True
                await asyncio.sleep(FOLDERS_S)

    async def _listen(self) -> Exception | None:
        """Until other folders are to be watched; the trouble where events cannot be had."""
        stop = asyncio.Event()
        named: dict[str, list[Key]] = {}
        for key, path in self._paths.items():
            named.setdefault(str(path), []).append(key)
        async with asyncio.TaskGroup() as group:
            guard = group.create_task(self._until_folders_change(stop))
            try:
                async for changes in _changes(list(self._folders), named, stop):
                    for name in {name for _, name in changes}:
                        self._compare(named.get(name, ()))
            except (OSError, RuntimeError) as error:  # watchfiles: a folder went, or no watch is left
                return error
            finally:
                guard.cancel()
        return None

    async def _until_folders_change(self, stop: asyncio.Event) -> None:
        while self._existing_folders() == self._folders:
            if await self._until_followed(FOLDERS_S):
                break
        stop.set()

    async def _until_followed(self, timeout_s: float) -> bool:
        """Whether other files are watched than before; after `timeout_s` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._followed.wait()
        return self._followed.is_set()

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
