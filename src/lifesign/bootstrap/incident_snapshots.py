"""Snapshots of incidents: the whole state, as JSON and as a page, in a folder when one opens and when it ends.

Incidents that come together share one look at the state. How many files there are, and how large they are together, is
bounded: the oldest go first. A folder that cannot be written costs a line in the log, never the watch. Not here: what
a page looks like (`tui.page`), and what `lifesign snapshot` writes (`cli.snapshot`).
"""

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from lifesign.api.backend import Backend
from lifesign.api.documents import State
from lifesign.api.journal import Journal
from lifesign.api.kept_events import Entry
from lifesign.heartbeat import replace_file

MOST_FILES = 400
MOST_BYTES = 256 * 1024 * 1024
GATHER_S = 0.5  # what opens within it shares one look at the state
_MOMENTS = {"component.down": "down", "component.recovered": "recovered"}
_OURS = re.compile(r"[A-Za-z0-9_.-]+-\d{8}T\d+Z-\d+-(down|recovered)\.(json|html)")

logger = logging.getLogger(__name__)


class IncidentSnapshots:
    """Of one daemon. `folder`: where they go at this moment, None for nowhere."""

    def __init__(self, backend: Backend, journal: Journal, folder: Callable[[], Path | None]) -> None:
        self._backend = backend
        self._journal = journal
        self._folder = folder
        self._trouble = ""

    async def run(self) -> None:
        """Until it is cancelled."""
        from lifesign.api.service import Service

        service, feed = Service(self._backend, self._journal), self._journal.subscribe()
        try:
            while (first := await feed.next()) is not None:
                if self._folder() is None or _name_of(first) is None:
                    continue
                await asyncio.sleep(GATHER_S)
                entries = [first]
                while not feed.queue.empty() and (entry := feed.queue.get_nowait()) is not None:
                    entries.append(entry)
                await self._take(service.state, [name for entry in entries if (name := _name_of(entry))])
        finally:
            self._journal.drop(feed)

    async def _take(self, look: Callable[[], Awaitable[State]], names: Sequence[str]) -> None:
        folder = self._folder()
        if folder is None:
            return
        trouble = ""
        try:
            await asyncio.to_thread(write_snapshots, folder, names, await look())
        except OSError as error:
            trouble = f"{folder}: {error.strerror or error}"
        if trouble and trouble != self._trouble:
            logger.warning("lifesign: warning: the snapshot of an incident cannot be written: %s", trouble)
        self._trouble = trouble


def _name_of(entry: Entry) -> str | None:
    """The name of the files that tell of the incident, at this moment of it; None where there is none to tell of."""
    moment, incident = _MOMENTS.get(entry.document.event), entry.document.incident
    return f"{incident}-{moment}" if moment and incident else None


def write_snapshots(folder: Path, names: Sequence[str], state: State) -> None:
    """Writes `state` under each of `names`, whole or not at all, and prunes the folder. Raises OSError."""
    from lifesign.tui.page import render_page

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    forms: Mapping[str, bytes] = {
        "json": msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n",
        "html": render_page(state).encode(),
    }
    for suffix, content in forms.items():
        first = folder / f"{names[0]}.{suffix}"
        replace_file(first, content)
        for name in dict.fromkeys(names[1 : MOST_FILES // len(forms)]):
            _link(first, folder / f"{name}.{suffix}", content)
    prune(folder)


def _link(first: Path, other: Path, content: bytes) -> None:
    """One file under two names; a copy where the file system knows no such thing."""
    if other == first:
        return
    try:
        other.unlink(missing_ok=True)
        os.link(first, other)
    except OSError:
        replace_file(other, content)


def prune(folder: Path, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
    """Deletes the oldest of our files until they are few and small enough. What others put there is left alone."""
    found = [(path.stat(), path) for path in folder.iterdir() if _OURS.fullmatch(path.name)]
    kept_bytes, seen = 0, set()
    for number, (info, path) in enumerate(sorted(found, key=lambda item: (-item[0].st_mtime_ns, item[1].name)), 1):
        kept_bytes += 0 if info.st_ino in seen else info.st_size
        seen.add(info.st_ino)
        if number > most_files or kept_bytes > most_bytes:
            path.unlink(missing_ok=True)
