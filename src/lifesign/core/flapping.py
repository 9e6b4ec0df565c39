"""Flapping by a time window: so many changes between ok and not ok within so long.

It begins with the change that makes it `changes` within `window_ns` and ends once a whole window
holds fewer than half of them (contract, `flap_changes` and `flap_window`). Memory is bounded by
`changes`, whatever the rate.
"""

from lifesign.core.memory import FlapMemory


class FlapDetector:
    """Counts changes of one check. Times are monotonic nanoseconds."""

    __slots__ = ("_changed_at", "_changes", "_ok", "_window_ns", "flapping")

    def __init__(self, changes: int, window_ns: int) -> None:
        self._changes = changes
        self._window_ns = window_ns
        self._changed_at: tuple[int, ...] = ()  # one of nothing is one for all, where a queue has 750 bytes
        self._ok: bool | None = None
        self.flapping = False

    def memory(self, now_ns: int) -> FlapMemory:
        """What must survive of it."""
        return FlapMemory(self._ok, self.flapping, tuple(now_ns - moment for moment in self._changed_at))

    def recall(self, memory: FlapMemory, now_ns: int) -> None:
        """Goes on where `memory` was taken; other limits than then hold from now on."""
        self._ok, self.flapping = memory.ok, memory.flapping
        self._changed_at += tuple(now_ns - age_ns for age_ns in memory.change_ages_ns)
        self._changed_at = self._changed_at[-self._changes :]
        self.advance(now_ns)

    def observe(self, *, ok: bool, now_ns: int) -> None:
        """Counts a change, if this is one."""
        if ok is self._ok and not self.flapping:
            return
        self.advance(now_ns - 1)  # a calm that came before this change ended the flapping then
        if self._ok is not None and ok is not self._ok:
            self._changed_at = (*self._changed_at, now_ns)[-self._changes :]
            if len(self._changed_at) == self._changes and now_ns - self._changed_at[0] < self._window_ns:
                self.flapping = True
        self._ok = ok
        self.advance(now_ns)

    def forgive(self) -> None:
        """What changed so far was of a process that we have restarted: no sign of the new one, unless it flaps."""
        if not self.flapping:
            self._changed_at = ()
            self._ok = None

    def advance(self, now_ns: int) -> None:
        """Ends the flapping once the trailing window is calm."""
        if self.flapping and 2 * self.count(now_ns) < self._changes:
            self.flapping = False

    def count(self, now_ns: int) -> int:
        """Changes within the trailing window; never more than `changes`."""
        return sum(1 for moment in self._changed_at if now_ns - moment < self._window_ns)

    def next_change_ns(self) -> int | None:
        """When the flapping ends if nothing changes any more; None while it does not flap."""
        if not self.flapping:
            return None
        allowed = (self._changes - 1) // 2
        return self._changed_at[-allowed - 1] + self._window_ns
