"""The books of the judge: what is held of one check, and how old its work is, by the words of the contract."""

from collections import deque
from copy import copy

from lifesign.core.model import CheckState, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec
from tests.simulation.faults import Fault, Kind, S

BADNESS = {Verdict.OK: 0, Verdict.WARN: 1, Verdict.FAIL: 2}


class Held:
    """One check. `sure` is False while the truth itself allows for two verdicts."""

    def __init__(self, spec: CheckSpec, start_ns: int) -> None:
        self.spec = spec
        self.sure = True
        self.was_failed = False
        self._blind_until_ns = start_ns - 1
        self._known_ns = start_ns
        self._changes: list[int] = []
        self._was_ok: bool | None = None
        self._flapping = False
        self.flaps_sure = True  # False until a calm window follows what was not sure
        self._flaps_known_ns = start_ns
        self._start(start_ns)

    def _start(self, now_ns: int) -> None:
        self.level = 0
        self._grace_ends_ns = now_ns + self.spec.grace_ns
        self._known_ns = max(self._known_ns, now_ns)
        self._settled = False
        self._seen: deque[int] = deque(maxlen=self.spec.success_threshold)
        self._run: dict[int, list[int]] = {1: [], 2: []}

    def new_process(self, now_ns: int) -> None:
        """A signal's check starts over; any other keeps what it holds, and counts failures after the grace."""
        if self.spec.signal is not None:
            self._start(now_ns)
            self.sure = True
            return
        self._grace_ends_ns = max(self._grace_ends_ns, now_ns + self.spec.grace_ns)
        self._run = {1: [], 2: []}

    def stalled(self, start_ns: int, end_ns: int, *, long: bool) -> None:
        """A short stall spoils what was under way; a long one is in no duration, and a grace follows it."""
        self._blind_until_ns = max(self._blind_until_ns, end_ns + (self.spec.grace_ns if long else 0))
        if not long:
            return
        gap_ns = end_ns - start_ns
        if start_ns < self._grace_ends_ns:
            self._grace_ends_ns += gap_ns
        self._run = {bad: [at + gap_ns for at in run] for bad, run in self._run.items()}
        self._known_ns += gap_ns

    def remembered(self) -> "Held":
        """As it stands, to go on from after a death."""
        other = copy(self)
        other._changes, other._seen = [*self._changes], deque(self._seen, self._seen.maxlen)
        other._run = {level: [*run] for level, run in self._run.items()}
        return other

    def recalled(self, taken_ns: int, now_ns: int) -> None:
        """Between, nobody ran and nothing of it is known: as after a stall, but a grace that ran begins anew."""
        graced, gap_ns = taken_ns < self._grace_ends_ns, now_ns - taken_ns
        self.stalled(taken_ns, now_ns, long=True)
        if graced:
            self._grace_ends_ns = now_ns + self.spec.grace_ns
        self._changes = [at + gap_ns for at in self._changes]
        self._flaps_known_ns += gap_ns

    def observe(self, found: Verdict, began_ns: int, now_ns: int) -> None:
        """Takes what a look found."""
        if found is Verdict.FAIL and began_ns <= self._blind_until_ns:
            return
        if found is not Verdict.UNKNOWN:
            self._count(BADNESS[found], now_ns)

    def observe_one_of(self, found: set[Verdict], began_ns: int, now_ns: int) -> None:
        """Takes what a look found, where the truth may leave it open."""
        if began_ns <= self._blind_until_ns:
            found = {Verdict.UNKNOWN if verdict is Verdict.FAIL else verdict for verdict in found}
        if len(found) > 1:
            self.sure = False
            return
        (verdict,) = found
        self.observe(verdict, began_ns, now_ns)

    def _count(self, bad: int, now_ns: int) -> None:
        spec = self.spec
        graced = now_ns < self._grace_ends_ns
        if not self.sure and (bad < 2 or not graced) and spec.failure_threshold == spec.success_threshold == 1:
            self.sure, self.level = True, 0
            self._changes, self._was_ok, self._flapping = [], None, False
            self.flaps_sure, self._flaps_known_ns = False, now_ns + spec.flap_window_ns
        self._known_ns = max(self._known_ns, now_ns)
        self._count_change(bad == 0, now_ns)
        self._seen.append(bad)
        self._settled = self._settled or bad < 2 or not graced
        if self.level and len(self._seen) == spec.success_threshold:
            self.level = min(self.level, max(self._seen))
        if graced or not bad:
            self._run[1].clear()
        if graced or bad < 2:
            self._run[2].clear()
        if bad and not graced:
            self._worsen(bad, now_ns)

    def _worsen(self, bad: int, now_ns: int) -> None:
        for level in range(1, bad + 1):
            run = self._run[level]
            run.append(now_ns)
            lasted_ns = now_ns - run[0]
            if len(run) >= self.spec.failure_threshold and lasted_ns >= (self.spec.failure_for_ns or 0):
                self.level = max(self.level, level)

    def _count_change(self, ok: bool, now_ns: int) -> None:
        self.is_flapping_at(now_ns)
        if self._was_ok is not None and self._was_ok is not ok:
            self._changes.append(now_ns)
            self.is_flapping_at(now_ns)
        self._was_ok = ok

    def is_flapping_at(self, now_ns: int) -> bool:
        """By the number of changes in the window before now."""
        if not self._changes and not self._flapping and self.flaps_sure:
            return False
        self._changes = [at for at in self._changes if now_ns - at < self.spec.flap_window_ns]
        if len(self._changes) >= self.spec.flap_changes:
            self._flapping = True
        elif 2 * len(self._changes) < self.spec.flap_changes:
            self._flapping = False
            self.flaps_sure = self.flaps_sure or now_ns >= self._flaps_known_ns
        return self._flapping

    def states(self, now_ns: int) -> tuple[CheckState, ...]:
        """What may be shown. Right after a stall it is open whether nobody could find out for too long."""
        if not self._settled and now_ns < self._grace_ends_ns:
            return (CheckState.PENDING,)
        limit_ns = 2 * self.spec.interval_ns + self.spec.timeout_ns
        if not self._settled and self.spec.signal is not None and now_ns - self._grace_ends_ns < limit_ns:
            # The grace of a new process ends: an older signal is judged by its age since then, before any new look.
            return CheckState.PASSING, CheckState.FAILING, CheckState.UNKNOWN
        if now_ns - self._known_ns < limit_ns:
            return (self._apparent(),)
        if now_ns - max(self._known_ns, self._blind_until_ns) < limit_ns:
            return self._apparent(), CheckState.UNKNOWN
        return (CheckState.UNKNOWN,)

    def _apparent(self) -> CheckState:
        if not self._settled:
            return CheckState.FAILING if self._seen else CheckState.UNKNOWN
        last = self._seen[-1]
        if self.level == 2:
            return CheckState.FAILED
        if last == 2:
            return CheckState.FAILING
        return CheckState.WARNING if 1 in (self.level, last) else CheckState.PASSING


class Outage:
    """By the truth alone: since when every look at a target must have failed."""

    def __init__(self, spec: CheckSpec, start_ns: int) -> None:
        self._spec = spec
        self.from_ns = 0
        self._until_ns = 0
        self._spoiled_ns = start_ns + spec.grace_ns

    def struck(self, fault: Fault, now_ns: int) -> None:
        """A fault has begun. Looks that find nothing out, or never come back, are no failures."""
        ends_ns = now_ns + round(fault.duration_s * S)
        if fault.kind is Kind.OUTAGE:
            self.from_ns = max(now_ns if self._until_ns < now_ns else self.from_ns, self._spoiled_ns)
            self._until_ns = max(self._until_ns, ends_ns)
        elif fault.kind in (Kind.BLIND, Kind.LOST):
            self.spoiled(ends_ns + self._spec.timeout_ns + 3 * S)

    def spoiled(self, until_ns: int) -> None:
        """What is found before that is no evidence."""
        self._spoiled_ns = max(self._spoiled_ns, until_ns)
        self.from_ns = max(self.from_ns, until_ns)

    def condemns(self, now_ns: int) -> bool:
        """Whether F + 2I have passed, with N looks an interval apart in them (S2)."""
        if not self.from_ns <= now_ns < self._until_ns:
            return False
        spec = self._spec
        failure_for_ns = max(spec.failure_for_ns or 0, (spec.failure_threshold - 1) * spec.interval_ns)
        return now_ns - self.from_ns > failure_for_ns + 2 * spec.interval_ns


class WorkBook:
    """How old the work behind one check is. The start of a new process is known only to lie between two looks."""

    def __init__(self, spec: CheckSpec) -> None:
        assert spec.signal is not None
        self._policy = spec.signal
        self.work_ns = 0
        self._read_ns = 0
        self._progress: object = None
        self._rests_ns: int | None = None
        self._starts: tuple[int, ...] = ()
        self._grace_ends_ns = 0

    def read(self, signal: WorkSignal, now_ns: int) -> None:
        """A look has read this."""
        self._read_ns = self.work_ns
        if self._rests_ns is None or signal.progress != self._progress or signal.busy is False:
            self._rests_ns = now_ns
        self._progress = signal.progress

    def new_process(self, earliest_ns: int, latest_ns: int, grace_ends_ns: int) -> None:
        """Another process stands behind it, since some time between."""
        self._starts = (earliest_ns, latest_ns)
        self._grace_ends_ns = grace_ends_ns

    def stalled(self, start_ns: int, gap_ns: int) -> None:
        """A grace is prolonged by a stall of ours."""
        if start_ns < self._grace_ends_ns:
            self._grace_ends_ns += gap_ns

    def remembered(self) -> "WorkBook":
        """As it stands, to go on from after a death."""
        return copy(self)

    def recalled(self, taken_ns: int, now_ns: int, work_ns: int, grace_ns: int) -> None:
        """Work and processes have aged meanwhile, a counter is taken to have stood, a grace that ran begins anew."""
        self.work_ns = work_ns
        if self._rests_ns is not None:
            self._rests_ns += now_ns - taken_ns
        if taken_ns < self._grace_ends_ns:
            self._grace_ends_ns = now_ns + grace_ns

    def is_sure(self) -> bool:
        """Whether there is one verdict only, because no new process was seen."""
        return not self._starts

    def verdicts(self, now_ns: int) -> set[Verdict]:
        """What may be judged: the same for every possible start, or not."""
        return {self.verdict(start_ns, now_ns) for start_ns in self._starts}

    def verdict(self, start_ns: int, now_ns: int) -> Verdict:
        """What is judged where the present process began then."""
        if self._starts and self._read_ns < start_ns and now_ns < self._grace_ends_ns:
            return Verdict.UNKNOWN
        stale = now_ns - max(self._read_ns, start_ns) >= self._policy.stale_after_ns
        rests_ns = self._rests_ns if self._rests_ns is not None else now_ns
        if self._starts:
            rests_ns = max(rests_ns, start_ns)
        stuck_after_ns = self._policy.stuck_after_ns
        stuck = stuck_after_ns is not None and now_ns - rests_ns >= stuck_after_ns
        return Verdict.FAIL if stale or stuck else Verdict.OK
