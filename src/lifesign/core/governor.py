"""The governor: when one component is restarted, and when no more. Two rules.

1. The phase changes by a cue alone, as the table `NEXT` says; a pair that is not in it cannot happen.
2. A restart begins in one place (`_begin`), and automatically only where no doubt is left, right after a last look that
   found the failure again.

Theory of operation. A component that is down is waited for (`waiting`), restarted (`restarting`: the shell is at it)
and watched until work has resumed (`verifying`). A restart is productive if a *new* process worked within its grace,
whatever the method said of itself. After one in vain the next is longer in coming (`backoff`); after
`max_unproductive` of them there is none (`exhausted`) until the operator re-arms, or work resumes by itself and lasts.
The counts fall back after a calm of one grace, not after one good look. An automatic restart spends budget from the
moment it is decided. One that is in flight when we die counts as sent: the next monitor verifies it.

A dry run decides and tells the same, and asks for nothing: to it every restart is one in vain.

Due times are of the monotonic clock, on which time in which we did not run is not counted. Not here: what the
component shows (`evidence`), who asks (`supervision`), what survives us (`recollection`), and the deed (the shell).
"""

from lifesign.core.announcing import Announcer
from lifesign.core.attempts import Attempt, Attempts
from lifesign.core.budget import Budget
from lifesign.core.commands import NotPossibleError
from lifesign.core.doubts import clock, first_doubt
from lifesign.core.effects import Effect, Restart
from lifesign.core.events import EventName
from lifesign.core.model import NS_PER_S, Identity, Instant
from lifesign.core.phases import IN_FLIGHT, NEXT, Cue
from lifesign.core.restart import Failed, Outcome, Phase, Renewed, RestartReport, Sent, Withheld
from lifesign.core.sight import LastLook, Sight
from lifesign.core.spec import RestartSpec
from lifesign.text import format_duration

RETRY_NS = 30 * NS_PER_S  # after the shell kept its hands off
POLL_NS = NS_PER_S  # how often a restart that is due and in doubt is thought over


class Governor:
    """Decides the restarts of one component. `revision` grows with every change of phase."""

    def __init__(self, component: str, spec: RestartSpec, now: Instant, *, dry_run: bool = False) -> None:
        self.component = component
        self.spec = spec
        self.dry_run = dry_run
        self.phase = Phase.IDLE
        self.attempts = Attempts(now)
        self.announcer = Announcer(component, spec.method, self.attempts, dry_run=dry_run)
        self.unproductive = 0
        self.budget = Budget(spec.max_restarts, spec.window_ns)
        self.asked_ns: int | None = None
        self.revision = 0
        self.wake_ns: int | None = None  # when it is next shown its component by time alone
        self.backoff_ns = self.gap_ns = 0
        self.due_ns = self.retry_ns = self.rest_until_ns = now.mono_ns
        self._down_ns: int | None = None
        self.calm_ns: int | None = None
        self.common_until_ns: int | None = None  # R7: it went down with others, and waits for them till then

    def _cue(self, cue: Cue) -> None:
        self.phase = NEXT[self.phase][cue]
        self.asked_ns, self.announcer.withheld = None, ""
        self.revision += 1

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing comes of looking at it while no incident is open."""
        return self.phase is Phase.IDLE and not (self.unproductive or self.announcer.has_told)

    @property
    def withheld(self) -> str:
        """Why a restart that is due is not made; empty if none is due."""
        return self.announcer.withheld

    @property
    def is_watching(self) -> bool:
        """Whether the next look, whatever it finds, may decide something."""
        return self.phase is Phase.VERIFYING or self.asked_ns is not None

    @property
    def in_flight(self) -> bool:
        """Whether a restart has begun and is not over."""
        return self.phase in IN_FLIGHT

    def brings(self, identity: Identity) -> bool:
        """Whether a new process is the one that our restart brings, or has brought as its manager says."""
        if self.attempts.last.after is None:
            return self.in_flight and not self.dry_run
        return self.attempts.last.has_brought(identity)

    def follow(self, spec: RestartSpec) -> None:
        """Another configuration of the same restart."""
        self.spec, self.announcer.method = spec, spec.method
        self.budget.most, self.budget.window_ns = spec.max_restarts, spec.window_ns

    def advance(self, sight: Sight, now: Instant) -> list[Effect]:
        """What follows of the present sight. It asks for a last look by setting `asked_ns`."""
        if not sight.down:
            self._down_ns = None
        elif self._down_ns is None:
            self._down_ns = now.mono_ns
        self._count_calm(sight, now)
        if self.phase is Phase.IDLE and self._down_ns is not None and self.spec.automatic:
            self.due_ns = max(self._down_ns + self.spec.after_ns, self.due_ns if self.unproductive else 0)
            why = self.withheld if now.mono_ns < self.retry_ns else ""  # a hand that was just kept off is still
            self._cue(Cue.DOWN)
            self.announcer.withheld = why
        if self.phase is Phase.VERIFYING:
            return self._verify(sight, now)
        gone = not sight.down if self.phase is Phase.WAITING else sight.incident is None
        if self.phase in (Phase.WAITING, Phase.BACKOFF) and (gone or not self.spec.automatic):
            self._cue(Cue.UP)
            self.announcer.forget()
        elif self.phase in (Phase.WAITING, Phase.BACKOFF) and sight.down:
            return self._consider(sight, now)
        return []

    def _count_calm(self, sight: Sight, now: Instant) -> None:
        """R5, R6: the counts fall back, and an exhausted governor is armed again, after a whole grace of calm."""
        if not sight.calm or self.in_flight:
            self.calm_ns = None
            return
        if self.calm_ns is None:
            self.calm_ns = now.mono_ns
        if now.mono_ns - self.calm_ns >= self.spec.grace_ns and (self.unproductive or self.announcer.has_told):
            self._forget()

    def _forget(self) -> None:
        self.unproductive = self.backoff_ns = self.gap_ns = 0
        self.announcer.forget()
        self.revision += 1
        if self.phase is Phase.EXHAUSTED:
            self._cue(Cue.REARMED)

    def _consider(self, sight: Sight, now: Instant) -> list[Effect]:
        """A restart that is due is made once nothing speaks against it and a last look found the failure again."""
        if now.mono_ns < self.next_due_ns():
            return []
        doubt = first_doubt(sight) or self.budget.doubt(now)
        if doubt is not None:
            self.asked_ns = None
            return self.announcer.withhold(*doubt, sight, now)
        if sight.last_look is LastLook.FAILS and self.asked_ns is not None:
            return self._begin(Attempt(self.attempts.last.number + 1, now, blamed=sight.blamed), "", "", sight, now)
        if sight.last_look is LastLook.PASSES:
            self.asked_ns, self.announcer.withheld = None, "its last look did not fail"
        elif self.asked_ns is None or sight.last_look is LastLook.OLD or now.mono_ns - self.asked_ns > RETRY_NS:
            self.asked_ns, self.announcer.withheld = now.mono_ns, ""
        return []

    def next_due_ns(self) -> int:
        """Not before then, whatever else: `after` or backoff, a hand that was kept off, the grace of the last (R2)."""
        return max(self.due_ns, self.retry_ns, self.rest_until_ns)

    def order(self, author: str, reason: str, sight: Sight, now: Instant) -> list[Effect]:
        """An operator's restart. It spends no budget; R2 binds it. An exhausted governor is armed again by it."""
        if self.in_flight:
            raise NotPossibleError(f"a restart of {self.component} is in flight: {self.phase}")
        if now.mono_ns < self.rest_until_ns:
            left = clock(self.rest_until_ns - now.mono_ns)
            raise NotPossibleError(f"the last restart of {self.component} is still in its grace: {left} left")
        if self.phase is Phase.EXHAUSTED:
            self._forget()
        attempt = Attempt(self.attempts.last.number + 1, now, automatic=False, blamed=sight.blamed)
        return self._begin(attempt, author, reason, sight, now)

    def rearm(self) -> None:
        """Begins anew after it was exhausted. The budget of the window stays spent (R4)."""
        if self.phase is not Phase.EXHAUSTED:
            raise NotPossibleError(f"the restarts of {self.component} are not exhausted: {self.phase}")
        self._forget()

    def _begin(self, attempt: Attempt, author: str, reason: str, sight: Sight, now: Instant) -> list[Effect]:
        self._cue(Cue.BEGUN)
        attempt.before = sight.identity
        if self.unproductive:
            self.gap_ns = now.mono_ns - self.attempts.last.began.mono_ns
        if attempt.automatic:
            self.budget.spend(now.boot_ns)
            reason = f"down, {self.ordinal}"
        self.attempts.begin(attempt, author, reason)
        if self.dry_run:
            return self.report(Sent("dry run: nothing was done"), sight, now)
        return [Restart(self.component, attempt.number, attempt.automatic, author, reason, attempt.before)]

    @property
    def ordinal(self) -> str:
        """`1 of 3`: which restart in vain the next one would be."""
        return f"{min(self.unproductive + 1, self.spec.max_unproductive)} of {self.spec.max_unproductive}"

    def report(self, report: RestartReport, sight: Sight, now: Instant) -> list[Effect]:
        """Takes what the shell says of the restart in flight. What comes too late is not taken."""
        if isinstance(report, Renewed):
            if self.phase is Phase.VERIFYING and self.attempts.last.is_other(report.identity):
                self.renewed(report.identity, now.mono_ns, now.mono_ns)
            return []
        if self.phase is not Phase.RESTARTING:
            return []
        match report:
            case Sent():
                return self._sent(report, sight, now)
            case Withheld():
                return self._kept_off(report.reason, sight, now)
            case Failed():
                self.rest_until_ns = now.mono_ns + self.spec.grace_ns
                return self._in_vain(Outcome.FAILED, f"the restart failed: {report.words}", sight, now)

    def _sent(self, report: Sent, sight: Sight, now: Instant) -> list[Effect]:
        self._cue(Cue.SENT)
        attempt = self.attempts.last
        attempt.verify_until_ns = self.rest_until_ns = now.mono_ns + self.spec.grace_ns
        attempt.before = attempt.before or report.identity
        self.attempts.note(words=report.words, pid_before=attempt.before.pid if attempt.before else None)
        who = f", {self.ordinal}" if attempt.automatic else f" by {self.attempts.history[-1].author}"
        return [self.announcer.tell(EventName.RESTART_SENT, f"restarted{who}: {report.words}", sight, now)]

    def _kept_off(self, reason: str, sight: Sight, now: Instant) -> list[Effect]:
        """Nothing was done: it is as if it had not been decided, and is thought over again a while later."""
        self._cue(Cue.WITHHELD_AGAIN if self.unproductive and self.spec.automatic else Cue.WITHHELD)
        self.retry_ns = now.mono_ns + RETRY_NS
        self.attempts.forget_last()
        if self.attempts.last.automatic:
            self.budget.refund()
        return self.announcer.withhold(reason, reason, sight, now, again=not self.attempts.last.automatic)

    def renewed(self, identity: Identity, started_ns: int, now_ns: int) -> None:
        """A look has seen the process that the restart in flight brought; it began at `started_ns`."""
        self.attempts.renewed(identity, started_ns, now_ns)
        self.revision += 1

    def _verify(self, sight: Sight, now: Instant) -> list[Effect]:
        attempt = self.attempts.last
        is_new = attempt.after is not None or attempt.before is None
        if sight.works and is_new and not self.dry_run:
            self._cue(Cue.PRODUCTIVE)
            self.rest_until_ns = now.mono_ns + self.spec.grace_ns
            work_s = round((now.mono_ns - attempt.began.mono_ns) / NS_PER_S, 3)
            self.attempts.note(outcome=Outcome.PRODUCTIVE, work_after_s=work_s)
            words = f"productive: work resumed after {format_duration(work_s)}{self.attempts.pids}"
            return [self.announcer.tell(EventName.RESTART_PRODUCTIVE, words, sight, now)]
        if now.mono_ns < attempt.verify_until_ns:
            return []
        if self.asked_ns is None:  # work of the last moment is seen before it is judged
            self.asked_ns = now.mono_ns
            return []
        if not sight.looked and now.mono_ns - self.asked_ns < RETRY_NS:
            return []
        what, grace = "work" if is_new else "process", format_duration(self.spec.grace_ns / NS_PER_S)
        words = f"in vain: no new {what} within {grace}{self.attempts.pids}"
        return self._in_vain(Outcome.UNPRODUCTIVE, words, sight, now)

    def _in_vain(self, outcome: Outcome, words: str, sight: Sight, now: Instant) -> list[Effect]:
        self.attempts.note(outcome=outcome)
        self.unproductive += self.spec.automatic
        told: list[Effect] = [self.announcer.tell(EventName.RESTART_UNPRODUCTIVE, words, sight, now)]
        if not self.spec.automatic:  # no further one follows by itself, and none is promised
            self._cue(Cue.IN_VAIN)
            self._cue(Cue.UP)
            self.announcer.forget()
            return told
        if self.unproductive >= self.spec.max_unproductive:
            self._cue(Cue.ENOUGH)
            gave_up = f"gave up after {self.unproductive} unproductive restarts: the service is left as it is"
            return [*told, self.announcer.tell(EventName.RESTART_EXHAUSTED, gave_up, sight, now)]
        self._cue(Cue.IN_VAIN)
        longer_ns = max(int(self.backoff_ns * self.spec.backoff_factor), self.spec.backoff_initial_ns)
        self.backoff_ns = min(longer_ns, self.spec.backoff_max_ns)
        longest_ns = self.spec.grace_ns + self.spec.backoff_max_ns
        gap_ends_ns = self.attempts.last.began.mono_ns + min(self.gap_ns, longest_ns)
        self.due_ns = max(now.mono_ns + self.backoff_ns, gap_ends_ns)  # R5: what delayed the last one delays the next
        return told

    def excuse(self, gap_ns: int, end_ns: int) -> None:
        """We did not run for `gap_ns`, until `end_ns`: no wait counts it, and no grace ends right after it (T2)."""
        self.due_ns += gap_ns
        self.retry_ns += gap_ns
        self.rest_until_ns += gap_ns
        if self._down_ns is not None:
            self._down_ns += gap_ns
        self.attempts.last.verify_until_ns = max(
            self.attempts.last.verify_until_ns + gap_ns, end_ns + self.spec.grace_ns
        )

    def next_ns(self, now_ns: int) -> int | None:
        """When `advance` is due by time alone, on the monotonic clock; None where nothing comes of time."""
        match self.phase:
            case Phase.WAITING | Phase.BACKOFF:
                return max(self.next_due_ns(), now_ns + POLL_NS)
            case Phase.VERIFYING:
                asked_ns = self.asked_ns
                return max(self.attempts.last.verify_until_ns, now_ns) if asked_ns is None else asked_ns + RETRY_NS
            case Phase.IDLE | Phase.EXHAUSTED if self.calm_ns is not None and (
                self.unproductive or self.announcer.has_told
            ):
                return max(self.calm_ns + self.spec.grace_ns, now_ns)
            case _:
                return None
