"""Seeing the processes that a check means: all that match, or the one that a number names. Facts, no verdict."""

import os
from dataclasses import replace

from lifesign.checks.file_reading import Signature
from lifesign.checks.kinship import Kinship
from lifesign.checks.process_selection import Selection
from lifesign.checks.process_table import Process, ProcessTable
from lifesign.processes.stat import Stat, boot_time_now_s, boot_time_s, read_stat, started_at_s, uid_of_process
from lifesign.records import dataclass

_PIDFILE_SLACK_S = 5.0  # a daemon may write its pidfile before its last fork


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found: the living, the dead that match, and why a named pid does not count."""

    alive: tuple[Stat, ...] = ()
    zombies: tuple[int, ...] = ()
    reason: str = ""
    is_hidden: bool = False
    signature: Signature | None = None  # of the pidfile


class Eyes:
    """Of one check. `uid`: whose processes alone count, None for everybody's."""

    def __init__(self, selection: Selection, table: ProcessTable) -> None:
        self.uid: int | None = None
        self._selection = selection
        self._table = table
        self._kinship = Kinship()

    async def see_all(self, *, thorough: bool) -> Sight:
        await self._table.refresh(thorough=thorough)
        # What matched is read once more, because a number can have a new owner, and a process a new program.
        matched = (self._table.read_again(process.pid) for process in self._selection.among(self._table))
        candidates = [process for process in matched if process and self._selection.matches(process)]
        sight = self._sift(self._kinship.strangers(candidates))
        return replace(sight, is_hidden=self._table.hides_others and self.uid != os.geteuid())

    def see_pid(self, pid: int, by: str, signature: Signature | None = None) -> Sight:
        """The one process that a number names, where it is what it should be. `signature`: of the pidfile that does."""
        process = self._table.read_again(pid)
        if process is None:
            return self._see_nobody(pid, by, in_file=signature is not None)
        if not self._kinship.strangers([process]):
            return Sight(reason=f"pid {pid} is lifesign itself or its kin, which never counts")
        if not self._selection.matches(process):
            return Sight(reason=f"pid {pid} is another process, not one that {self._selection.words()}")
        sight = self._sift([process])
        if sight.alive and signature is not None and _started_after(sight.alive[0], signature[3]):
            return Sight(reason=f"pid {pid} is another process (started after the pidfile was written)")
        if not sight.alive and not sight.zombies:
            return Sight(reason=f"pid {pid} is another user's process" if self.uid is not None else f"{by} is gone")
        return replace(sight, signature=signature)

    def _sift(self, candidates: list[Process]) -> Sight:
        alive: list[Stat] = []
        zombies: list[int] = []
        for process in candidates:
            stat = read_stat(process.pid)
            if stat is None or stat.started_ticks != process.started_ticks or not self._is_users(process.pid):
                continue
            if stat.is_dead:
                zombies.append(stat.pid)
            else:
                alive.append(stat)
        return Sight(tuple(alive), tuple(zombies))

    def _is_users(self, pid: int) -> bool:
        return self.uid is None or uid_of_process(pid) == self.uid

    def _see_nobody(self, pid: int, by: str, *, in_file: bool) -> Sight:
        try:
            os.kill(pid, 0)  # signal 0 sends nothing; it tells whether anyone is there whom /proc hides
        except PermissionError:
            return Sight(is_hidden=True)
        except (ProcessLookupError, OverflowError):
            pass
        return Sight(reason=f"{by}, which is not running" if in_file else f"{by} is not running")


def _started_after(stat: Stat, written_ns: int) -> bool:
    """Whether it began after the pidfile was written, by the clock of our start and by that of now.

    A clock step between the two must not make a stranger of the right process.
    """
    earliest_boot_s = min(boot_time_s(), boot_time_now_s())
    started_s = earliest_boot_s + (started_at_s(stat) - boot_time_s())
    return started_s > written_ns / 1e9 + _PIDFILE_SLACK_S
