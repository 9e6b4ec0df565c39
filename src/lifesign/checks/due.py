"""When a beat is due by a cron expression: decided when one comes in, so that no step of the clock moves it."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from lifesign.records import dataclass

EARLY_S = 60.0  # a beat that comes so much before its time is that one, and not one before it


@dataclass(frozen=True, slots=True)
class Due:
    """The next beat: when it is due (wall clock, shown), and when it is late (the clock that counts a suspend)."""

    at: datetime
    late_boot_ns: int

    def is_late(self) -> bool:
        """Whether it should have come by now."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) >= self.late_boot_ns


class DueTimes:
    """`fields`: an expression of five; `tz`: a zone's name, None for the system's; `late_after_s` (≥ 0) after due."""

    def __init__(self, fields: str, tz: str | None, late_after_s: float) -> None:
        self._fields = fields
        self._tz = ZoneInfo(tz) if tz else None
        self._late_after_s = late_after_s

    def after(self, wall_s: float, *, beat: bool) -> Due:
        """The next one after `wall_s` (Unix seconds). `beat`: one has just come, perhaps a little before its time."""
        begin_s = wall_s + (min(EARLY_S, self._late_after_s) if beat else 0.0)
        begin = datetime.fromtimestamp(begin_s, UTC).astimezone(self._tz)
        at = next(CronSim(self._fields, begin))
        left_s = at.timestamp() + self._late_after_s - time.time()
        return Due(at, time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(left_s * 1e9))
