"""Who must never count as a watched process: lifesign itself, its ancestors and its descendants."""

import os
from collections.abc import Iterable

from lifesign.checks.process_table import Process
from lifesign.processes.stat import line_of


class Kinship:
    """Tells kin from strangers. Who was once seen as a descendant stays one, though its parent may have died since.

    A stranger stays one too, whomever its parent's death hands it to.
    """

    def __init__(self) -> None:
        self._descendants: frozenset[tuple[int, int]] = frozenset()
        self._strangers: frozenset[tuple[int, int]] = frozenset()

    def strangers(self, processes: Iterable[Process]) -> list[Process]:
        """Those of `processes` that are neither us nor our ancestors nor our descendants. Raises OSError."""
        ours = os.getpid()
        present = list(processes)
        if all((process.pid, process.started_ticks) in self._strangers for process in present):
            return present
        above = set(line_of(os.getppid())) | {ours}
        strangers: list[Process] = []
        descendants: set[tuple[int, int]] = set()
        for process in present:
            life = (process.pid, process.started_ticks)
            if process.pid in above:
                continue
            if life in self._descendants or ours in line_of(process.pid):
                descendants.add(life)
            else:
                strangers.append(process)
        self._descendants = frozenset(descendants)
        self._strangers = frozenset((process.pid, process.started_ticks) for process in strangers)
        return strangers
