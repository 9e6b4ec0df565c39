"""The observer: may we trust our own eyes? Stalls, suspends and steps of the wall clock.

A gap between two readings of the monotonic clock that is longer than we ever sleep is a stall of
our own; CLOCK_BOOTTIME gaining on CLOCK_MONOTONIC is a suspend; CLOCK_REALTIME moving against
CLOCK_BOOTTIME is a step. The first two excuse failures (T2), the last is told and changes nothing
(T1). Stalls that repeat mean that the monitor does not do its work (T3).
"""

from collections import deque

from lifesign.core.dating import WallClock
from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, Instant
from lifesign.records import dataclass
from lifesign.text import format_duration

TICK_NS = NS_PER_S // 4  # the core asks to be called at least this often
STALL_NS = NS_PER_S
STEP_NS = NS_PER_S
SUSPECT_FOR_NS = 30 * NS_PER_S
REPEATED = 3
REPEATED_WITHIN_NS = 300 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Finding:
    """What one reading of the clocks told. `gap_ns` 0: no stall; `suspended_ns` is part of it.

    `start_ns` and `end_ns` are of the monotonic clock, `start_boot_ns` of the one that counts a suspend.
    """

    start_ns: int
    end_ns: int
    gap_ns: int = 0
    suspended_ns: int = 0
    step_ns: int = 0
    start_boot_ns: int = 0


class Observer:
    """Compares each reading of the clocks with the one before.

    Before `suspect_until_ns` a stall of our own lies so close that failures are not evidence. `wall_clock` keeps
    what its steps were.
    """

    __slots__ = ("_last", "_stalled_at", "suspect_until_ns", "wall_clock")

    def __init__(self, now: Instant) -> None:
        self._last = now
        self.suspect_until_ns = now.mono_ns
        self.wall_clock = WallClock()
        self._stalled_at: deque[int] = deque(maxlen=REPEATED)

    def read(self, now: Instant) -> Finding | None:
        """What this reading tells, None for nothing. A monotonic clock that goes back is taken as standing."""
        last, self._last = self._last, now
        mono_ns = now.mono_ns - last.mono_ns
        suspended_ns = (now.boot_ns - last.boot_ns) - mono_ns
        step_ns = (now.wall_ns - last.wall_ns) - (now.boot_ns - last.boot_ns)
        stalled = mono_ns > STALL_NS or suspended_ns > STALL_NS
        stepped = abs(step_ns) > STEP_NS
        if not (stalled or stepped):
            return None
        if stepped:
            self.wall_clock.stepped(last, now)
        if stalled:
            self._stalled_at.append(now.mono_ns)
            self.suspect_until_ns = now.mono_ns + SUSPECT_FOR_NS
        return Finding(
            start_ns=last.mono_ns,
            end_ns=now.mono_ns,
            gap_ns=max(mono_ns, suspended_ns) if stalled else 0,
            suspended_ns=suspended_ns if suspended_ns > STALL_NS else 0,
            step_ns=step_ns if stepped else 0,
            start_boot_ns=last.boot_ns,
        )

    def rest(self, now: Instant) -> None:
        """Stands for readings in time up to `now`, none of which told anything."""
        self._last = now

    def next_change_ns(self, now_ns: int) -> int | None:
        """When it next changes its mind with nothing read; None when it will not."""
        return self.suspect_until_ns if now_ns < self.suspect_until_ns else None

    def fails_to_work(self, now_ns: int) -> bool:
        """Whether stalls repeat so often that nobody may rely on us."""
        return len(self._stalled_at) == REPEATED and now_ns - self._stalled_at[0] < REPEATED_WITHIN_NS


def told_of(finding: Finding, now: Instant) -> list[Event]:
    """A finding as the events that tell of it."""
    events = []
    if finding.gap_ns:
        what = "the machine was suspended" if finding.suspended_ns else "the monitor did not run"
        words = f"{what} for {format_duration(finding.gap_ns / NS_PER_S)}"
        data = {
            "stalled_s": round(finding.gap_ns / NS_PER_S, 3),
            "suspended_s": round(finding.suspended_ns / NS_PER_S, 3),
        }
        events.append(Event(EventName.MONITOR_STALLED, now.wall_ns, message=words, data={**data}))
    if finding.step_ns:
        step_s = finding.step_ns / NS_PER_S
        words = f"the wall clock was stepped by {step_s:+.1f} s; nothing is judged by it"
        events.append(Event(EventName.CLOCK_JUMPED, now.wall_ns, message=words, data={"step_s": round(step_s, 3)}))
    return events


def told_of_doubt(now: Instant, *, suspect: bool) -> Event:
    """The event that tells whether failures are evidence from now on."""
    if suspect:
        return Event(EventName.OBSERVER_SUSPECT, now.wall_ns, message="we had stalled: failures are not evidence")
    return Event(EventName.OBSERVER_OK, now.wall_ns, message="failures are evidence again")
