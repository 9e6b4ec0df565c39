"""Judging a work signal: staleness, a resting counter, clock skew, incarnations. Continuous, and pure.

Theory of operation. A timestamp is tied to the monotonic clock when it is first seen; from then on
only the monotonic clock ages it, so a step of the wall clock moves nothing (T1). A *changed*
timestamp may be aged in two ways: by the wall clock, or by the writer's own clock (how far it
advanced since the last one that we tied). The fresher of the two holds: they differ only when
somebody's clock was stepped, and then one of them is wrong about an age, never about an advance.
Later than `max_skew` by both: the clocks disagree, which is unknown and not a failure.
"""

from dataclasses import dataclass

from lifesign.core.model import NS_PER_S, Instant, Verdict, WorkSignal
from lifesign.core.spec import SignalPolicy
from lifesign.text import format_duration


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a signal is worth now. `awaiting`: no evidence yet of the present incarnation."""

    verdict: Verdict
    message: str = ""
    awaiting: bool = False


class SignalJudge:
    """Keeps when work last advanced, on the monotonic clock."""

    __slots__ = (
        "_advanced_ns",
        "_counts",
        "_grace_ends_ns",
        "_incarnation_ns",
        "_policy",
        "_progress",
        "_progress_ns",
        "_timestamp_ns",
        "work_wall_ns",
    )

    def __init__(self, policy: SignalPolicy) -> None:
        self._policy = policy
        self._timestamp_ns: int | None = None
        self._advanced_ns = 0
        self._counts = False
        self._progress: int | float | str | None = None
        self._progress_ns: int | None = None
        self._incarnation_ns: int | None = None
        self._grace_ends_ns = 0
        self.work_wall_ns: int | None = None

    def begin_incarnation(self, start_ns: int, grace_ends_ns: int) -> None:
        """From now on only work after `start_ns` is evidence; staleness counts from it once its grace ends."""
        self._incarnation_ns = start_ns
        self._grace_ends_ns = grace_ends_ns
        if self._progress_ns is not None:
            self._progress_ns = max(self._progress_ns, start_ns)

    def excuse(self, start_ns: int, gap_ns: int) -> None:
        """We did not run for `gap_ns` from `start_ns`: a grace that had begun is prolonged by it."""
        if start_ns < self._grace_ends_ns:
            self._grace_ends_ns += gap_ns

    def read(self, signal: WorkSignal, now: Instant) -> Judgement:
        """Takes a signal as it was just read and judges it."""
        if not self._take_timestamp(signal, now):
            ahead_s = (signal.timestamp_ns - now.wall_ns) / NS_PER_S
            return Judgement(Verdict.UNKNOWN, f"clock skew: the timestamp is {format_duration(ahead_s)} in the future")
        self._take_progress(signal, now.mono_ns)
        return self.judge(now.mono_ns)

    def _take_timestamp(self, signal: WorkSignal, now: Instant) -> bool:
        if signal.timestamp_ns == self._timestamp_ns:
            return True
        ages_ns = [now.wall_ns - signal.timestamp_ns]
        if self._timestamp_ns is not None:
            ages_ns.append(now.mono_ns - self._advanced_ns - (signal.timestamp_ns - self._timestamp_ns))
        plausible = [age for age in ages_ns if age >= -self._policy.max_skew_ns]
        if not plausible:
            return False
        self._advanced_ns = now.mono_ns - max(0, min(plausible))
        self._timestamp_ns = self.work_wall_ns = signal.timestamp_ns
        return True

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
        if stale_ns >= self._policy.stale_after_ns:
            return Judgement(
                Verdict.FAIL,
                f"no new work for {stale_ns / NS_PER_S:.0f} s (limit {self._policy.stale_after_ns / NS_PER_S:g} s)",
            )
        stuck_ns = self._stuck_at_ns()
        if stuck_ns is not None and now_ns >= stuck_ns:
            return Judgement(Verdict.FAIL, self._stuck_words(now_ns))
        return Judgement(Verdict.OK, f"last work {format_duration(stale_ns / NS_PER_S)} ago")

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

    def _is_awaiting(self, now_ns: int) -> bool:
        return (
            self._incarnation_ns is not None
            and self._advanced_ns < self._incarnation_ns
            and now_ns < self._grace_ends_ns
        )

    def staleness_ns(self, now_ns: int) -> int:
        """Nanoseconds since the work signal last advanced; counted from the incarnation's start if that is later."""
        start_ns = self._advanced_ns if self._incarnation_ns is None else self._incarnation_ns
        return now_ns - max(self._advanced_ns, start_ns)

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
        moments = [now_ns - self.staleness_ns(now_ns) + self._policy.stale_after_ns]
        stuck_ns = self._stuck_at_ns()
        if stuck_ns is not None:
            moments.append(stuck_ns)
        ahead = [moment for moment in moments if moment > now_ns]
        return min(ahead) if len(ahead) == len(moments) else None
