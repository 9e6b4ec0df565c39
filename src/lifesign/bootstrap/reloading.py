"""Reading the config anew while it runs: when its file has changed, and when somebody asks (SIGHUP).

A file that cannot be used changes nothing: the config that runs goes on, and the rejection is told. A save is often
seen half done (an editor that truncates first, a folder made anew), so what cannot be used is read once more, a short
while after the last change, before it is rejected. It is read in a thread: neither a long file nor a slow disk holds
up the watch. On a mount that may hang the file is first read by a disposable child, and only if it answers by us.
Not here: what changes by it (`difference`), and the swap (`daemon`).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from lifesign.api.documents import ConfigInfo
from lifesign.api.sockets import group_id_of
from lifesign.bootstrap.difference import Difference
from lifesign.checks.files import FileFaultError, FileUnknownError, read_outside, signature
from lifesign.checks.mounts import LOCAL, may_hang
from lifesign.config import Config, ConfigError, load
from lifesign.config.source import LIMIT_BYTES
from lifesign.core.events import EventName
from lifesign.core.model import JsonValue
from lifesign.engine.clock import read_clocks
from lifesign.engine.files import FileSweep
from lifesign.engine.folder_events import FolderEvents
from lifesign.records import dataclass
from lifesign.text import clean, format_timestamp

SETTLE_S = 0.05  # one save is several events
RETRY_S = 0.4
GIVE_UP_S = 5.0  # a file that is changed without end is rejected all the same
READ_TIMEOUT_S = 10.0
REMOTE_EVERY_S = 10.0  # how often a file on a mount that may hang is looked at
MOST_TOLD = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a file was not taken: every mistake, one a line, with the place."""

    mistakes: Sequence[str]

    @property
    def words(self) -> str:
        """In one line: the first mistake, how many there are, what to do."""
        more = len(self.mistakes) - 1
        also = f" (and {more} more mistake{'s' if more > 1 else ''})" if more else ""
        return f"{self.mistakes[0]}{also}: correct it; the config that was loaded before goes on"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that can be used, and what its secrets are at this moment."""

    config: Config
    secrets: Sequence[str]


class Reloader:
    """Keeps the running config true to its file. `swap` takes a config and its secrets over; what that changed.

    `tell` gets what happened: the event, its words, its data. Everything is called on the event loop.
    """

    def __init__(
        self,
        config: Config,
        *,
        swap: Callable[[Config, Sequence[str]], Difference],
        tell: Callable[[EventName, str, dict[str, JsonValue]], None],
    ) -> None:
        self._path = config.path
        self._stamp = config.stamp
        self._swap = swap
        self._tell = tell
        self._wanted = asyncio.Event()
        self._by_hand = False
        self._reading: asyncio.Task[Loaded | Rejection] | None = None
        self._loaded_at = format_timestamp(read_clocks().wall_ns)
        self._rejected: str | None = None

    @property
    def info(self) -> ConfigInfo:
        """Since when the present config runs, and why its file is not what runs."""
        return ConfigInfo(loaded_at=self._loaded_at, rejected=self._rejected)

    def ask(self, *, by_hand: bool = False) -> None:
        """The file has changed, or somebody wants it read (`by_hand`: then it is told even if nothing has changed)."""
        self._by_hand = self._by_hand or by_hand
        self._wanted.set()

    async def run(self) -> None:
        """Reads whenever it is asked to, until cancelled."""
        if self._path is None:
            return
        seen = {self._path: self._stamp}  # a change since it was read is seen by the first sweep
        near = FileSweep(
            {self._path: self._path},
            wake=lambda _: self.ask(),
            signature=signature,
            may_hang=LOCAL.may_hang,
            seen=seen,
            events=FolderEvents,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(near.run())
            if may_hang(self._path):
                group.create_task(self._watch_from_afar(self._path))
            while True:
                await self._wanted.wait()
                try:
                    await self._reload(self._path)
                except Exception:  # a bug of ours in taking over must not end a watch that works
                    logger.exception("the config could not be taken over")

    async def _watch_from_afar(self, path: Path) -> None:
        """No event and no stat of ours can be trusted there: what a child reads is compared."""
        seen: object = self._stamp
        while True:
            await asyncio.sleep(REMOTE_EVERY_S)
            try:
                reading = await read_outside(path, LIMIT_BYTES, tail=False, timeout_s=READ_TIMEOUT_S)
            except (FileUnknownError, FileFaultError):
                continue  # nobody can say whether it changed
            found = None if reading is None else reading.signature
            if found != seen:
                seen = found
                self.ask()

    async def _reload(self, path: Path) -> None:
        found = await self._read_settled(path)
        by_hand, self._by_hand = self._by_hand, False
        if isinstance(found, Rejection):
            self._rejected = found.words
            told: list[JsonValue] = [*found.mistakes[:MOST_TOLD]]
            self._tell(EventName.CONFIG_REJECTED, found.words, {"mistakes": len(found.mistakes), "told": told})
            return
        was_rejected, self._rejected = self._rejected is not None, None
        changes = self._swap(found.config, found.secrets)
        if changes or by_hand or was_rejected:
            self._loaded_at = format_timestamp(read_clocks().wall_ns)
            self._tell(EventName.CONFIG_RELOADED, changes.words, changes.data)

    async def _read_settled(self, path: Path) -> Loaded | Rejection:
        """What the file says once it rests; a file that is not usable gets a second chance."""
        loop = asyncio.get_running_loop()
        began_s, pause_s = loop.time(), SETTLE_S
        while True:
            self._wanted.clear()
            await asyncio.sleep(pause_s)
            if self._wanted.is_set() and loop.time() - began_s < GIVE_UP_S:
                continue  # it is still being written
            found = await self._read(path)
            if not isinstance(found, Rejection) or (pause_s == RETRY_S and not self._wanted.is_set()):
                return found
            if loop.time() - began_s >= GIVE_UP_S:
                return found
            pause_s = RETRY_S

    async def _read(self, path: Path) -> Loaded | Rejection:
        """Reads once. A reader that hangs is waited for no second time, and followed by no second one."""
        if self._reading is None:
            self._reading = asyncio.create_task(_read_anywhere(path), name="config")
        done, _ = await asyncio.wait({self._reading}, timeout=READ_TIMEOUT_S)
        if not done:
            return Rejection([f"{clean(str(path))}: its file system does not answer"])
        task, self._reading = self._reading, None
        return task.result()


async def _read_anywhere(path: Path) -> Loaded | Rejection:
    try:
        if may_hang(path):
            await read_outside(path, LIMIT_BYTES, tail=False, timeout_s=READ_TIMEOUT_S - 1)
        return await asyncio.to_thread(_load, path)
    except ConfigError as error:
        return Rejection([str(problem) for problem in error.problems])
    except (FileUnknownError, FileFaultError, ValueError, OSError) as error:
        return Rejection([clean(str(error), 300)])
    except Exception as error:  # a bug of ours in reading must not end a watch that works
        logger.exception("the config could not be read")
        return Rejection([clean(f"lifesign itself failed: {type(error).__name__}: {error}", 300)])


def _load(path: Path) -> Loaded:
    """As at the start. Raises ConfigError, or ValueError for a group that this machine does not have."""
    config = load(path)
    try:
        group_id_of(config.monitor.socket_group)
    except ValueError as error:
        raise ValueError(f"{path}: monitor.{error}") from None
    return Loaded(config, [secret.reveal() for secret in config.secrets])
