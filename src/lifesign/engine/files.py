"""File events and the stat sweep behind them.

The sweep is the truth: once a second it compares a signature of every watched file, but for those that were looked at
since the last one. Events of the folders only have single files looked at early, for events alone go deaf
without a word: on a replaced file, a folder made anew, a full queue, a network mount. A path that may hang is left to
its own check, which reads it in a disposable child.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from lifesign.engine.clock import monotonic_ns
from lifesign.engine.file_events import FileEvents
from lifesign.engine.folder_events import FolderEvents

SWEEP_S = 1.0
SLICE = 500  # so many files are compared before others have their turn: about a millisecond
FOLDERS_S = 5.0  # how often the set of folders that exist is looked at again

Key = TypeVar("Key", bound=Hashable)

logger = logging.getLogger(__name__)

Events: TypeAlias = type[FileEvents[Any]] | type[FolderEvents[Any]]
_EVENTS: Events = FileEvents if sys.platform == "linux" else FolderEvents


class FileSweep(Generic[Key]):
    """Calls `wake` with the keys whose file has changed.

    `signature` tells two states of a file apart and does not block; `may_hang` says which paths must
    not be touched from here. `seen`: signatures of before; where there is none, the first one found is that.
    `events`: what tells early of a change; `at_once`: they wake without a comparison, for who is woken compares himself
    and may be woken for nothing. `looked_ns`: when somebody last looked at a file, on the monotonic clock.
    """

    def __init__(
        self,
        paths: Mapping[Key, Path],
        *,
        wake: Callable[[Collection[Key]], None],
        signature: Callable[[Path], object],
        may_hang: Callable[[Path], bool],
        seen: Mapping[Key, object] | None = None,
        events: Events = _EVENTS,
        at_once: bool = False,
        looked_ns: Callable[[Key], int] = lambda _: -1,
    ) -> None:
        self._paths = dict(paths)
        self._wake = wake
        self._signature = signature
        self._may_hang = may_hang
        self._seen: dict[Key, object] = dict(seen or {})
        self._files = _by_folder(paths)
        self._events = events
        self._followed = asyncio.Event()
        self._at_once, self._looked_ns = at_once, looked_ns
        self._missed = asyncio.Event()
        self._heard: set[Key] = set()  # since the last sweep

    async def run(self) -> None:
        """Sweeps until cancelled."""
        self._compare([key for key in self._paths if key not in self._seen], first=True)
        self.sweep()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep_for_ever())
            group.create_task(self._listen_for_ever())

    def follow(self, paths: Mapping[Key, Path]) -> None:
        """Watches these files from now on; of one that was watched before, no change is missed by that."""
        fresh = [key for key in paths if self._paths.get(key) != paths[key]]
        self._seen = {key: seen for key, seen in self._seen.items() if key in paths and key not in fresh}
        self._paths, self._files = dict(paths), _by_folder(paths)
        self._compare(fresh, first=True)
        self._followed.set()

    def sweep(self) -> None:
        """Compares every file once."""
        self._compare(list(self._paths))

    def _hear(self, keys: Collection[Key]) -> None:
        """Events tell that these may have changed: the next sweep leaves them out."""
        self._heard.update(keys)
        if not self._at_once:
            self._compare(keys)
            return
        woken = [key for key in keys if (path := self._paths.get(key)) is not None and not self._may_hang(path)]
        if woken:
            self._wake(woken)

    def _compare(self, keys: Iterable[Key], *, first: bool = False) -> None:
        paths, seen, changed = self._paths, self._seen, []
        for key in keys:
            path = paths.get(key)
            if path is None or self._may_hang(path):
                continue
            signature = self._signature(path)
            if signature != seen.get(key):
                seen[key] = signature
                changed.append(key)
        if changed and not first:
            self._wake(changed)

    async def _sweep_for_ever(self) -> None:
        while True:
            since_ns = monotonic_ns()
            await _until(self._missed, SWEEP_S)
            heard, self._heard = self._heard, set()
            if self._missed.is_set():  # nobody knows of which files
                self._missed.clear()
                keys = list(self._paths)
            else:
                looked_ns = self._looked_ns
                keys = [key for key in self._paths if key not in heard and looked_ns(key) < since_ns]
            for begin in range(0, len(keys), SLICE):  # ten thousand in one go would hold up every look
                self._compare(keys[begin : begin + SLICE])
                await asyncio.sleep(0)

    async def _listen_for_ever(self) -> None:
        """Has the events of the folders that exist told; looks every few seconds whether that set has changed."""
        told = False
        with closing(self._events(changed=self._hear, missed=self._missed.set)) as events:
            while True:
                self._followed.clear()
                try:
                    events.follow(self._existing_folders(), self._files)
                except OSError as error:  # a folder went, or no watch is left
                    if not told:
                        logger.warning("some file events are off, the sweep goes on without them: %s", error)
                    told = True
                await _until(self._followed, FOLDERS_S)

    def _existing_folders(self) -> dict[Path, object]:
        folders: dict[Path, object] = {}
        for folder in self._files:
            if self._may_hang(folder):
                continue
            with suppress(OSError):
                status = folder.stat()
                folders[folder] = (status.st_dev, status.st_ino)
        return folders


async def _until(event: asyncio.Event, timeout_s: float) -> None:
    """Until it is set; for `timeout_s` at the longest."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()


def _by_folder(paths: Mapping[Key, Path]) -> dict[Path, dict[str, list[Key]]]:
    files: dict[Path, dict[str, list[Key]]] = {}
    for key, path in paths.items():
        files.setdefault(path.parent, {}).setdefault(path.name, []).append(key)
    return files
