"""The books of the judge: what is held of one check, and how old its work is, by the words of the contract."""

from lifesign.core.model import CheckState, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec

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
        self._seen: list[tuple[int, int]] = []
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

    def observe(self, found: set[Verdict], began_ns: int, now_ns: int) -> None:
        """Takes what a look found: one verdict, or two where the truth leaves it open."""
        if began_ns <= self._blind_until_ns:
            found = {Verdict.UNKNOWN if verdict is Verdict.FAIL else verdict for verdict in found}
        if len(found) > 1:
            self.sure = False
            return
        (verdict,) = found
        if verdict is Verdict.UNKNOWN:
            return
        graced = now_ns < self._grace_ends_ns
        bad = BADNESS[verdict]
        if (
            not self.sure
            and (bad < 2 or not graced)
            and self.spec.failure_threshold == self.spec.success_threshold == 1
        ):
            self.sure, self.level = True, 0
            self._changes, self._was_ok, self._flapping = [], None, False
            self.flaps_sure, self._flaps_known_ns = False, now_ns + self.spec.flap_window_ns
        self._known_ns = max(self._known_ns, now_ns)
        self._count_change(verdict is Verdict.OK, now_ns)
        self._seen = [*self._seen[-30:], (now_ns, bad)]
        self._settled = self._settled or bad < 2 or not graced
        few = [badness for _, badness in self._seen[-self.spec.success_threshold :]]
        if len(few) == self.spec.success_threshold:
            self.level = min(self.level, max(few))
        for level, run in self._run.items():
            if bad < level or graced:
                run.clear()
                continue
            run.append(now_ns)
            lasted_ns = now_ns - run[0]
            if len(run) >= self.spec.failure_threshold and lasted_ns >= (self.spec.failure_for_ns or 0):
                self.level = max(self.level, level)

    def _count_change(self, ok: bool, now_ns: int) -> None:
        self.is_flapping_at(now_ns)
        if self._was_ok is not None and self._was_ok is not ok:
            self._changes.append(now_ns)
        self._was_ok = ok
        self.is_flapping_at(now_ns)

    def is_flapping_at(self, now_ns: int) -> bool:
        """By the number of changes in the window before now."""
        self._changes = [at for at in self._changes if now_ns - at < self.spec.flap_window_ns]
        if len(self._changes) >= self.spec.flap_changes:
            self._flapping = True
        elif 2 * len(self._changes) < self.spec.flap_changes:
            self._flapping = False
            self.flaps_sure = self.flaps_sure or now_ns >= self._flaps_known_ns
        return self._flapping

    def states(self, now_ns: int) -> set[CheckState]:
        """What may be shown. Right after a stall it is open whether nobody could find out for too long."""
        limit_ns = 2 * self.spec.interval_ns + self.spec.timeout_ns
        if not self._settled and now_ns < self._grace_ends_ns:
            return {CheckState.PENDING}
        if not self._settled and self.spec.signal is not None and now_ns - self._grace_ends_ns < limit_ns:
            # The grace of a new process ends: an older signal is judged by its age since then, before any new look.
            return {CheckState.PASSING, CheckState.FAILING, CheckState.UNKNOWN}
        allowed = set()
        if now_ns - self._known_ns >= limit_ns:
            allowed.add(CheckState.UNKNOWN)
        if now_ns - max(self._known_ns, self._blind_until_ns) < limit_ns:
            allowed.add(self._apparent())
        return allowed

    def _apparent(self) -> CheckState:
        if not self._settled:
            return CheckState.FAILING if self._seen else CheckState.UNKNOWN
        last = self._seen[-1][1]
        if self.level == 2:
            return CheckState.FAILED
        if last == 2:
            return CheckState.FAILING
        return CheckState.WARNING if 1 in (self.level, last) else CheckState.PASSING


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

    def verdicts(self, now_ns: int) -> set[Verdict]:
        """What may be judged: the same for every possible start, or not."""
        return {self._verdict(start_ns, now_ns) for start_ns in self._starts or (self.work_ns,)}

    def _verdict(self, start_ns: int, now_ns: int) -> Verdict:
        if self._starts and self._read_ns < start_ns and now_ns < self._grace_ends_ns:
            return Verdict.UNKNOWN
        stale = now_ns - max(self._read_ns, start_ns) >= self._policy.stale_after_ns
        rests_ns = self._rests_ns if self._rests_ns is not None else now_ns
        if self._starts:
            rests_ns = max(rests_ns, start_ns)
        stuck_after_ns = self._policy.stuck_after_ns
        stuck = stuck_after_ns is not None and now_ns - rests_ns >= stuck_after_ns
        return Verdict.FAIL if stale or stuck else Verdict.OK
