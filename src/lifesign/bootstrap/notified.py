"""Beats by the sd_notify protocol: one datagram socket for each push check, at `state_dir/notify/COMPONENT.CHECK`.

Any program of systemd's `Type=notify` beats there once NOTIFY_SOCKET names it. After sd_notify(3): lines of KEY=VALUE,
nobody answers. `WATCHDOG=1` and `READY=1` are beats, `STOPPING=1` is an orderly end, `WATCHDOG=trigger` and `ERRNO=`
are failures, `STATUS=` is shown; all else is left alone. Who may write is who may use the daemon's own socket.
Not here: what a beat means.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from lifesign.api.address import fits
from lifesign.api.sockets import group_id_of
from lifesign.bootstrap.beats import Beats
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.core.model import CheckId, Observation, Verdict, WorkSignal
from lifesign.text import clean

FOLDER = "notify"
FOLLOWS_EVERY_S = 1.0  # how soon the sockets are those of another config
_MOST_BYTES = 4096  # of one message, as systemd takes
_MOST_AT_ONCE = 64  # messages of one socket before others have their turn

logger = logging.getLogger(__name__)


def read_message(raw: bytes, now_wall_ns: int) -> Observation | None:
    """The beat in one datagram; None where it tells nothing of work."""
    lines = (line.partition("=") for line in raw.decode("utf-8", "replace").split("\n"))
    told = {key: value for key, equals, value in lines if equals}
    status = clean(told.get("STATUS", ""), 200)
    tail = f": {status}" if status else ""
    if told.get("WATCHDOG") == "trigger":
        return Observation(Verdict.FAIL, f"the program asks to be taken for hung{tail}")
    if told.get("ERRNO", "0").strip() not in ("", "0"):
        return Observation(Verdict.FAIL, f"the program tells error {clean(told['ERRNO'], 20)}{tail}")
    signal = WorkSignal(now_wall_ns)
    if told.get("STOPPING") == "1":
        return Observation(Verdict.OK, f"stopping in an orderly way{tail}", signal=signal)
    if "1" in (told.get("WATCHDOG"), told.get("READY")):
        return Observation(Verdict.OK, status, signal=signal)
    return None


class NotifySockets:
    """The sockets of the push checks of now. `wake`: told of each check that has beaten."""

    def __init__(self, state: StateFolder, group: str | None, beats: Beats, wake: Callable[[CheckId], None]) -> None:
        self._state = state
        self._folder = state.path.absolute() / FOLDER
        self._group_id = group_id_of(group)
        self._beats = beats
        self._wake = wake
        self._open: dict[CheckId, socket.socket | None] = {}
        self._folder_seen: tuple[int, int] | None = None

    async def run(self) -> None:
        """Hears until cancelled; takes the sockets away then."""
        try:
            while True:
                self._follow()
                await asyncio.sleep(FOLLOWS_EVERY_S)
        finally:
            for check in list(self._open):
                self._close(check)

    def _follow(self) -> None:
        if self._state.other_holder():
            return  # what is there is theirs
        wanted = self._beats.makers.keys()
        for check in [known for known in self._open if known not in wanted]:
            self._close(check)
        if self._folder_changed():
            for check in [known for known, heard in self._open.items() if heard and not self._path(known).is_socket()]:
                logger.warning("somebody took %s away: it was made anew", self._path(check))
                self._close(check)
        for check in [asked for asked in wanted if self._open.get(asked) is None]:
            try:
                self._open[check] = heard = self._bound(self._path(check))
                asyncio.get_running_loop().add_reader(heard, self._hear, check, heard)
                self._folder_seen = 0, 0  # not with this socket: it may be gone before we look again
            except OSError as error:  # told once, and tried again: beats over HTTP go on
                if check not in self._open:
                    logger.warning("no sd_notify socket for %s.%s: %s", check.component, check.check, error)
                self._open[check] = None

    def _folder_changed(self) -> bool:
        """Whether a file was made in the folder, or taken away, since we looked last."""
        try:
            found = self._folder.stat()
            seen = found.st_ino, found.st_mtime_ns
        except OSError:
            seen = None
        before, self._folder_seen = self._folder_seen, seen
        return seen != before

    def _path(self, check: CheckId) -> Path:
        return self._folder / f"{check.component}.{check.check}"

    def _bound(self, path: Path) -> socket.socket:
        if not fits(path):
            raise OSError(f"{path} is too long for a socket: choose a shorter state_dir")
        self._folder.mkdir(mode=0o700 if self._group_id is None else 0o750, exist_ok=True)
        path.unlink(missing_ok=True)  # of a daemon that died: the folder is locked to us
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            os.fchmod(heard.fileno(), 0o600)
            heard.bind(str(path))
            if self._group_id is not None:
                for shared, mode in ((self._folder, 0o750), (path, 0o660)):
                    os.chown(shared, -1, self._group_id)
                    shared.chmod(mode)
        except BaseException:
            heard.close()
            raise
        return heard

    def _close(self, check: CheckId) -> None:
        heard = self._open.pop(check)
        if heard is not None:
            asyncio.get_running_loop().remove_reader(heard)
            heard.close()
            if not self._state.other_holder():
                self._path(check).unlink(missing_ok=True)

    def _hear(self, check: CheckId, heard: socket.socket) -> None:
        for _ in range(_MOST_AT_ONCE):
            try:
                raw = heard.recv(_MOST_BYTES)  # descriptors that come along are closed by the kernel
            except OSError:
                return
            beat = read_message(raw, time.time_ns())
            if beat is not None and self._beats.hear(check, beat):
                self._wake(check)
