"""What the last look at processes saw, and whether all of it is still so: told without looking at everything again.

That a process lives is told by its pidfd, that a pidfile is the same by its signature, that a program is the same by
its command line. Not here: a look (`process`).
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lifesign.checks.file_reading import Signature, signature_of
from lifesign.checks.mounts import LOCAL
from lifesign.checks.process_lives import SHARED, Life, Lives
from lifesign.checks.process_selection import Selection
from lifesign.checks.process_table import Process, ProcessTable, read_program
from lifesign.core.model import Observation
from lifesign.processes.stat import Stat, read_stat
from lifesign.records import dataclass

MOST_LIVES = 64  # a check that means more processes than these looks at all of them each time
USAGE_NS = 10_000_000_000  # what they use, where no limit is set on it, is measured at most so often


@dataclass(frozen=True, slots=True)
class Kept:
    observation: Observation
    until_ns: int
    lives: tuple[Life, ...]
    matched: tuple[Process, ...] | None
    programs: tuple[tuple[int, bytes], ...]
    signature: Signature | None


class ProcessMemory:
    """Of one check. Without `listen` nothing is kept, and every look is a whole one."""

    def __init__(self, selection: Selection, table: ProcessTable, pidfile: Path | None, lives: Lives = SHARED) -> None:
        self._selection = selection
        self._table = table
        self._pidfile = None if pidfile is None else str(pidfile)
        self._lives = lives
        self._told: Callable[[], None] | None = None
        self._kept: Kept | None = None

    def listen(self, told: Callable[[], None]) -> None:
        """Calls `told` when a process that was seen alive has died."""
        self._told = told

    def keep(
        self, observation: Observation, alive: Sequence[Stat], now_ns: int, signature: Signature | None, *, all_of: bool
    ) -> None:
        """Remembers a good look. `all_of`: everyone who matches was meant; else the one whom a number names."""
        matched = tuple(self._selection.among(self._table)) if all_of else None
        meant = [self._table.get(stat.pid) for stat in alive] if matched is None else matched
        programs = self._programs(meant)
        lives = None if programs is None else self._hold(alive)
        if lives is None or programs is None:
            self.forget()
            return
        self._kept = Kept(observation, now_ns + USAGE_NS, lives, matched, programs, signature)

    def recall(self) -> Kept | None:
        """What was kept, where everything is still so; None where only a look can tell."""
        kept = self._kept
        if kept is None:
            return None
        for life in kept.lives:
            if life.is_over:
                return None
        if self._pidfile is not None and not self._has_signature(kept.signature):
            return None
        if kept.matched is not None and not self._matches_still(kept.matched):
            return None
        for pid, program in kept.programs:
            if read_program(pid) != program:
                return None
        return kept

    def stats(self, kept: Kept) -> list[Stat] | None:
        """The processes as they are now; None where one of them is no longer as it was."""
        found = []
        for life in kept.lives:
            stat = read_stat(life.key[0])
            if stat is None or stat.is_dead or stat.started_ticks != life.key[1]:
                return None
            found.append(stat)
        return found

    def renew(self, kept: Kept, observation: Observation, now_ns: int) -> None:
        """The same processes, measured anew."""
        self._kept = Kept(observation, now_ns + USAGE_NS, kept.lives, kept.matched, kept.programs, kept.signature)

    def forget(self) -> None:
        """Releases everything; idempotent."""
        kept, self._kept = self._kept, None
        if kept is not None and self._told is not None:
            for life in kept.lives:
                self._lives.release(life, self._told)

    def _hold(self, alive: Sequence[Stat]) -> tuple[Life, ...] | None:
        if self._told is None or not 0 < len(alive) <= MOST_LIVES:
            return None
        lives: list[Life] = []
        for stat in alive:
            life = self._lives.hold(stat.pid, stat.started_ticks, self._told)
            if life is None:
                break
            lives.append(life)
        before = self._kept.lives if self._kept else ()
        whole = len(lives) == len(alive)
        for life in {*before, *lives} - (set(lives) if whole else set()):
            self._lives.release(life, self._told)
        self._kept = None
        return tuple(lives) if whole else None

    def _programs(self, processes: Iterable[Process | None]) -> tuple[tuple[int, bytes], ...] | None:
        """What each of them runs, as /proc has it; None where that is not what was judged."""
        if not self._selection.is_narrow:
            return ()
        found = []
        for process in processes:
            program = read_program(process.pid) if process is not None else b""
            if process is None or process.is_dead or not process.runs(program):
                return None
            found.append((process.pid, program))
        return tuple(found)

    def _has_signature(self, signature: Signature | None) -> bool:
        assert self._pidfile is not None
        try:
            status = LOCAL.status(self._pidfile)
        except OSError:
            return False
        return status is not None and signature_of(status) == signature

    def _matches_still(self, matched: tuple[Process, ...]) -> bool:
        if not self._table.refresh_at_once():
            return False
        now = self._selection.among(self._table)
        return len(now) == len(matched) and all(one is other for one, other in zip(now, matched, strict=True))
