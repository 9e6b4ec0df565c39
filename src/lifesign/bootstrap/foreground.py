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


def _share_arenas() -> None:
    """Has all threads take memory from two places, as mallopt(3) says; by glibc's default each would have its own.

    What was freed in one of eight places is of no use to the seven others: a daemon that runs for weeks grows by that.
    A C library without it does as it does.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


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

    _share_arenas()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(main())


def _read_stdin(daemon: Daemon) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        daemon.stop()
