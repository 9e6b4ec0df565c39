"""Our own heartbeat file, so that another lifesign can watch this one: written after a finished round, by nobody else.

A monitor that is stopped, starved or blocked finishes no round, and its file goes stale. A thread writes it, so that no
slow disk ever holds up the watch: while one beat is being written the newer ones replace each other. Not here: what
systemd is told (`engine.notify`).
"""

import threading
from collections.abc import Callable
from pathlib import Path

from lifesign.bootstrap.state_folder import StateFolder, can_see
from lifesign.engine.clock import read_clocks
from lifesign.heartbeat import write_heartbeat

FILE = "heartbeat.json"
EVERY_NS = 1_000_000_000


class OwnHeartbeat:
    """Beats into `path` at most once a second. `write` is `write_heartbeat`, which never raises.

    `others`: in whose hands the folder is, empty where in ours: there nothing is written.
    """

    def __init__(
        self, path: Path, write: Callable[..., object] = write_heartbeat, *, others: Callable[[], str] = str
    ) -> None:
        self._path = path
        self._others = others
        self._write = write
        self._cycle = 0
        self._began_s = read_clocks().wall_ns / 1e9
        self._due_ns = 0
        self._newest: tuple[int, float] | None = None
        self._wake = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, folder: StateFolder) -> "OwnHeartbeat | None":
        """In `folder`; None where nothing can be written."""
        return cls(folder.path / FILE, others=folder.other_holder) if folder.writable else None

    def round_finished(self) -> None:
        """Counts a finished round, and hands a beat on where one is due. Never waits."""
        self._cycle += 1
        now = read_clocks()
        if now.mono_ns >= self._due_ns:
            self._due_ns = now.mono_ns + EVERY_NS
            self._newest = self._cycle, now.wall_ns / 1e9
            self._wake.set()

    def close(self, timeout_s: float = 0.5) -> None:
        """Says that this was an orderly end, if the disk lets it within `timeout_s`."""
        self._newest = self._cycle, read_clocks().wall_ns / 1e9
        self._is_over = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        is_over = False
        while not is_over:
            self._wake.wait()
            self._wake.clear()
            is_over, newest = self._is_over, self._newest
            # A folder that was taken away is not ours to make anew.
            if newest is not None and can_see(self._path.parent) and not self._others():
                cycle, timestamp_s = newest
                status = "stopping" if is_over else None  # None counts as not given
                self._write(self._path, cycle=cycle, timestamp=timestamp_s, started_at=self._began_s, status=status)
