"""File events by the watchfiles library: for the few files that change seldom, and for all of them where no inotify is.

It is told of every system's events, by a thread of its own that is woken for each: a thousand beating files are better
read by `file_events`. Events alone go deaf without a word (see `files`): they only ever wake early.
"""

import asyncio
import importlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Generic, TypeVar

STEP_MS, DEBOUNCE_MS = 50, 200  # how soon an event is told when all is quiet, and when it never is

Key = TypeVar("Key")


class FolderEvents(Generic[Key]):
    """Calls `changed` with the keys whose file may have changed. Everything is called on the event loop. Close it.

    `missed` is for what else there is of this kind: the library tells of a full queue by the names that it has.
    """

    def __init__(self, *, changed: Callable[[Collection[Key]], None], missed: Callable[[], None]) -> None:
        del missed
        self._changed = changed
        self._folders: Mapping[Path, object] = {}
        self._keys: dict[str, list[Key]] = {}
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def follow(self, folders: Mapping[Path, object], files: Mapping[Path, Mapping[str, Collection[Key]]]) -> None:
        """Watches these folders, each with what tells it from another of its path, for these of their `files`.

        Raises OSError with what ended the watch before, of which none is left then; the next call begins anew.
        """
        keys = {str(folder / name): list(of) for folder in folders for name, of in files.get(folder, {}).items()}
        ended = None if self._task is None or not self._task.done() else self._task.exception()
        if self._task is None or self._task.done() or (folders, keys) != (self._folders, self._keys):
            self._stop.set()  # the one before ends by itself
            self._folders, self._keys, self._stop, self._task = folders, keys, asyncio.Event(), None
        if ended is not None:
            raise OSError(0, str(ended))
        if self._task is None and folders:
            self._task = asyncio.create_task(self._watch(list(folders), keys, self._stop), name="file events")

    async def _watch(self, folders: list[Path], keys: Mapping[str, list[Key]], stop: asyncio.Event) -> None:
        await asyncio.to_thread(importlib.import_module, "watchfiles")  # a twentieth of a second that no look waits for
        from watchfiles import Change, awatch

        def is_ours(_change: Change, name: str) -> bool:
            return name in keys

        told = awatch(
            *folders, watch_filter=is_ours, step=STEP_MS, debounce=DEBOUNCE_MS, stop_event=stop, recursive=False
        )
        async for changes in told:
            self._changed([key for name in {name for _, name in changes} for key in keys[name]])

    def close(self) -> None:
        """Listens no more."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
