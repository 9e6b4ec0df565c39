"""Dating a timestamp on a clock of our own, though the wall clock that it was taken from may have been stepped since.

Theory of operation. The wall clock's past is kept as eras: its distance from the clock that counts a suspend, and
between which moments it had it. A timestamp names one moment in each era; only in the era it was taken in need that
moment lie within the era itself. So a heartbeat that is first read after a step, or after several, is dated by the era
it falls into, if there is one. It falls into two only where it was left unread for longer than the clock was set back;
then the fresher holds, for a step condemns nobody (T1), and from then on it ages. Not here: what an age means.
"""

from lifesign.core.model import NS_PER_S, Instant
from lifesign.records import dataclass

KEPT_ERAS = 8  # of more steps than that between two readings of one heartbeat, the oldest are forgotten
TOLERANCE_NS = 2 * NS_PER_S  # a writer may cut its timestamps to whole seconds


@dataclass(frozen=True, slots=True)
class Era:
    """The wall clock was `ahead_ns` of the clock that counts a suspend, within these moments of the latter."""

    ahead_ns: int
    from_boot_ns: int | None  # None: as far back as anybody knows
    until_boot_ns: int

    def moment_ns(self, timestamp_ns: int) -> int | None:
        """The moment that it names, if it was taken in this era."""
        moment_ns = timestamp_ns - self.ahead_ns
        if self.from_boot_ns is not None and moment_ns < self.from_boot_ns - TOLERANCE_NS:
            return None
        return moment_ns if moment_ns <= self.until_boot_ns + TOLERANCE_NS else None


class WallClock:
    """What is known of the wall clock: its past eras, and since when it has been as it is."""

    __slots__ = ("_past", "_since_boot_ns")

    def __init__(self) -> None:
        self._past: tuple[Era, ...] = ()
        self._since_boot_ns: int | None = None

    def stepped(self, before: Instant, now: Instant) -> None:
        """It was set at some time between these two readings."""
        ended = Era(before.wall_ns - before.boot_ns, self._since_boot_ns, now.boot_ns)
        self._past = (*self._past, ended)[-KEPT_ERAS:]
        self._since_boot_ns = before.boot_ns

    def date(
        self, timestamp_ns: int, now: Instant, max_skew_ns: int, *, linked_ns: int | None, unread_ns: int | None
    ) -> int | None:
        """When it was taken, on the clock that counts a suspend, at the latest now; None where it lies in the future.

        `linked_ns`: what the writer's own clock says, by how far it has advanced since a timestamp dated before.
        `unread_ns`: it was written after that moment; None where nobody knows.
        """
        own_ns = now.boot_ns - (now.wall_ns - timestamp_ns)
        if not self._past:  # nearly always: the same without lists
            latest_ns = now.boot_ns + max_skew_ns
            taken_ns = own_ns if own_ns <= latest_ns else None
            if linked_ns is not None and linked_ns <= latest_ns and (taken_ns is None or linked_ns > taken_ns):
                taken_ns = linked_ns
            return None if taken_ns is None else min(taken_ns, now.boot_ns)
        past = self._past_moments_ns(timestamp_ns, unread_ns)
        latest_ns = now.boot_ns + (TOLERANCE_NS if past else max_skew_ns)
        if not (past and self._since_boot_ns is not None and own_ns < self._since_boot_ns - TOLERANCE_NS):
            past.append(own_ns)
        if linked_ns is not None:
            past.append(linked_ns)
        plausible = [moment_ns for moment_ns in past if moment_ns <= latest_ns]
        return min(max(plausible), now.boot_ns) if plausible else None

    def _past_moments_ns(self, timestamp_ns: int, unread_ns: int | None) -> list[int]:
        eras = [era for era in self._past if unread_ns is None or era.until_boot_ns >= unread_ns - TOLERANCE_NS]
        moments = [era.moment_ns(timestamp_ns) for era in eras]
        return [moment_ns for moment_ns in moments if moment_ns is not None]


NEVER_STEPPED = WallClock()
