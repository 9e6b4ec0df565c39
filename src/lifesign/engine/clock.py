"""The one place that reads clocks."""

import time
from time import monotonic_ns as monotonic_ns  # for who needs no other clock: a tenth of the time

from lifesign.core.model import Instant


def read_clocks() -> Instant:
    """Monotonic, wall and boot clock, read one right after the other, in nanoseconds."""
    return Instant(
        mono_ns=time.monotonic_ns(),
        wall_ns=time.time_ns(),
        boot_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    )
