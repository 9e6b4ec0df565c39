"""One check as it is followed: its machine, judge, flap detector and schedule, kept in step.

It turns what a look found into what counts: a signal is judged, a failure in the shadow of a stall
is not evidence. Not here: what a change of state means for the component.
"""

from lifesign.core.check import CheckMachine
from lifesign.core.dating import NEVER_STEPPED, WallClock
from lifesign.core.flapping import FlapDetector
from lifesign.core.memory import CheckMemory
from lifesign.core.model import NS_PER_S, CheckId, CheckState, Instant, Observation, Verdict
from lifesign.core.observer import Finding
from lifesign.core.schedule import Schedule
from lifesign.core.signal import Judgement, SignalJudge
from lifesign.core.spec import CheckSpec
from lifesign.core.view import CheckView

_OK, _FAIL, _UNKNOWN, _PASSING = Verdict.OK, Verdict.FAIL, Verdict.UNKNOWN, CheckState.PASSING  # 0.1 µs less each
BLINDED = "not counted, the monitor itself had stalled: "
BLINDED_BY_START = "not counted, the monitor itself has just begun: "


class TrackedCheck:
    """Everything that is known of one check."""

    __slots__ = (
        "_begun_until_ns",
        "_judgement",
        "flaps",
        "id",
        "is_blinded",
        "judge",
        "last",
        "last_wall_ns",
        "looked_ns",
        "machine",
        "observed_ns",
        "paused",
        "schedule",
        "spec",
        "state",
        "told",
    )

    def __init__(self, component: str, spec: CheckSpec, now: Instant, *, seed: int, one_shot: bool) -> None:
        self.id = CheckId(component, spec.name)
        self.spec = spec
        self.machine = CheckMachine(spec, now.mono_ns, one_shot=one_shot)
        self.judge = None if spec.signal is None else SignalJudge(spec.signal)
        self.flaps = FlapDetector(spec.flap_changes, spec.flap_window_ns)
        self.schedule = Schedule(spec, self.id, seed, now.mono_ns)
        self.last: Observation | None = None
        self.last_wall_ns: int | None = None
        self.observed_ns, self.looked_ns = now.mono_ns, now.mono_ns - 1  # not yet
        self.paused = False
        self._begun_until_ns = now.mono_ns - 1
        self.is_blinded = False
        self._judgement: Judgement | None = None
        self.state = self.machine.state(now.mono_ns)
        self.told: CheckState | None = None  # the last state that an event told

    @classmethod
    def succeeding(
        cls, before: "TrackedCheck | None", component: str, spec: CheckSpec, now: Instant, seed: int
    ) -> "TrackedCheck":
        """One that begins anew; no answer to a look of the one `before` it is ever taken for its own."""
        check = cls(component, spec, now, seed=seed, one_shot=False)
        if before is not None:
            check.schedule.run = before.schedule.run
        return check

    def memory(self, now: Instant) -> CheckMemory:
        """What must survive of it."""
        return CheckMemory(
            type=self.spec.type,
            machine=self.machine.memory(now.mono_ns),
            flaps=self.flaps.memory(now.mono_ns),
            signal=self.judge.memory(now) if self.judge else None,
            told=self.told,
            last_verdict=self.last.verdict if self.last else None,
            last_message=self._found(self.last, now.mono_ns) if self.last else "",
            last_wall_ns=self.last_wall_ns,
        )

    def recall(self, memory: CheckMemory, now: Instant, away_ns: int) -> None:
        """Goes on where `memory` was taken; a check of another type under the same name begins afresh."""
        if memory.type != self.spec.type:
            return
        self.machine.recall(memory.machine, now.mono_ns)
        self._begun_until_ns = now.mono_ns + self.spec.grace_ns
        self.told = memory.told
        self.flaps.recall(memory.flaps, now.mono_ns)
        if self.judge is not None and memory.signal is not None:
            self.judge.recall(memory.signal, now, away_ns, self.spec.grace_ns)
        if memory.last_verdict is not None:
            self.last = Observation(memory.last_verdict, memory.last_message)
            self.last_wall_ns = memory.last_wall_ns
        self.state = self.machine.state(now.mono_ns)

    def observe(self, observation: Observation, now: Instant, began_ns: int, wall: WallClock = NEVER_STEPPED) -> bool:
        """Takes one observation; whether it passes as it did before.

        `began_ns`: when the look for it began.
        """
        now_ns = now.mono_ns
        verdict, awaiting = self._judge(observation, now, wall)
        self.is_blinded = verdict is _FAIL and self.machine.is_blind(began_ns)
        if self.is_blinded:
            verdict = _UNKNOWN
        if self.last is None and not self.spec.grace_ns:
            self.state = CheckState.PENDING  # till now it was unknown as of right: what this look makes of it is news
        self.last, self.last_wall_ns = observation, now.wall_ns
        self.observed_ns, self.looked_ns = now_ns, began_ns
        if awaiting and self.machine.pending:
            self.machine.hear_nothing_yet(now_ns)
            return False
        good_as_before = self.machine.observe(verdict, now_ns)
        if verdict is _UNKNOWN:
            self.flaps.advance(now_ns)
        else:
            self.flaps.observe(ok=verdict is _OK, now_ns=now_ns)
        return good_as_before and self.state is _PASSING and not self.flaps.flapping

    def _judge(self, observation: Observation, now: Instant, wall: WallClock) -> tuple[Verdict, bool]:
        if self.judge is None or observation.signal is None:
            self._judgement = None
            return observation.verdict, False
        self._judgement = self.judge.read(observation.signal, now, wall)
        if self._judgement.verdict is _OK:  # the writer's own word may be worse than its age
            return observation.verdict, False
        return self._judgement.verdict, self._judgement.awaiting

    def message(self, now_ns: int, age: str = "") -> str:
        """What the last look found, in words; an age in it is of `now_ns`, or `age` stands for it."""
        if self.paused:
            return "paused: nobody looks"
        if self.schedule.is_overdue(now_ns):
            return "overdue: the look that is under way does not come back"
        if self.last is None:
            return "nobody has looked yet"
        blinded = BLINDED_BY_START if self.observed_ns <= self._begun_until_ns else BLINDED
        return (blinded if self.is_blinded else "") + self._found(self.last, now_ns, age)

    def _found(self, last: Observation, now_ns: int, age: str = "") -> str:
        judged = self._judged_words(now_ns, age)
        if not judged or not last.message:
            return judged or last.message
        if last.verdict is not Verdict.OK:
            return f"{last.message} · {judged}"
        if self._judgement is not None and self._judgement.verdict is Verdict.OK:
            return f"{judged} · {last.message}"
        return f"{judged}; its last message: {last.message}"

    def _judged_words(self, now_ns: int, age: str) -> str:
        if self.judge is None or self._judgement is None:
            return ""
        if self._judgement.verdict is Verdict.UNKNOWN and not self._judgement.awaiting:
            return self._judgement.message
        if self._judgement.verdict is _OK or self.judge.is_fine(now_ns):  # condemned by the next look alone
            return self.judge.age_words(now_ns, age)
        return self.judge.judge(now_ns).message

    @property
    def is_sound(self) -> bool:
        """Whether its last look was evidence, and a good one."""
        return self.last is not None and self.last.verdict is not Verdict.UNKNOWN and not self.is_blinded

    @property
    def has_improved(self) -> bool:
        """Whether it holds its own again: passing or warning, calm, and by work of the present process."""
        worked = self.judge is None or self.judge.has_worked
        return worked and not self.flaps.flapping and self.state in (CheckState.PASSING, CheckState.WARNING)

    def begin_incarnation(self, start_ns: int, now_ns: int, verify_until_ns: int | None = None) -> None:
        """A new process stands behind the component: old work proves nothing of it.

        `verify_until_ns`: we have restarted it, and its work must have resumed by then: so long is the grace.
        """
        until_ns = now_ns + self.spec.grace_ns if verify_until_ns is None else verify_until_ns
        if self.judge is None:
            self.machine.begin_grace(now_ns, until_ns)
            return
        self.judge.begin_incarnation(start_ns, until_ns, owes_work=verify_until_ns is not None)
        self.machine.await_first_work(now_ns, until_ns)

    def confirm_incarnation(self, started_ns: int, now_ns: int, verify_until_ns: int) -> None:
        """The process that our restart brought is seen. Work that came before it was its forerunner's after all."""
        if self.judge is not None:
            self.judge.begin_incarnation(started_ns, verify_until_ns, owes_work=True)
            if not self.judge.has_worked:
                self.machine.await_first_work(now_ns, verify_until_ns)

    def prolong_grace(self, now_ns: int, until_ns: int) -> None:
        """A grace that still runs goes on until then: our restart is verified so long."""
        if self.machine.in_grace(now_ns):
            self.machine.grace_ends_ns = max(self.machine.grace_ends_ns, until_ns)
            if self.judge is not None:
                self.judge.prolong_grace(until_ns)

    @property
    def fails_now(self) -> bool:
        """Whether its last look was evidence of a failure."""
        return self.machine.last_failed

    def pause(self) -> None:
        """Nobody looks any more, so nothing is known."""
        self.paused = True
        self.state = CheckState.UNKNOWN

    def resume(self, now_ns: int) -> None:
        """Looks again at once, with a grace: what was held is about a time long ago."""
        self.paused = False
        self.last, self._judgement = None, None
        self.machine.await_first_work(now_ns)
        self.schedule.resume(now_ns)
        self.state = self.machine.state(now_ns)

    def excuse(self, finding: Finding) -> None:
        """Applies a stall of ours. A short one excuses only what was under way (reliability.md, L)."""
        self.schedule.excuse(finding.end_ns - finding.start_ns)
        if not finding.suspended_ns and finding.gap_ns <= self.spec.stall_limit_ns:
            self.machine.distrust(finding.end_ns)
            return
        self.machine.excuse(finding.start_ns, finding.end_ns)
        if self.judge is not None:
            self.judge.excuse(finding)

    def advance(self, now_ns: int) -> bool:
        """Lets time pass; whether a look must begin now."""
        if self.flaps.flapping:
            self.flaps.advance(now_ns)
        if self.machine.pending:
            self._end_waiting(now_ns)
        look = self.schedule.poll(now_ns)
        if not look and not self.schedule.in_flight and self._wants_a_look(now_ns):
            look = self.schedule.wake(now_ns)
        return look

    def _end_waiting(self, now_ns: int) -> None:
        """The grace of an incarnation ends: what was no evidence in it is judged now, and looked at again at once."""
        machine, judgement = self.machine, self._judgement
        if not machine.in_grace(now_ns) and judgement and judgement.awaiting and self.judge:
            self._judgement = self.judge.judge(now_ns)
            machine.settle(self._judgement.verdict, now_ns)

    def _wants_a_look(self, now_ns: int) -> bool:
        """A look at the moment a limit or a grace runs out, so that nothing is condemned on old sight."""
        if self.machine.pending and self.observed_ns < self.machine.grace_ends_ns <= now_ns:
            return True
        if self.judge is None or self.last is None or self.last.signal is None:
            return False
        change_ns = self.judge.next_change_ns(self.observed_ns)
        return change_ns is not None and change_ns <= now_ns

    def next_wake_ns(self, now_ns: int) -> int:
        """When `advance` must be called next: `now_ns` where something is due already, else later."""
        wake_ns = self.schedule.due_ns
        flaps_ns = self.flaps.next_change_ns() if self.flaps.flapping else None
        if flaps_ns is not None and flaps_ns < wake_ns:
            wake_ns = flaps_ns
        if wake_ns <= now_ns:
            return now_ns  # an answer came in before the tick that would have seen to it
        change_ns = self.machine.next_change_ns(now_ns)
        if now_ns < change_ns < wake_ns:
            wake_ns = change_ns
        if self.judge is not None and not self.schedule.in_flight:
            judged_ns = self.judge.next_change_ns(now_ns)
            if judged_ns is not None and judged_ns < wake_ns:
                wake_ns = judged_ns
        return wake_ns

    def staleness_s(self, now_ns: int) -> tuple[float | None, float | None]:
        """Seconds since the work signal last advanced (None before the first) and its limit (None without a signal)."""
        if self.judge is None or self.spec.signal is None:
            return None, None
        if not self.judge.has_signal:
            return None, self.spec.signal.stale_after_ns / NS_PER_S
        rested_ns, limit_ns = self.judge.nearest_limit_ns(now_ns)
        return max(0.0, rested_ns / NS_PER_S), limit_ns / NS_PER_S

    def view(self, now: Instant, message: str) -> CheckView:
        """The check as it stands, with its `message` of now."""
        last = self.last
        return CheckView(
            spec=self.spec,
            state=self.state if self.paused else self.machine.state(now.mono_ns),
            consecutive_failures=self.machine.consecutive_failures,
            consecutive_successes=self.machine.consecutive_successes,
            last_at_wall_ns=self.last_wall_ns,
            next_at_wall_ns=None if self.paused else now.wall_ns + max(0, self.schedule.due_ns - now.mono_ns),
            latency_s=last.latency_s if last else None,
            message=message,
            metrics=last.metrics if last else {},
            data=last.data if last else {},
            overdue=not self.paused and self.schedule.is_overdue(now.mono_ns),
            flapping=self.flaps.flapping,
            lines=last.lines if last else (),
        )
