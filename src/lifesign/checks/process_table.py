"""The processes of this machine, read from /proc and remembered between looks.

To read 300 processes whole opens 600 files and takes 8 ms; a look opens those of new and young processes and of one
in sixteen of the others. So a remembered command line can be out of date (after an exec): whoever wants to condemn asks
for a thorough refresh first. Not here: which process is looked for (`process`).
"""

import os
import time
from collections.abc import Iterable, Iterator

from lifesign.processes.stat import TICKS_PER_S, read_proc, read_stat, ticks_since_boot
from lifesign.records import dataclass

_COMMAND_LINE_BYTES = 16 * 1024  # what of a command line is read; a longer one is matched by its beginning
_SETTLED_TICKS = 3 * TICKS_PER_S  # a younger process may be between its fork and its exec
_TURNS = 16
_AT_ONCE = 128  # processes read at most without a chance for everything else on the loop
_FRESH_NS = 50_000_000  # who only asks whether all is as it was shares one reading with others
_SLICE = 64  # processes read between two chances for everything else on the loop


@dataclass(frozen=True, slots=True)
class Process:
    """One process as it was last read. `command_line`: joined by spaces; the name of one that has none."""

    pid: int
    started_ticks: int
    comm: str
    command_line: str
    names: frozenset[str]
    is_dead: bool
    is_settled: bool

    def runs(self, program: bytes) -> bool:
        """Whether `program`, as `read_program` gives it, is what it was last seen to run."""
        comm, _, raw = program.partition(b"\n")
        return comm.decode("utf-8", "replace") == self.comm and (_line(raw) or self.comm) == self.command_line


def read_program(pid: int) -> bytes:
    """Its name and its command line as /proc has them, empty where it is gone. Raises PermissionError and OSError."""
    comm = read_proc(f"/proc/{pid}/comm", 64)
    return comm + read_proc(f"/proc/{pid}/cmdline", _COMMAND_LINE_BYTES) if comm else b""


def _line(raw: bytes) -> str:
    return " ".join(_arguments(raw))


def _arguments(raw: bytes) -> list[str]:
    return [part.decode("utf-8", "replace") for part in raw.rstrip(b"\0").split(b"\0")] if raw else []


def read_process(pid: int, known: Process | None = None) -> Process | None:
    """The process with its command line; what `known` is of the same life stays where nothing changed."""
    stat = read_stat(pid)
    if stat is None:
        return None
    try:
        raw = read_proc(f"/proc/{pid}/cmdline", _COMMAND_LINE_BYTES)
    except PermissionError:
        raw = b""
    same_life = known is not None and known.started_ticks == stat.started_ticks
    if known is not None and same_life and stat.is_dead:  # a zombie has lost its command line; we remember it
        line, names = known.command_line, known.names
    else:
        arguments = _arguments(raw)
        line, names = " ".join(arguments) or stat.comm, _names(stat.comm, arguments)
    is_settled = ticks_since_boot() - stat.started_ticks > _SETTLED_TICKS
    found = Process(pid, stat.started_ticks, stat.comm, line, names, stat.is_dead, is_settled)
    return known if found == known else found


def _names(comm: str, arguments: list[str]) -> frozenset[str]:
    """What the process is called: its comm, the base of argv[0], and what the kernel cut to make a comm of 15 bytes."""
    bases = [argument.rpartition("/")[2] for argument in arguments[:2]]
    return frozenset([comm, *bases[:1], *(base for base in bases if len(comm) >= 15 and base.startswith(comm))])


class ProcessTable:
    """All processes, read by and by. One table serves every process check of a monitor."""

    def __init__(self) -> None:
        self._known: dict[int, Process] = {}
        self._turn = 0
        self._fresh_until_ns = 0
        self.version = 0
        """Another number whenever a process has come, gone or changed."""
        self.hides_others = False
        """/proc does not show the processes of other users (mount option `hidepid`)."""

    def __iter__(self) -> Iterator[Process]:
        return iter(tuple(self._known.values()))

    def get(self, pid: int) -> Process | None:
        """The process as it was last read."""
        return self._known.get(pid)

    async def refresh(self, *, thorough: bool = False) -> None:
        """Reads what is new, young or next in turn; with `thorough` everything. Raises OSError."""
        await self._read_all(self._next(thorough))

    def refresh_at_once(self) -> bool:
        """The same for who only asks whether all is as it was; False where it would take too long. Raises OSError."""
        now_ns = time.monotonic_ns()
        if now_ns < self._fresh_until_ns:
            return True
        due = self._next(thorough=False)
        if len(due) > _AT_ONCE:
            return False
        for pid in due:
            self.read_again(pid)
        self._fresh_until_ns = now_ns + _FRESH_NS
        return True

    def _next(self, thorough: bool) -> tuple[int, ...]:
        """Forgets who is gone, and tells who is to be read."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names alone are wanted
        present = set(pids)
        for pid in self._known.keys() - present:
            self._forget(pid)
        self._turn = (self._turn + 1) % _TURNS
        self.hides_others = 1 not in present
        return tuple(self._due(pids, thorough))

    def _due(self, pids: Iterable[int], thorough: bool) -> Iterator[int]:
        for pid in pids:
            known = self._known.get(pid)
            if thorough or known is None or not known.is_settled or pid % _TURNS == self._turn:
                yield pid

    async def _read_all(self, pids: tuple[int, ...]) -> None:
        for count, pid in enumerate(pids, 1):
            self.read_again(pid)
            if count % _SLICE == 0:
                from asyncio import sleep

                await sleep(0)

    def read_again(self, pid: int) -> Process | None:
        """One process as it is now, None where it is gone or hidden."""
        known = self._known.get(pid)
        try:
            process = read_process(pid, known)
        except PermissionError:
            self.hides_others = True
            process = None
        if process is None:
            self._forget(pid)
        elif process is not known:
            self._known[pid] = process
            self.version += 1
        return process

    def _forget(self, pid: int) -> None:
        if self._known.pop(pid, None) is not None:
            self.version += 1
