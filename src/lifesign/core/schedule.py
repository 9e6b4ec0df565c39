"""When to look: a fixed cadence with start jitter, never two runs of one check at once.

The first look comes within a second of the start, the second half to one and a half intervals
later, all others an interval apart: five hundred checks that start together do not stay together,
and each has run within two intervals (T5). A look that is missed because the one before still ran
is skipped, not queued. After a good look at a work signal, which its file has asked for, the next is
an interval later. The jitter is a hash of seed and name: the same input, the same output.
"""

from zlib import crc32

from lifesign.core.model import NS_PER_S, CheckId
from lifesign.core.spec import CheckSpec

LOST_AFTER_NS = 2 * NS_PER_S  # past the timeout; the engine ends a run by timeout + 0.5 s (T4)


class Schedule:
    """The looks of one check. `run` numbers them; the answer to an abandoned run is not taken."""

    __slots__ = ("_again", "_began_ns", "_ended_ns", "_first", "_spec", "_spread", "due_ns", "run")

    def __init__(self, spec: CheckSpec, check: CheckId, seed: int, now_ns: int) -> None:
        name = f"{seed}/{check.component}/{check.check}".encode()
        self._spread = crc32(name + b"/second") / 2**32
        self._spec = spec
        self.due_ns = now_ns + int(min(spec.interval_ns, NS_PER_S) * (crc32(name) / 2**32))
        self._first = True
        self._began_ns: int | None = None
        self._ended_ns = now_ns
        self._again = False
        self.run = 0

    @property
    def in_flight(self) -> bool:
        """Whether a look is under way."""
        return self._began_ns is not None

    @property
    def began_ns(self) -> int | None:
        """When the look under way began."""
        return self._began_ns

    def poll(self, now_ns: int) -> bool:
        """Whether to look now because it is due. Begins that look."""
        if now_ns < self.due_ns:
            return False
        interval_ns = self._spec.interval_ns
        if self._first or now_ns - self.due_ns >= interval_ns:
            self._plan(now_ns)
        else:
            self.due_ns += interval_ns
        if self._began_ns is not None:
            return self._begin(now_ns)
        self._again, self._began_ns = False, now_ns
        self.run += 1
        return True

    def wake(self, now_ns: int) -> bool:
        """Whether to look now because somebody asks. One that is under way is followed by one more."""
        if self.in_flight and not self._is_lost(now_ns):
            self._again = True
            return False
        return self._begin(now_ns)

    def finish(self, run: int | None, now_ns: int) -> bool:
        """Ends the look `run`; whether another must begin at once. It has begun then."""
        if run != self.run or self._began_ns is None:
            return False
        self._began_ns, self._ended_ns = None, now_ns
        return self._again and self._begin(now_ns)

    def begun(self, run: int | None, now_ns: int) -> int | None:
        """When the look of such an answer began; `now_ns` for one that came by itself, None for an abandoned one."""
        return now_ns if run is None else self._began_ns if run == self.run else None

    def is_overdue(self, now_ns: int) -> bool:
        """Whether a look is under way for longer than it may be, or none has ended for two intervals (T5)."""
        late = self.in_flight and now_ns - self._ended_ns >= 2 * self._spec.interval_ns
        return late or self._is_lost(now_ns)

    def overdue_ns(self) -> int | None:
        """When that is so, if nothing comes of the look under way; None where none is."""
        if self._began_ns is None:
            return None
        lost_ns = self._began_ns + self._spec.timeout_ns + LOST_AFTER_NS
        return min(self._ended_ns + 2 * self._spec.interval_ns, lost_ns)

    def put_off(self, began_ns: int) -> bool:
        """A look that began then was a good one: the next is due an interval after it, not sooner. Whether it was.

        So who beats more often than that is not looked at in vain. The first two looks keep to the jitter.
        """
        due_ns = began_ns + self._spec.interval_ns
        if due_ns <= self.due_ns or self._first:
            return False
        self.due_ns = due_ns
        return True

    def resume(self, now_ns: int) -> None:
        """After a pause: the next look is due now. One that is under way from before it is left to end."""
        self.due_ns = self._ended_ns = now_ns
        self._again = False

    def excuse(self, gap_ns: int) -> None:
        """We did not run for `gap_ns`: nor did what ends a look, which gets the rest of its time (T4)."""
        self._ended_ns += gap_ns
        if self._began_ns is not None:
            self._began_ns += gap_ns

    def _is_lost(self, now_ns: int) -> bool:
        return self._began_ns is not None and now_ns - self._began_ns >= self._spec.timeout_ns + LOST_AFTER_NS

    def _begin(self, now_ns: int) -> bool:
        if self._began_ns is not None and not self._is_lost(now_ns):
            return False
        self._again = False
        self._began_ns = now_ns
        self.run += 1
        return True

    def _plan(self, now_ns: int) -> None:
        interval_ns = self._spec.interval_ns
        if self._first:
            self._first = False
            self.due_ns += int(interval_ns * (0.5 + self._spread))
        else:
            self.due_ns += interval_ns
        if self.due_ns <= now_ns:
            self.due_ns += ((now_ns - self.due_ns) // interval_ns + 1) * interval_ns
