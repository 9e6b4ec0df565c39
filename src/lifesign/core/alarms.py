"""When each check must be seen to next: the earliest first, of equal moments the check of the lower number first.

An alarm that turns out too early costs one look at the check; one that has moved later is therefore left where it is,
and set anew only when it rings. So a check that passes moves none. One that is put off has its entry found too early
and moved when it comes up: who beats ten times before he is looked at would else move it ten times.
"""

from heapq import heappop, heappush, heapreplace

_NUMBER_BITS = 24
_MASK = (1 << _NUMBER_BITS) - 1


class Alarms:
    """At most one alarm that counts for each number from 0 on. Moments are monotonic nanoseconds."""

    __slots__ = ("_entries", "_moments", "_placed")

    def __init__(self) -> None:
        self._moments: list[int | None] = []
        self._placed: list[int | None] = []  # where the entry of each stands that counts: at its moment, or too early
        self._entries: list[int] = []  # moment and number in one integer: half the time of a heap of pairs

    def set(self, number: int, moment_ns: int) -> None:
        """It rings at `moment_ns` or, where it is set to an earlier moment, then."""
        moments = self._moments
        while number >= len(moments):
            moments.append(None)
            self._placed.append(None)
        held_ns = moments[number]
        if held_ns is None or moment_ns < held_ns:
            moments[number] = moment_ns
            placed_ns = self._placed[number]
            if placed_ns is None or moment_ns < placed_ns:
                self._placed[number] = moment_ns
                heappush(self._entries, moment_ns << _NUMBER_BITS | number)

    def put_off(self, number: int, moment_ns: int, now_ns: int) -> None:
        """It rings at `moment_ns`, though it is set to an earlier moment; unless it is due by `now_ns`."""
        held_ns = self._moments[number] if number < len(self._moments) else None
        if held_ns is not None and now_ns < held_ns < moment_ns:
            self._moments[number] = moment_ns
        else:
            self.set(number, moment_ns)

    def moment_ns(self, number: int) -> int | None:
        """When it rings; None where it is not set."""
        return self._moments[number] if number < len(self._moments) else None

    def ring(self, now_ns: int) -> list[int]:
        """The numbers that are due by `now_ns`, in order; they are set no longer."""
        entries, moments, placed, numbers = self._entries, self._moments, self._placed, list[int]()
        end = now_ns + 1 << _NUMBER_BITS
        while entries and entries[0] < end:
            number = entries[0] & _MASK
            if moments[number] == entries[0] >> _NUMBER_BITS:
                heappop(entries)
                moments[number] = placed[number] = None
                numbers.append(number)
            else:
                self._settle_first()
        return numbers

    def next_ns(self) -> int | None:
        """When the first rings; None where none is set."""
        entries = self._entries
        while entries:
            moment_ns = entries[0] >> _NUMBER_BITS
            if self._moments[entries[0] & _MASK] == moment_ns:
                return moment_ns
            self._settle_first()
        return None

    def _settle_first(self) -> None:
        """The first entry is not at its moment: it was put off, or one was set to an earlier moment and is the one."""
        number, placed_ns = self._entries[0] & _MASK, self._entries[0] >> _NUMBER_BITS
        moment_ns = self._moments[number]
        if moment_ns is None or self._placed[number] != placed_ns:
            heappop(self._entries)
        else:
            self._placed[number] = moment_ns
            heapreplace(self._entries, moment_ns << _NUMBER_BITS | number)
