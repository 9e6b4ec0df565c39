"""Judging a work signal: staleness, a resting counter, clock skew, incarnations. Continuous, and pure.

Theory of operation. A timestamp is tied to the monotonic clock when it is first seen; from then on
only the monotonic clock ages it, so a step of the wall clock moves nothing (T1). A *changed*
timestamp may be aged by the wall clock, as it stands or as it stood before a step (`dating`), or by
the writer's own clock (how far it advanced since the last one that we tied, on the clock that also
counts a suspend, as the writer's does). The freshest holds: they differ only when somebody's clock
was stepped, and then some of them are wrong about an age, never about an advance.
Later than `max_skew` by all: the clocks disagree, which is unknown and not a failure.
"""

from lifesign.core.dating import NEVER_STEPPED, WallClock
from lifesign.core.memory import SignalMemory
from lifesign.core.model import NS_PER_S, Instant, Verdict, WorkSignal
from lifesign.core.observer import Finding
from lifesign.core.spec import SignalPolicy
from lifesign.records import dataclass
from lifesign.text import format_duration


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a signal is worth now. `awaiting`: no evidence yet of the present incarnation."""

    verdict: Verdict
    message: str = ""
    awaiting: bool = False


def age_of(age_ns: int) -> str:
    """An age in words."""
    return format_duration(age_ns / NS_PER_S)


_MOST_SLEEPS = 16  # a beat that nobody has read over more of them is as old as it looks
FINE = Judgement(Verdict.OK)  # without words, which `SignalJudge.judge` finds once somebody wants to read them


class SignalJudge:
    """Keeps when work last advanced, on the monotonic clock."""

    __slots__ = (
        "_advanced_boot_ns",
        "_advanced_ns",
        "_counts",
        "_grace_ends_ns",
        "_incarnation_ns",
        "_owes_work",
        "_policy",
        "_progress",
        "_progress_ns",
        "_read_boot_ns",
        "_slept",
        "_timestamp_ns",
        "work_wall_ns",
    )

    def __init__(self, policy: SignalPolicy) -> None:
        self._policy = policy
        self._timestamp_ns: int | None = None
        self._advanced_ns = 0
        self._advanced_boot_ns = 0
        self._slept: tuple[tuple[int, int], ...] = ()  # since when and how long, by the clock that runs on meanwhile
        self._read_boot_ns: int | None = None
        self._counts = False
        self._progress: int | float | str | None = None
        self._progress_ns: int | None = None
        self._incarnation_ns: int | None = None
        self._grace_ends_ns = 0
        self._owes_work = False
        self.work_wall_ns: int | None = None

    def memory(self, now: Instant) -> SignalMemory | None:
        """What must survive of it; None before the first signal."""
        if self._timestamp_ns is None:
            return None
        now_ns = now.mono_ns
        return SignalMemory(
            timestamp_ns=self._timestamp_ns,
            work_age_ns=now_ns - self._advanced_ns,
            work_boot_age_ns=now.boot_ns - self._advanced_boot_ns,
            counts=self._counts,
            progress=self._progress,
            progress_age_ns=None if self._progress_ns is None else now_ns - self._progress_ns,
            incarnation_age_ns=None if self._incarnation_ns is None else now_ns - self._incarnation_ns,
            grace_left_ns=self._grace_ends_ns - now_ns,
            owes_work=self._owes_work,
        )

    def recall(self, memory: SignalMemory, now: Instant, away_ns: int, grace_ns: int) -> None:
        """Goes on after `away_ns`, in which work and process aged and the progress value is taken to have stood."""
        now_ns = now.mono_ns
        self._timestamp_ns = self.work_wall_ns = memory.timestamp_ns
        self._advanced_ns = now_ns - memory.work_age_ns - away_ns
        self._advanced_boot_ns = now.boot_ns - memory.work_boot_age_ns - away_ns
        self._counts, self._progress = memory.counts, memory.progress
        if memory.progress_age_ns is not None:
            self._progress_ns = now_ns - memory.progress_age_ns
        if memory.incarnation_age_ns is not None:
            self._incarnation_ns = now_ns - memory.incarnation_age_ns - away_ns
        self._grace_ends_ns = now_ns + (grace_ns if memory.grace_left_ns > 0 else 0)
        self._owes_work = memory.owes_work

    def begin_incarnation(self, start_ns: int, grace_ends_ns: int, *, owes_work: bool = False) -> None:
        """From now on only work after `start_ns` is evidence; staleness counts from it once its grace ends.

        `owes_work`: we have restarted it, so no work by the end of the grace is a failure, however far its limit.
        """
        self._owes_work = owes_work
        self._incarnation_ns = start_ns
        self._grace_ends_ns = grace_ends_ns
        if self._progress_ns is not None:
            self._progress_ns = max(self._progress_ns, start_ns)

    def prolong_grace(self, until_ns: int) -> None:
        """The grace of the present incarnation lasts until then at least."""
        self._grace_ends_ns = max(self._grace_ends_ns, until_ns)

    def excuse(self, finding: Finding) -> None:
        """We did not run: a grace that had begun is prolonged by it, and a suspend ages no work."""
        if finding.start_ns < self._grace_ends_ns:
            self._grace_ends_ns += finding.end_ns - finding.start_ns
        if finding.suspended_ns:
            self._slept = (*self._slept, (finding.start_boot_ns, finding.suspended_ns))[-_MOST_SLEEPS:]

    def read(self, signal: WorkSignal, now: Instant, wall_clock: WallClock = NEVER_STEPPED) -> Judgement:
        """Takes a signal as it was just read and judges it; a good one without words."""
        if not self._take_timestamp(signal, now, wall_clock):
            ahead_s = (signal.timestamp_ns - now.wall_ns) / NS_PER_S
            return Judgement(Verdict.UNKNOWN, f"clock skew: the timestamp is {format_duration(ahead_s)} in the future")
        self._take_progress(signal, now.mono_ns)
        return FINE if self.is_fine(now.mono_ns) else self.judge(now.mono_ns)

    def is_fine(self, now_ns: int) -> bool:
        """Whether `judge` would say ok of work of the present incarnation: nearly always."""
        stuck_ns = self._stuck_at_ns()
        fresh = self.has_worked and now_ns - self._advanced_ns < self._policy.stale_after_ns
        return fresh and (stuck_ns is None or now_ns < stuck_ns)

    def _take_timestamp(self, signal: WorkSignal, now: Instant, wall_clock: WallClock) -> bool:
        if signal.timestamp_ns == self._timestamp_ns:
            self._read_boot_ns = now.boot_ns
            return True
        known_ns = self._timestamp_ns
        linked_ns = None if known_ns is None else self._advanced_boot_ns + signal.timestamp_ns - known_ns
        taken_ns = wall_clock.date(
            signal.timestamp_ns, now, self._policy.max_skew_ns, linked_ns=linked_ns, unread_ns=self._read_boot_ns
        )
        if taken_ns is None:
            return False
        self._read_boot_ns = now.boot_ns
        self._advanced_boot_ns = taken_ns
        self._advanced_ns = self._monotonic(self._advanced_boot_ns, now)
        self._timestamp_ns = self.work_wall_ns = signal.timestamp_ns
        return True

    def _monotonic(self, boot_ns: int, now: Instant) -> int:
        """That moment on the monotonic clock, which stood still while the machine was suspended."""
        slept_ns = now.boot_ns - now.mono_ns
        for fell_asleep_ns, asleep_ns in reversed(self._slept):
            if boot_ns >= fell_asleep_ns + asleep_ns:
                break
            boot_ns = min(boot_ns, fell_asleep_ns)
            slept_ns -= asleep_ns
        return boot_ns - slept_ns

    def _take_progress(self, signal: WorkSignal, now_ns: int) -> None:
        self._counts = signal.progress is not None
        if not self._counts:  # remembered all the same: a value that comes and goes still rests (S12)
            return
        if self._progress_ns is None or signal.progress != self._progress or signal.busy is False:
            self._progress_ns = now_ns
        self._progress = signal.progress

    def judge(self, now_ns: int) -> Judgement:
        """Judges what was last read, as of `now_ns`. Call only after a successful `read`."""
        if self._is_awaiting(now_ns):
            left_s = (self._grace_ends_ns - now_ns) / NS_PER_S
            return Judgement(
                Verdict.UNKNOWN,
                f"waiting for the first work of the new process, grace {format_duration(left_s)}",
                awaiting=True,
            )
        stale_ns = self.staleness_ns(now_ns)
        if self._owes_work and not self.has_worked:
            return Judgement(Verdict.FAIL, f"restarted in vain: no work since then, for {stale_ns / NS_PER_S:.0f} s")
        if stale_ns >= self._policy.stale_after_ns:
            return Judgement(
                Verdict.FAIL,
                f"no new work for {stale_ns / NS_PER_S:.0f} s (limit {self._policy.stale_after_ns / NS_PER_S:g} s)",
            )
        stuck_ns = self._stuck_at_ns()
        if stuck_ns is not None and now_ns >= stuck_ns:
            return Judgement(Verdict.FAIL, self._stuck_words(now_ns))
        return Judgement(Verdict.OK, self.age_words(now_ns))

    def age_words(self, now_ns: int, age: str = "") -> str:
        """How old the newest work is, without a judgement; `age` stands for that age, where it is given."""
        age = age or age_of(self.staleness_ns(now_ns))
        return f"last work {age} ago" if self.has_worked else f"no work yet of the process that began {age} ago"

    def _stuck_at_ns(self) -> int | None:
        """When the counter has rested for too long; None where none is watched."""
        if self._policy.stuck_after_ns is None or self._progress_ns is None or not self._counts:
            return None
        return self._progress_ns + self._policy.stuck_after_ns

    def _stuck_words(self, now_ns: int) -> str:
        rest_s = (now_ns - (self._progress_ns or 0)) / NS_PER_S
        limit_s = (self._policy.stuck_after_ns or 0) / NS_PER_S
        return (
            f"stuck: the progress value {self._progress!r} has not changed for {rest_s:.0f} s (limit {limit_s:g} s),"
            " though the timestamp is fresh"
        )

    @property
    def has_worked(self) -> bool:
        """Whether the newest work is of the present incarnation."""
        return self._incarnation_ns is None or self._advanced_ns >= self._incarnation_ns

    def _is_awaiting(self, now_ns: int) -> bool:
        return not self.has_worked and now_ns < self._grace_ends_ns

    def staleness_ns(self, now_ns: int) -> int:
        """Nanoseconds since the work signal last advanced; counted from the incarnation's start if that is later."""
        start_ns = self._advanced_ns if self._incarnation_ns is None else self._incarnation_ns
        return now_ns - max(self._advanced_ns, start_ns)

    @property
    def ages_alike(self) -> bool:
        """Whether timestamp and counter come nearer to their limits by the same."""
        return self._stuck_at_ns() is None or self._policy.stuck_after_ns == self._policy.stale_after_ns

    def nearest_limit_ns(self, now_ns: int) -> tuple[int, int]:
        """How long the work signal has rested, and its limit: of timestamp or counter, whichever is nearer to it."""
        age_ns, stale_after_ns = self.staleness_ns(now_ns), self._policy.stale_after_ns
        stuck_ns, stuck_after_ns = self._stuck_at_ns(), self._policy.stuck_after_ns
        if stuck_ns is None or stuck_after_ns is None:
            return age_ns, stale_after_ns
        rest_ns = now_ns - stuck_ns + stuck_after_ns
        nearer = rest_ns * stale_after_ns > age_ns * stuck_after_ns
        return (rest_ns, stuck_after_ns) if nearer else (age_ns, stale_after_ns)

    @property
    def has_signal(self) -> bool:
        """Whether a signal has ever been read."""
        return self._timestamp_ns is not None

    def next_change_ns(self, now_ns: int) -> int | None:
        """When the judgement next changes with nothing new read; None when it cannot."""
        if not self.has_signal:
            return None
        if self._is_awaiting(now_ns):
            return self._grace_ends_ns
        if self._owes_work and not self.has_worked:
            return None
        change_ns = now_ns - self.staleness_ns(now_ns) + self._policy.stale_after_ns
        stuck_ns = self._stuck_at_ns()
        if stuck_ns is not None and stuck_ns < change_ns:
            change_ns = stuck_ns
        return change_ns if change_ns > now_ns else None
