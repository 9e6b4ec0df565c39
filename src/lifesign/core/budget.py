"""The budget of automatic restarts: so many in any window, counted on the clock that counts a suspend.

A restart is spent from the moment it is decided, so that a record that is written before the deed has it. Over our own
death the clocks of two lives are tied by the one of them that says less time went by: nothing is forgotten too early.

Others may restart the same target. What all of them spent together is told by the shell, which keeps their ledger, our
own restarts among them; so the larger of the two counts is the one that binds (R14).
"""

from collections.abc import Sequence

from lifesign.core.model import NS_PER_S, Instant
from lifesign.text import format_duration, format_until


class Budget:
    """What was spent. Times are nanoseconds of the clock that counts a suspend, and ages of it."""

    __slots__ = ("_shared", "_spent", "most", "window_ns")

    def __init__(self, most: int, window_ns: int) -> None:
        self.most = most
        self.window_ns = window_ns
        self._spent: list[int] = []
        self._shared: list[int] = []

    def share(self, moments_ns: Sequence[int]) -> None:
        """What all monitors of this host spent on the same target, ours included."""
        self._shared = sorted(moments_ns)

    def spend(self, boot_ns: int) -> None:
        """One more."""
        self._spent = [*self._in_window(self._spent, boot_ns), boot_ns]

    def refund(self) -> None:
        """The last one was not made."""
        self._spent = self._spent[:-1]

    def left(self, boot_ns: int) -> int:
        """How many may still be made now."""
        return max(0, self.most - max(len(self._in_window(each, boot_ns)) for each in (self._spent, self._shared)))

    def wait_ns(self, boot_ns: int) -> int:
        """How long until one may be made; 0 where it may be now."""
        return max(self._wait_ns(self._spent, boot_ns), self._wait_ns(self._shared, boot_ns))

    def next_change_ns(self, boot_ns: int) -> int | None:
        """When one more may be made, or none need be waited for any more; None where nothing is spent."""
        counted = [*self._in_window(self._spent, boot_ns), *self._in_window(self._shared, boot_ns)]
        return min(counted) + self.window_ns if counted else None

    def words(self, now: Instant) -> str:
        """`budget: 3 of 5 left`, and where none is: until when."""
        wait_ns = self.wait_ns(now.boot_ns)
        until = f" until {format_until(now.wall_ns + wait_ns, now.wall_ns)}" if wait_ns > 0 else ""
        return f"budget: {self.left(now.boot_ns)} of {self.most} left{until}"

    def doubt(self, now: Instant) -> tuple[str, str] | None:
        """Why none may be made now: a key that stays the same, and the words. None: one may."""
        wait_ns = self.wait_ns(now.boot_ns)
        if wait_ns <= 0:
            return None
        window = format_duration(-(-self.window_ns // NS_PER_S))
        by = "" if self._wait_ns(self._spent, now.boot_ns) > 0 else " by the monitors of this host together"
        until = format_until(now.wall_ns + wait_ns, now.wall_ns)
        spent = "1 restart" if self.most == 1 else f"{self.most} restarts"
        return "budget", f"{spent} within {window} spent{by}, none until {until}"

    def _wait_ns(self, moments_ns: Sequence[int], boot_ns: int) -> int:
        counted = self._in_window(moments_ns, boot_ns)
        return 0 if len(counted) < self.most else counted[-self.most] + self.window_ns - boot_ns

    def _in_window(self, moments_ns: Sequence[int], boot_ns: int) -> list[int]:
        return [moment for moment in moments_ns if boot_ns - moment < self.window_ns]

    def ages_ns(self, boot_ns: int) -> tuple[int, ...]:
        """What must survive of it."""
        return tuple(boot_ns - moment for moment in self._in_window(self._spent, boot_ns))

    def recall(self, ages_ns: Sequence[int], boot_ns: int, away_ns: int) -> None:
        """Goes on after `away_ns`."""
        self._spent = [boot_ns - age_ns - away_ns for age_ns in ages_ns]
