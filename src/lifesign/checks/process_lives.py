"""The deaths of processes, told by the kernel at the moment they come: one held pidfd for each life that is watched.

Not here: which processes are watched, and what their death means (`process`).
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from lifesign.processes.stat import read_stat

if TYPE_CHECKING:
    import asyncio

_MOST = 16384
_PART_OF_DESCRIPTORS = 4  # at most a fourth of all descriptors is spent here: looks need theirs


class Life:
    """One life of one process. `is_over` from the moment on that its pidfd says so."""

    __slots__ = ("_descriptor", "_listeners", "_loop", "is_over", "key")

    def __init__(self, key: tuple[int, int], descriptor: int, loop: "asyncio.AbstractEventLoop") -> None:
        self.key = key
        self.is_over = False
        self._descriptor = descriptor
        self._loop = loop
        self._listeners: dict[Callable[[], None], None] = {}

    def listen(self, told: Callable[[], None]) -> None:
        """Calls `told` once, when it ends."""
        self._listeners[told] = None

    def forget(self, told: Callable[[], None]) -> bool:
        """Whether nobody listens any more."""
        self._listeners.pop(told, None)
        return not self._listeners

    def end(self) -> None:
        """Tells everybody who listens."""
        self.is_over = True
        self.close()
        for told in tuple(self._listeners):
            told()

    def close(self) -> None:
        """Releases the pidfd; idempotent."""
        if self._descriptor >= 0:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1


class Lives:
    """All lives that are held, each once, however many checks look at it."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._held: dict[tuple[int, int], Life] = {}

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, pid: int, started_ticks: int, told: Callable[[], None]) -> Life | None:
        """The life of `pid` that began at `started_ticks`; `told` is called when it ends.

        None where it is over, where the kernel gives no pidfd, or where enough are held. Call within an event loop.
        """
        life = self._held.get((pid, started_ticks))
        if life is None:
            life = self._begin(pid, started_ticks)
        if life is not None:
            life.listen(told)
        return life

    def release(self, life: Life, told: Callable[[], None]) -> None:
        """`told` need not be called any more. What nobody listens to is closed."""
        if life.forget(told):
            life.close()
            if self._held.get(life.key) is life:
                del self._held[life.key]

    def _begin(self, pid: int, started_ticks: int) -> Life | None:
        if len(self._held) >= self._room():
            return None
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return None
        try:
            # The number had this owner before, and has it now that we hold a descriptor: so it is the one we hold.
            stat = read_stat(pid)
        except OSError:
            stat = None
        if stat is None or stat.started_ticks != started_ticks:
            os.close(descriptor)
            return None
        from asyncio import get_running_loop

        life = Life((pid, started_ticks), descriptor, get_running_loop())
        self._held[life.key] = life
        life._loop.add_reader(descriptor, self._end, life)  # noqa: SLF001 - its keeper's
        return life

    def _end(self, life: Life) -> None:
        self._held.pop(life.key, None)
        life.end()

    def _room(self) -> int:
        if self._most is None:
            import resource

            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            self._most = min(_MOST, soft // _PART_OF_DESCRIPTORS) if soft > 0 else _MOST
        return self._most


SHARED = Lives()
