"""What operators have laid upon a component: silence, hold, acknowledgement, pause. Frozen values, and their ends.

A silence stops alerts, never states or resolutions; a hold stops automatic restarts and alerts; a pause stops the
checks; an acknowledgement ends with its incident. Ends are decided on the clock that counts a suspend, so that a hold
of ten minutes is over after a night asleep, and a step of the wall clock moves none of them. Not here: who may ask,
and what is told of it (`supervision`).
"""

from lifesign.core.memory import ComponentMemory, NoticeMemory
from lifesign.core.model import Instant
from lifesign.core.view import NoticeView
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """One of them. `ends_boot_ns`: when it ends by itself, on the clock that counts a suspend; None for no such end."""

    author: str
    reason: str
    since_wall_ns: int
    ends_boot_ns: int | None = None

    @classmethod
    def begun(cls, author: str, reason: str, now: Instant, duration_ns: int | None = None) -> "Notice":
        """From now on, for so long."""
        return cls(author, reason, now.wall_ns, None if duration_ns is None else now.boot_ns + duration_ns)

    @classmethod
    def recalled(cls, memory: NoticeMemory | None, now: Instant, away_ns: int) -> "Notice | None":
        """Goes on; the time in which we were away counts. One that ended meanwhile ends with the next tick."""
        if memory is None:
            return None
        left_ns = memory.left_ns
        ends_ns = None if left_ns is None else now.boot_ns + left_ns - away_ns
        return cls(memory.author, memory.reason, memory.since_wall_ns, ends_ns)

    def memory(self, now: Instant) -> NoticeMemory:
        """What must survive of it."""
        left_ns = None if self.ends_boot_ns is None else self.ends_boot_ns - now.boot_ns
        return NoticeMemory(self.author, self.reason, self.since_wall_ns, left_ns)

    def view(self, now: Instant) -> NoticeView:
        """As the surfaces show it."""
        until_ns = None if self.ends_boot_ns is None else now.wall_ns + self.ends_boot_ns - now.boot_ns
        return NoticeView(self.author, self.reason, self.since_wall_ns, until_ns)

    def ends_before(self, other: "Notice") -> bool:
        """Whether its time is over before that of `other`."""
        if self.ends_boot_ns is None or other.ends_boot_ns is None:
            return self.ends_boot_ns is not None
        return self.ends_boot_ns < other.ends_boot_ns

    def has_ended(self, now: Instant) -> bool:
        """Whether its time is over."""
        return self.ends_boot_ns is not None and self.ends_boot_ns <= now.boot_ns


class Operations:
    """What is laid upon one component now. `revision` grows with every change, so that it is saved."""

    __slots__ = ("acknowledged", "hold", "paused", "revision", "silence")

    def __init__(self) -> None:
        self.silence: Notice | None = None
        self.hold: Notice | None = None
        self.acknowledged: Notice | None = None
        self.paused: Notice | None = None
        self.revision = 0

    def recall(self, memory: ComponentMemory, now: Instant) -> None:
        """Goes on where `memory` was taken."""
        away_ns = memory.away_ns(now)
        self.silence = Notice.recalled(memory.silence, now, away_ns)
        self.hold = Notice.recalled(memory.hold, now, away_ns)
        self.acknowledged = Notice.recalled(memory.acknowledged, now, away_ns) if memory.incident else None
        self.paused = Notice.recalled(memory.paused, now, away_ns)

    def next_end_boot_ns(self) -> int | None:
        """When the next one ends by itself, on the clock that counts a suspend."""
        ends = [notice.ends_boot_ns for notice in (self.silence, self.hold) if notice is not None]
        return min((end for end in ends if end is not None), default=None)
