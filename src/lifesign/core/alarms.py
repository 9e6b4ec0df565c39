"""When each check must be seen to next: the earliest first, of equal moments the check of the lower number first.

An alarm that turns out too early costs one look at the check; one that has moved later is therefore left where it is,
and set anew only when it rings. So a check that passes moves none.
"""

from heapq import heappop, heappush

_NUMBER_BITS = 24
_MASK = (1 << _NUMBER_BITS) - 1


class Alarms:
    """At most one alarm that counts for each number from 0 on. Moments are monotonic nanoseconds."""

    __slots__ = ("_entries", "_moments")

    def __init__(self) -> None:
        self._moments: list[int | None] = []
        self._entries: list[int] = []  # moment and number in one integer: half the time of a heap of pairs

    def set(self, number: int, moment_ns: int) -> None:
        """It rings at `moment_ns` or, where it is set to an earlier moment, then."""
        moments = self._moments
        while number >= len(moments):
            moments.append(None)
        held_ns = moments[number]
        if held_ns is None or moment_ns < held_ns:
            moments[number] = moment_ns
            heappush(self._entries, moment_ns << _NUMBER_BITS | number)

    def moment_ns(self, number: int) -> int | None:
        """When it rings; None where it is not set."""
        return self._moments[number] if number < len(self._moments) else None

    def ring(self, now_ns: int) -> list[int]:
        """The numbers that are due by `now_ns`, in order; they are set no longer."""
        entries, moments = self._entries, self._moments
        end = now_ns + 1 << _NUMBER_BITS
        numbers = []
        while entries and entries[0] < end:
            entry = heappop(entries)
            number = entry & _MASK
            if moments[number] == entry >> _NUMBER_BITS:
                moments[number] = None
                numbers.append(number)
        return numbers

    def next_ns(self) -> int | None:
        """When the first rings, or an earlier moment at which none does; None where none is set."""
        return self._entries[0] >> _NUMBER_BITS if self._entries else None
