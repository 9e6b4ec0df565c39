"""What /proc tells of one process: its parent, its start, its owner. Not here: all of them, and what they use."""

import os
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

_DEAD = frozenset("ZXx")
_MOST_GENERATIONS = 1000


class Stat(NamedTuple):
    """A part of /proc/PID/stat (proc(5)). Ticks are `TICKS_PER_S` a second; `started_ticks` since boot."""

    pid: int
    comm: str
    state: str
    parent: int
    cpu_ticks: int
    threads: int
    started_ticks: int
    rss_bytes: int

    @property
    def is_dead(self) -> bool:
        """A zombie, or one that is being reaped."""
        return self.state in _DEAD


def ticks_since_boot() -> int:
    """Now, on the clock of `started_ticks`."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS_PER_S)


def read_stat(pid: int) -> Stat | None:
    """The process as it is now, None where there is none. Raises PermissionError and OSError."""
    raw = read_proc(f"/proc/{pid}/stat", 4096)
    if not raw:
        return None
    name, _, rest = raw.partition(b"(")[2].rpartition(b")")
    fields = rest.split()
    return Stat(
        pid,
        name.decode("utf-8", "replace"),
        fields[0].decode(),
        int(fields[1]),
        int(fields[11]) + int(fields[12]),
        int(fields[17]),
        int(fields[19]),
        int(fields[21]) * PAGE_BYTES,
    )


def read_proc(path: str, limit_bytes: int) -> bytes:
    """The first bytes of a file of /proc, empty where the process is gone. Raises PermissionError and OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    try:
        return os.read(descriptor, limit_bytes)
    except ProcessLookupError:
        return b""
    finally:
        os.close(descriptor)


@cache
def boot_time_s() -> float:
    """When this machine started, Unix seconds; read once, so that a clock step moves no process's start."""
    try:
        with Path("/proc/stat").open(encoding="ascii", errors="replace") as lines:
            return next(float(line.split()[1]) for line in lines if line.startswith("btime "))
    except (OSError, StopIteration, ValueError):
        return float(round(boot_time_now_s()))


def boot_time_now_s() -> float:
    """The same by the wall clock as it stands now."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def started_at_s(stat: Stat) -> float:
    """Unix seconds, equal to the tick at each look at the same life."""
    return boot_time_s() + stat.started_ticks / TICKS_PER_S


def uptime_s(stat: Stat) -> float:
    """How long it has run, a suspend included; no wall clock has a part in it."""
    return max(0.0, (ticks_since_boot() - stat.started_ticks) / TICKS_PER_S)


def line_of(pid: int) -> list[int]:
    """`pid`, its parent, its parent's parent and so on, as far as /proc shows them."""
    line: list[int] = []
    while pid > 0 and len(line) < _MOST_GENERATIONS:
        line.append(pid)
        try:
            stat = read_stat(pid)
        except PermissionError:
            break
        pid = stat.parent if stat else 0
    return line


def uid_of_process(pid: int) -> int | None:
    """The effective uid, None where the process is gone or hidden. The owner of its folder can be root's instead."""
    try:
        with Path(f"/proc/{pid}/status").open("rb") as lines:
            return next((int(line.split()[2]) for line in lines if line.startswith(b"Uid:")), None)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
