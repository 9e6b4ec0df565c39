"""The state machine of one check: which verdicts it takes to change what is held of the check.

Theory of operation. Observations have a severity (ok 0, warn 1, fail 2); unknown has none and moves
nothing. Two kinds of runs are counted: how many of the last observations were *at least* so bad
(with the time at which that run began), and how many were *at most* so bad. The held level worsens
to a severity once its at-least run is long enough, by count and by time, and improves to one once
its at-most run is long enough. Runs of *equal* verdicts would leave warn-fail-warn-fail up for ever.

In grace nothing is condemned: at-least runs begin after it. A stall of our own is not counted in
any duration. Not here: what a message says, when to look, what it means for a component.
"""

from lifesign.core.memory import MachineMemory
from lifesign.core.model import CheckState, Verdict
from lifesign.core.spec import CheckSpec

OK, WARN, FAIL = 0, 1, 2
BLINDED_TOO_OFTEN = 3  # stalls in one blindness
_SEVERITY = {Verdict.OK: OK, Verdict.WARN: WARN, Verdict.FAIL: FAIL}
# Python 3.11 takes 0.14 µs to find a member in its enumeration, more than the rest of what is done with it here.
_OK, _UNKNOWN, _IS_UNKNOWN, _IS_PASSING = Verdict.OK, Verdict.UNKNOWN, CheckState.UNKNOWN, CheckState.PASSING


class CheckMachine:
    """What is held of one check. Times are monotonic nanoseconds and never go back."""

    __slots__ = (
        "_began_ns",
        "_blind_stalls",
        "_blind_until_ns",
        "_failed_in_grace",
        "_good",
        "_known_at_ns",
        "_last",
        "_last_unknown",
        "_level",
        "_one_shot",
        "_unknown_after_ns",
        "_worse_runs",
        "better_runs",
        "consecutive_failures",
        "consecutive_successes",
        "grace_ends_ns",
        "pending",
        "spec",
    )

    def __init__(self, spec: CheckSpec, now_ns: int, *, one_shot: bool = False) -> None:
        self.spec = spec
        self._one_shot = one_shot
        self._unknown_after_ns = spec.unknown_after_ns
        self._known_at_ns = now_ns
        self._blind_until_ns, self._blind_stalls = now_ns - 1, 0
        self.consecutive_failures = self.consecutive_successes = 0
        self._begin(now_ns)

    def _begin(self, now_ns: int) -> None:
        self.grace_ends_ns = now_ns + self.spec.grace_ns
        self._known_at_ns = max(self._known_at_ns, now_ns)
        self.pending = True
        self._good = self._failed_in_grace = False
        self._level = OK
        self._last: int | None = None
        self._last_unknown = False
        self._worse_runs = [0, 0, 0]
        self._began_ns = [now_ns, now_ns, now_ns]
        self.better_runs = [0, 0, 0]

    def memory(self, now_ns: int) -> MachineMemory:
        """What must survive of it."""
        return MachineMemory(
            pending=self.pending,
            failed_in_grace=self._failed_in_grace,
            level=self._level,
            last=self._last,
            worse_runs=(self._worse_runs[WARN], self._worse_runs[FAIL]),
            worse_ages_ns=(now_ns - self._began_ns[WARN], now_ns - self._began_ns[FAIL]),
            better_runs=(self.better_runs[OK], self.better_runs[WARN]),
            consecutive_failures=self.consecutive_failures,
            consecutive_successes=self.consecutive_successes,
            known_age_ns=now_ns - self._known_at_ns,
            grace_left_ns=self.grace_ends_ns - now_ns,
            blind_left_ns=self._blind_until_ns - now_ns,
            blind_stalls=self._blind_stalls,
        )

    def recall(self, memory: MachineMemory, now_ns: int) -> None:
        """Goes on where `memory` was taken, as after a stall. A grace that ran begins anew; what was lost stays so."""
        self.go_on(memory, now_ns, knew=True)
        self.grace_ends_ns = now_ns + (self.spec.grace_ns if memory.grace_left_ns > 0 else 0)
        self._blind_until_ns = now_ns + memory.blind_left_ns
        self._blind_stalls = memory.blind_stalls
        self.excuse(now_ns, now_ns)

    def go_on(self, memory: MachineMemory, now_ns: int, *, knew: bool) -> None:
        """Goes on as if `memory` had been taken this moment. `knew`: whether its last look had found something out."""
        self.pending, self._failed_in_grace = memory.pending, memory.failed_in_grace
        self._level, self._last = memory.level, memory.last
        self._good = self._is_good()
        self._worse_runs = [0, *memory.worse_runs]
        self._began_ns = [now_ns, *(now_ns - age_ns for age_ns in memory.worse_ages_ns)]
        self.better_runs = [*memory.better_runs, 0]
        self.consecutive_failures = memory.consecutive_failures
        self.consecutive_successes = memory.consecutive_successes
        self.grace_ends_ns = now_ns + memory.grace_left_ns
        self._blind_until_ns, self._blind_stalls = now_ns - 1, 0
        self._known_at_ns = now_ns - memory.known_age_ns
        self._last_unknown = not knew

    def _is_good(self) -> bool:
        """Whether it neither holds nor last saw anything worse than ok: then one more ok only counts."""
        return self._last == OK == self._level and not self.pending

    def await_first_work(self, now_ns: int, until_ns: int | None = None) -> None:
        """A new incarnation: all that was held is about the old one. Streaks and grace begin anew.

        The grace is the check's own, or lasts until `until_ns`.
        """
        self.consecutive_failures = self.consecutive_successes = 0
        self._begin(now_ns)
        if until_ns is not None:
            self.grace_ends_ns = until_ns

    def begin_grace(self, now_ns: int, until_ns: int | None = None) -> None:
        """A new incarnation behind a check that keeps what it holds: failures count after the grace.

        It is the check's own, or lasts until `until_ns`; one that runs already is never cut short.
        """
        own_ns = now_ns + self.spec.grace_ns
        self.grace_ends_ns = max(self.grace_ends_ns, own_ns if until_ns is None else until_ns)
        self._worse_runs = [0, 0, 0]

    @property
    def failing_since_ns(self) -> int:
        """When the failures in a row began that it holds, or that run."""
        return self._began_ns[FAIL]

    @property
    def last_failed(self) -> bool:
        """Whether the last thing observed was a failure that counts."""
        return self._last == FAIL and not self._last_unknown

    def hear_nothing_yet(self, now_ns: int) -> None:
        """A look came back whose finding is no evidence yet: that is not to know nothing."""
        self._known_at_ns = max(self._known_at_ns, now_ns)

    def settle(self, verdict: Verdict, now_ns: int) -> None:
        """The grace of a pending check is over and the look for it under way: what is known stands till then."""
        if verdict is Verdict.FAIL:
            self._failed_in_grace = True
        else:
            self.observe(verdict, now_ns)

    def in_grace(self, now_ns: int) -> bool:
        """Whether nothing may be condemned yet."""
        return now_ns < self.grace_ends_ns

    def observe(self, verdict: Verdict, now_ns: int) -> bool:
        """Counts one observation; whether it was good and so was all before it, so that it only counts."""
        if self._good and verdict is _OK:  # nearly all of them
            self._last_unknown = False
            if now_ns > self._known_at_ns:
                self._known_at_ns = now_ns
            self.consecutive_successes += 1
            self.better_runs[OK] += 1
            self.better_runs[WARN] += 1
            return True
        self._observe(verdict, now_ns)
        self._good = self._is_good()
        return False

    def _observe(self, verdict: Verdict, now_ns: int) -> None:
        if verdict is _UNKNOWN:
            self._last_unknown = True
            return
        severity = _SEVERITY[verdict]
        self._last_unknown = False
        self._known_at_ns = max(self._known_at_ns, now_ns)
        self._last = severity
        self._count(severity, now_ns)
        graced = self.in_grace(now_ns)
        if self.pending:
            if graced and severity == FAIL:
                self._failed_in_grace = True
                return
            self.pending = False
        self._improve()
        if not graced:
            self._worsen(now_ns)

    def _count(self, severity: int, now_ns: int) -> None:
        self.consecutive_failures = self.consecutive_failures + 1 if severity == FAIL else 0
        self.consecutive_successes = self.consecutive_successes + 1 if severity == OK else 0
        worse, better, graced = self._worse_runs, self.better_runs, self.in_grace(now_ns)
        for level in (WARN, FAIL):
            if severity >= level and not graced:
                if worse[level] == 0:
                    self._began_ns[level] = now_ns
                worse[level] += 1
            else:
                worse[level] = 0
        for level in (OK, WARN):
            better[level] = better[level] + 1 if severity <= level else 0

    def _worsen(self, now_ns: int) -> None:
        spec = self.spec
        for level in (FAIL, WARN):
            if self._level >= level or self._worse_runs[level] < spec.failure_threshold:
                continue
            if spec.failure_for_ns is None or now_ns - self._began_ns[level] >= spec.failure_for_ns:
                self._level = level
                return

    def _improve(self) -> None:
        for level in (OK, WARN):
            if self._level > level and self.better_runs[level] >= self.spec.success_threshold:
                self._level = level
                return

    def excuse(self, start_ns: int, end_ns: int) -> None:
        """We did not run from `start_ns` to `end_ns`: no duration counts that time (T2, S4).

        Until a full grace after it a failure is not evidence; `is_blind` says so. What was lost before it stays lost.
        """
        gap_ns = end_ns - start_ns
        was_lost = self._is_lost(start_ns)
        if self.in_grace(start_ns):
            self.grace_ends_ns += gap_ns
        for level in (WARN, FAIL):
            self._began_ns[level] += gap_ns
        self._blind_stalls = self._blind_stalls + 1 if start_ns <= self._blind_until_ns else 1
        self._blind_until_ns = max(self._blind_until_ns, end_ns + self.spec.grace_ns)
        self._known_at_ns += gap_ns
        if not was_lost:
            self._known_at_ns = max(self._known_at_ns, self._blind_until_ns)

    def distrust(self, end_ns: int) -> None:
        """We did not run for a short while, until `end_ns`: what was under way in it is not evidence."""
        self._blind_until_ns = max(self._blind_until_ns, end_ns)

    @property
    def blinded_until_ns(self) -> int | None:
        """Till then nothing can fail, for stalls come again before the grace after the last is over (T3). None: no."""
        return self._blind_until_ns if self._blind_stalls >= BLINDED_TOO_OFTEN else None

    def blind_left_ns(self, now_ns: int) -> int:
        """How long what is looked at from now on is no evidence of a failure; 0 or less where it is."""
        return self._blind_until_ns - now_ns

    def is_blind(self, began_ns: int) -> bool:
        """Whether what began at `began_ns` lies in a stall of ours or in the grace after it."""
        return began_ns <= self._blind_until_ns

    def state(self, now_ns: int) -> CheckState:
        """What is held now. It also changes by time alone: at `next_change_ns`."""
        if self._good:
            if now_ns - self._known_at_ns < self._unknown_after_ns and not self._one_shot:
                return _IS_PASSING
            return _IS_UNKNOWN if self._is_lost(now_ns) else _IS_PASSING
        if self.pending:
            if self.in_grace(now_ns):
                return CheckState.PENDING
            return CheckState.FAILING if self._failed_in_grace and not self._is_lost(now_ns) else CheckState.UNKNOWN
        if self._is_lost(now_ns):
            return CheckState.UNKNOWN
        if self._level == FAIL:
            return CheckState.FAILED
        if self._last == FAIL:
            return CheckState.FAILING
        if WARN in (self._level, self._last):
            return CheckState.WARNING
        return CheckState.PASSING

    def _is_lost(self, now_ns: int) -> bool:
        if self._one_shot:
            return self._last_unknown
        return now_ns - self._known_at_ns >= self._unknown_after_ns

    def next_change_ns(self, now_ns: int) -> int:
        """When the state may next change with nothing observed."""
        lost_ns = self._known_at_ns + self._unknown_after_ns
        if now_ns < self.grace_ends_ns and (self.pending or lost_ns <= now_ns):
            return self.grace_ends_ns
        return lost_ns

    @property
    def counted_failures(self) -> int:
        """Failures in a row that count towards `failure_threshold`: those after the grace."""
        return self._worse_runs[FAIL]

    def observations_until_failed(self) -> int:
        """How many more failures in a row, at least one, condemn it by count."""
        return max(1, self.spec.failure_threshold - self._worse_runs[FAIL])

    def time_until_failed_ns(self, now_ns: int) -> int:
        """How much longer it must fail by `failure_for`; 0 where that is met or not asked for."""
        if self.spec.failure_for_ns is None:
            return 0
        began_ns = self._began_ns[FAIL] if self._worse_runs[FAIL] else now_ns
        return max(0, began_ns + self.spec.failure_for_ns - now_ns)
