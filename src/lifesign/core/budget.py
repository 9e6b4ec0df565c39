"""The budget of automatic restarts: so many in any window, counted on the clock that counts a suspend.

A restart is spent from the moment it is decided, so that a record that is written before the deed has it. Over our own
death the clocks of two lives are tied by the one of them that says less time went by: nothing is forgotten too early.
"""

from collections.abc import Sequence


class Budget:
    """What was spent. Times are nanoseconds of the clock that counts a suspend, and ages of it."""

    __slots__ = ("_spent", "most", "window_ns")

    def __init__(self, most: int, window_ns: int) -> None:
        self.most = most
        self.window_ns = window_ns
        self._spent: list[int] = []

    def spend(self, boot_ns: int) -> None:
        """One more."""
        self._spent = [*self._in_window(boot_ns), boot_ns]

    def refund(self) -> None:
        """The last one was not made."""
        self._spent = self._spent[:-1]

    def left(self, boot_ns: int) -> int:
        """How many may still be made now."""
        return max(0, self.most - len(self._in_window(boot_ns)))

    def wait_ns(self, boot_ns: int) -> int:
        """How long until one may be made; 0 where it may be now."""
        spent = self._in_window(boot_ns)
        return 0 if len(spent) < self.most else spent[-self.most] + self.window_ns - boot_ns

    def _in_window(self, boot_ns: int) -> list[int]:
        return [moment for moment in self._spent if boot_ns - moment < self.window_ns]

    def ages_ns(self, boot_ns: int) -> tuple[int, ...]:
        """What must survive of it."""
        return tuple(boot_ns - moment for moment in self._in_window(boot_ns))

    def recall(self, ages_ns: Sequence[int], boot_ns: int, away_ns: int) -> None:
        """Goes on after `away_ns`."""
        self._spent = [boot_ns - age_ns - away_ns for age_ns in ages_ns]
