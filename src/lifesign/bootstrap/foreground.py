"""Running a daemon in this process until it is told to stop. Not here: what a daemon is (`daemon`)."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

from lifesign.bootstrap.daemon import Daemon

_M_ARENA_MAX, _ARENAS = -8, 2
_M_MMAP_THRESHOLD, _LARGE_BYTES = -3, 131_072


def _give_memory_back() -> None:
    """Has all threads take memory from two places, and what is large from the system itself: see mallopt(3).

    By glibc's default each thread has a place of its own, and what was freed in one of eight is of no use to the seven
    others; and once a large piece was freed, pieces of its size stand between the small ones, where they leave holes. A
    daemon that runs for weeks grows by both. A C library without it does as it does.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def serve(daemon: Daemon, *, socket: Path | None = None, until_stdin_ends: bool = False) -> None:
    """Runs `daemon` on an event loop of its own until SIGTERM or SIGINT, or until standard input ends.

    SIGHUP makes it read its config anew, where it has one of its own; else it ends it too.
    """

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, daemon.stop)
        loop.add_signal_handler(signal.SIGHUP, daemon.reload if daemon.follows_its_file else daemon.stop)
        if until_stdin_ends:
            loop.add_reader(sys.stdin.fileno(), _read_stdin, daemon)
        await daemon.serve(socket)

    _give_memory_back()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(main())


def _read_stdin(daemon: Daemon) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        daemon.stop()
