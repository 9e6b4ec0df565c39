"""The process check: so many processes of this description exist, alive and within their limits.

A zombie is dead. lifesign, its ancestors and its descendants never count. A failure is only told after everything was
read anew. Not here: reading /proc (`process_table`), the description (`process_selection`), seeing (`process_sight`).
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lifesign.checks.file_reading import Signature, is_settled
from lifesign.checks.files import FileFaultError, FileUnknownError
from lifesign.checks.owner import uid_of_user
from lifesign.checks.pidfile import read_pidfile, read_pidfile_at_once
from lifesign.checks.probe import os_trouble
from lifesign.checks.process_memory import Kept, ProcessMemory
from lifesign.checks.process_selection import Selection, parse_count
from lifesign.checks.process_sight import Eyes, Sight
from lifesign.checks.process_table import ProcessTable
from lifesign.checks.process_usage import Usage, UsageMeter, total
from lifesign.core.model import Identity, Observation, Verdict
from lifesign.processes.stat import Stat, started_at_s
from lifesign.text import clean, format_size, format_timestamp

_SHARED_TABLE = ProcessTable()
_SHELLS = frozenset(("ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "sh", "zsh"))


class ProcessProbe:
    """Counts and measures the processes that meet every given description."""

    def __init__(
        self,
        *,
        pattern: str | None = None,
        name: str | None = None,
        pidfile: Path | None = None,
        pid: int | None = None,
        user: str | None = None,
        count: str = ">=1",
        max_rss_bytes: int | None = None,
        max_cpu: float | None = None,
        max_fds: int | None = None,
        timeout_s: float = 5.0,
        table: ProcessTable | None = None,
    ) -> None:
        """`max_cpu` in percent of one core; each limit holds for every matching process by itself.

        Raises ValueError for a bad pattern or count, and where nothing says which process is meant.
        """
        if pattern is None and name is None and pidfile is None and pid is None and user is None:
            raise ValueError("a process check needs one of pattern, name, pidfile, pid or user")
        self._selection = Selection(pattern=pattern, name=name, user=user)
        self._pidfile = None if pidfile is None else Path.cwd() / pidfile
        self._pid = pid
        self._user = user
        self._count = parse_count(count)
        self._limits = (max_rss_bytes, max_cpu, max_fds)
        self._timeout_s = timeout_s
        self._table = table or _SHARED_TABLE
        self._eyes = Eyes(self._selection, self._table)
        self._meter = UsageMeter()
        self._memory = ProcessMemory(self._selection, self._table, self._pidfile)
        self._loops: set[tuple[int, int]] = set()  # shells that have started what matches, by pid and start
        self._is_measured = self._limits != (None, None, None)

    def listen(self, told: Callable[[], None]) -> None:
        """Calls `told` at the moment at which a process that was seen alive dies."""
        self._memory.listen(told)

    def look_at_once(self, now_wall_ns: int) -> Observation | None:
        """The answer where all is as the last look saw it, or a number names the process; else only `look` can tell."""
        began_ns = time.monotonic_ns()
        try:
            kept = self._memory.recall()
            if kept is None:
                found = self._look_by_number(now_wall_ns)
            elif began_ns < kept.until_ns and not self._is_measured:
                return kept.observation
            else:
                found = self._measured(kept, began_ns)
        except OSError:
            return None
        return found and replace(found, latency_s=(time.monotonic_ns() - began_ns) / 1e9)

    def _measured(self, kept: Kept, now_ns: int) -> Observation | None:
        """The same processes as before, measured anew."""
        stats = self._memory.stats(kept)
        if stats is None:
            return None
        found = self._judge(Sight(tuple(stats)))
        self._memory.renew(kept, found, now_ns)
        return found

    def _look_by_number(self, now_wall_ns: int) -> Observation | None:
        if self._user is not None or (self._pid is None and self._pidfile is None):
            return None
        if self._pidfile is None:
            return self._kept(self._see_pid(None), now_wall_ns)
        in_file = read_pidfile_at_once(self._pidfile)
        return in_file and self._kept(self._see_pid(in_file), now_wall_ns)

    async def look(self, now_wall_ns: int) -> Observation:
        """Looks for the processes; never raises for what it finds."""
        from asyncio import timeout

        started = time.monotonic()
        try:
            async with timeout(self._timeout_s):
                found = await self._look(now_wall_ns)
        except TimeoutError:
            found = Observation(Verdict.UNKNOWN, "could not read the process table in time")
        except FileUnknownError as error:
            found = Observation(Verdict.UNKNOWN, str(error))
        except OSError as error:
            reason = os_trouble(error) or os.strerror(error.errno or 0)
            found = Observation(Verdict.UNKNOWN, f"could not read the process table: {reason}")
        return replace(found, latency_s=time.monotonic() - started)

    def close(self) -> None:
        """Releases what is held of the processes that were seen."""
        self._memory.forget()

    async def _look(self, now_wall_ns: int) -> Observation:
        if self._user is not None and self._eyes.uid is None:
            self._eyes.uid = await uid_of_user(self._user, self._timeout_s)
            if self._eyes.uid is None:
                return Observation(Verdict.UNKNOWN, f"there is no user {clean(self._user, 40)}")
        if self._pid is not None or self._pidfile is not None:
            return self._kept(await self._see_named(), now_wall_ns)
        sight = await self._eyes.see_all(thorough=False)
        if not self._count.holds(len(sight.alive)):
            sight = await self._eyes.see_all(thorough=True)
        return self._kept(sight, now_wall_ns)

    def _kept(self, sight: Sight, now_wall_ns: int) -> Observation:
        """The judgement; remembered where the next look may do with finding everything unchanged."""
        found = self._judge(sight)
        is_plain = self._count.holds(len(sight.alive)) and not (
            sight.zombies or sight.is_hidden or self._table.hides_others or self._eyes.uid is not None
        )
        if is_plain:
            # A pidfile may be written again within one tick of its clock: then it is read again. Its process is held.
            known = sight.signature if sight.signature and is_settled(sight.signature, now_wall_ns) else None
            all_of = self._pid is None and self._pidfile is None
            self._memory.keep(found, sight.alive, time.monotonic_ns(), known, all_of=all_of)
        else:
            self._memory.forget()
        return found

    async def _see_named(self) -> Sight:
        if self._pidfile is None:
            return self._see_pid(None)
        try:
            return self._see_pid(await read_pidfile(self._pidfile, self._timeout_s))
        except FileFaultError as error:
            return Sight(reason=str(error))

    def _see_pid(self, in_file: tuple[int, Signature] | None) -> Sight:
        if in_file is None:
            return self._eyes.see_pid(self._pid or 0, f"pid {self._pid}")
        pid, signature = in_file
        by = f"pidfile names pid {pid}"
        return (
            self._eyes.see_pid(pid, by, signature)
            if self._pid in (None, pid)
            else Sight(reason=f"{by}, not {self._pid}")
        )

    def _judge(self, sight: Sight) -> Observation:
        count = len(sight.alive)
        if sight.is_hidden and not self._count.is_certain(count):
            return Observation(
                Verdict.UNKNOWN,
                f"{self._found(sight)}, but /proc hides the processes of other users (hidepid)",
                metrics={"count": float(count)},
            )
        usages = self._meter.measure(sight.alive)
        verdict, message = self._verdict(sight, usages)
        stopped = sum(stat.state in "Tt" for stat in sight.alive)
        metrics = {**total(usages), "stopped": float(stopped)}
        programs = self._programs(sight)
        is_one = len(programs) == 1 and self._count.holds(count)
        who = Identity(programs[0].pid, started_at_s(programs[0])) if is_one else None
        several = len(programs) > 1
        return Observation(verdict, message, metrics=metrics, identity=who, several=several, stopped=stopped > 0)

    def _programs(self, sight: Sight) -> list[Stat]:
        """Those that may be the program itself.

        A shell that starts the program in a loop of its script matches like the program itself. It is not the one, also
        while it is alone: a restart that ended the loop would end the component for good.
        """
        starts = {stat.parent for stat in sight.alive if stat.comm not in _SHELLS}
        keys = {(stat.pid, stat.started_ticks) for stat in sight.alive if stat.pid in starts and stat.comm in _SHELLS}
        self._loops = keys | {key for stat in sight.alive if (key := (stat.pid, stat.started_ticks)) in self._loops}
        loops = {pid for pid, _ in self._loops}  # a shell below one is its fork, about to be another program
        return [stat for stat in sight.alive if stat.pid not in loops and not _is_fork(stat, loops)]

    def _verdict(self, sight: Sight, usages: tuple[Usage, ...]) -> tuple[Verdict, str]:
        if not self._count.holds(len(sight.alive)):
            expected = "" if not sight.alive and self._count.holds(1) else f", expected {self._count}"
            return Verdict.FAIL, self._found(sight) + expected
        if not sight.alive:
            return Verdict.OK, self._found(sight)
        excesses = [excess for usage in usages if (excess := self._excess(usage))]
        if excesses:
            return Verdict.FAIL, excesses[0] + (f" (and {len(excesses) - 1} more)" if len(excesses) > 1 else "")
        if self._limits[2] is not None and any(usage.fds is None for usage in usages):
            return Verdict.UNKNOWN, "could not count the file descriptors: no permission"
        return Verdict.OK, _presence(sight.alive)

    def _excess(self, usage: Usage) -> str:
        """Which limit one process is over, in words; empty where it keeps to all."""
        max_rss_bytes, max_cpu, max_fds = self._limits
        who = f"pid {usage.pid} uses"
        if max_rss_bytes is not None and usage.rss_bytes > max_rss_bytes:
            return f"{who} {format_size(usage.rss_bytes)} of memory, over the limit of {format_size(max_rss_bytes)}"
        if max_cpu is not None and usage.cpu_percent > max_cpu:
            return f"{who} {usage.cpu_percent:.1f} % CPU, over the limit of {max_cpu:g} %"
        if max_fds is not None and usage.fds is not None and usage.fds > max_fds:
            return f"{who} {usage.fds} file descriptors, over the limit of {max_fds}"
        return ""

    def _found(self, sight: Sight) -> str:
        """What is there, in the words of a failure."""
        count = len(sight.alive)
        if count > 1:
            return f"{count} processes {self._selection.words(plural=True)}"
        if count == 1:
            return f"1 process {self._selection.words()} (pid {sight.alive[0].pid})"
        if sight.zombies:
            pids = ", ".join(str(pid) for pid in sight.zombies[:5])
            if self._pid is not None or self._pidfile is not None:
                return f"pid {pids} is a zombie"
            return f"the process that {self._selection.words()} is a zombie (pid {pids})"
        return sight.reason or f"no process {self._selection.words()}"


def _is_fork(stat: Stat, shells: set[int]) -> bool:
    return stat.comm in _SHELLS and stat.parent in shells


def _presence(alive: tuple[Stat, ...]) -> str:
    stopped = sum(stat.state in "Tt" for stat in alive)
    if len(alive) == 1:
        rest = ", stopped by a signal" if stopped else ""
        return f"pid {alive[0].pid}, 1 process, started {_start(alive[0])}{rest}"
    rest = f", {stopped} stopped by a signal" if stopped else ""
    youngest = max(alive, key=lambda stat: stat.started_ticks)
    return f"{len(alive)} processes, the youngest started {_start(youngest)}{rest}"


def _start(stat: Stat) -> str:
    """When, not how long ago: what is kept for some looks is as right at the last of them."""
    return format_timestamp(round(started_at_s(stat) * 1e9))[:19].replace("T", " ") + "Z"
