"""File events: which watched files may have changed, as the kernel tells it by inotify(7), read on the event loop.

Events are read in batches: the first at once, those behind it some milliseconds later, all that came till then in one
go. A thread that is woken for each event, of which a replaced file makes ten, costs more than all the looks that follow
(speed.md). Events alone go deaf without a word (see `files`): they only ever wake early. Not here: what has changed.
"""

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _DELETE, _ONLYDIR = 0x2, 0x4, 0x40, 0x80, 0x200, 0x01000000
# Not that a file was made or closed after a write: each write tells of itself, and each event has its price.
_MASK = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _DELETE | _ONLYDIR
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name with its padding
_MOST_BYTES = 262_144
_LEAST_PAUSE_S, _MOST_PAUSE_S, _PAUSE_A_FILE_S = 0.005, 0.1, 0.001  # the more change, the more go into one batch

Key = TypeVar("Key")


class FileEvents(Generic[Key]):
    """Calls `changed` with the keys whose file may have changed; `missed` where more happened than was told.

    Everything is called on the event loop. Close it.
    """

    def __init__(self, *, changed: Callable[[Collection[Key]], None], missed: Callable[[], None]) -> None:
        self._changed, self._missed = changed, missed
        self._descriptor = -1
        self._watches: dict[Path, tuple[object, int]] = {}
        self._names: dict[int, dict[bytes, list[Key]]] = {}
        self._files: Mapping[Path, Mapping[str, Collection[Key]]] | None = None
        self._next: asyncio.TimerHandle | None = None

    def follow(self, folders: Mapping[Path, object], files: Mapping[Path, Mapping[str, Collection[Key]]]) -> None:
        """Watches these folders, each with what tells it from another of its path, for these of their `files`.

        `files` is not changed afterwards. Raises OSError where one cannot be watched; all others are.
        """
        if self._descriptor < 0:
            self._descriptor = _called("inotify_init1", _NONBLOCK | _CLOEXEC)
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        gone = [folder for folder, (known, _) in self._watches.items() if folders.get(folder) != known]
        self._forget(gone)
        fresh = folders.keys() - self._watches.keys()
        if not gone and not fresh and files is self._files:
            return
        self._files = files
        trouble: OSError | None = None
        for folder in fresh:
            try:
                watch = _called("inotify_add_watch", self._descriptor, os.fsencode(folder), _MASK)
            except OSError as error:
                trouble = error
            else:
                self._watches[folder] = folders[folder], watch
        self._names = {}
        for folder, (_, watch) in self._watches.items():  # two paths of one folder have one watch
            names = self._names.setdefault(watch, {})
            for name, keys in files.get(folder, {}).items():
                names.setdefault(os.fsencode(name), []).extend(keys)
        if trouble is not None:
            raise trouble

    def _forget(self, folders: Iterable[Path]) -> None:
        left = {self._watches.pop(folder)[1] for folder in folders}
        for watch in left - {watch for _, watch in self._watches.values()}:
            with suppress(OSError):  # it went with its folder
                _called("inotify_rm_watch", self._descriptor, watch)

    def _read(self) -> None:
        """Takes what has come; then waits a little, that more may come, and listens again once nothing did."""
        loop = asyncio.get_running_loop()
        try:
            told = os.read(self._descriptor, _MOST_BYTES)
        except BlockingIOError:
            self._next = None
            loop.add_reader(self._descriptor, self._read)
            return
        if self._next is None:
            loop.remove_reader(self._descriptor)
        keys, missed = self._keys_of(told)
        pause_s = min(_LEAST_PAUSE_S + len(keys) * _PAUSE_A_FILE_S, _MOST_PAUSE_S)
        self._next = loop.call_later(pause_s, self._read)
        if missed:
            self._missed()
        elif keys:
            self._changed(keys)

    def _keys_of(self, told: bytes) -> tuple[Collection[Key], bool]:
        """Whose files some events are about, and whether there were more than the kernel keeps."""
        keys: dict[Key, None] = {}
        head, place, end, missed = _HEAD.unpack_from, 0, len(told), False
        watched, names = 0, dict[bytes, list[Key]]()
        while place < end:
            watch, mask, _, length = head(told, place)
            begin, place = place + 16, place + 16 + length
            if watch != watched:
                watched, names = watch, self._names.get(watch, {})
            if mask & (_OVERFLOW | _IGNORED):
                missed = missed or bool(mask & _OVERFLOW)
                if mask & _IGNORED:
                    self._forget([folder for folder, (_, held) in self._watches.items() if held == watch])
                continue
            for key in names.get(told[begin:place].rstrip(b"\0"), ()):
                keys[key] = None
        return keys, missed

    def close(self) -> None:
        """Listens no more."""
        if self._next is not None:
            self._next.cancel()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)


def _called(function: str, *arguments: int | bytes) -> int:
    """What a function of the C library gives. Raises OSError."""
    found = getattr(ctypes.CDLL(None, use_errno=True), function, None)
    if found is None:
        raise OSError(0, f"this system has no {function}")
    number: int = found(*arguments)
    if number < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return number
