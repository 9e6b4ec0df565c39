"""The one place that reads clocks."""

import time
from collections.abc import Callable
from time import monotonic_ns as monotonic_ns  # for who needs no other clock: a tenth of the time

from lifesign.core.model import Instant


def read_clocks() -> Instant:
    """Monotonic, wall and boot clock, read one right after the other, in nanoseconds."""
    return Instant(
        mono_ns=time.monotonic_ns(),
        wall_ns=time.time_ns(),
        boot_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    )


STEADY_NS = 1_000_000


class SteadyClocks:
    """Reads them so that a whole reading is told by its monotonic part, in whole microseconds.

    The others keep their distance to it until they are `STEADY_NS` off: then they are set right. What is shown is in
    milliseconds, and nothing is judged by less. So a transcript need not keep clocks that hardly ever tell anything.
    """

    def __init__(self, read: Callable[[], Instant] = read_clocks) -> None:
        self.read = read
        self._wall_ahead_ns = self._boot_ahead_ns = 0

    def __call__(self) -> Instant:
        """One reading."""
        found = self.read()
        mono_ns = found.mono_ns // 1_000 * 1_000
        wall_ahead_ns, boot_ahead_ns = found.wall_ns - found.mono_ns, found.boot_ns - found.mono_ns
        if abs(wall_ahead_ns - self._wall_ahead_ns) >= STEADY_NS:
            self._wall_ahead_ns = wall_ahead_ns // 1_000 * 1_000
        if abs(boot_ahead_ns - self._boot_ahead_ns) >= STEADY_NS:
            self._boot_ahead_ns = boot_ahead_ns // 1_000 * 1_000
        return Instant(mono_ns, mono_ns + self._wall_ahead_ns, mono_ns + self._boot_ahead_ns)


def monotonic_of(clocks: Callable[[], Instant]) -> Callable[[], int]:
    """What reads the monotonic clock of `clocks` alone."""
    read = clocks.read if isinstance(clocks, SteadyClocks) else clocks
    return monotonic_ns if read is read_clocks else lambda: clocks().mono_ns
