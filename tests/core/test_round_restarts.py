"""Restarts by runs of one round (`lifesign check --act` from cron): what one run did the next one verifies."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lifesign.core.effects import Effect, Look, Record, Restart
from lifesign.core.events import Event, EventName
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import ComponentMemory, NoticeMemory
from lifesign.core.model import CheckId, ComponentState, Identity, Instant, Layer, Observation, WorkSignal
from lifesign.core.restart import Failed, Outcome, Phase, RestartReport, Sent, Withheld
from lifesign.core.round_restarts import RoundRestarts
from lifesign.core.rounds import take_round
from lifesign.core.spec import ComponentSpec, RestartSpec, SignalPolicy
from tests.core.stage import OK, START, S, check

RESTART = RestartSpec(
    "signal",
    automatic=True,
    max_unproductive=3,
    max_restarts=5,
    after_ns=120 * S,
    grace_ns=90 * S,
    backoff_initial_ns=60 * S,
    backoff_factor=2.0,
    backoff_max_ns=1_800 * S,
    window_ns=86_400 * S,
)
DOWN, RECOVERED = EventName.COMPONENT_DOWN, EventName.COMPONENT_RECOVERED
SENT, EXHAUSTED = EventName.RESTART_SENT, EventName.RESTART_EXHAUSTED


def mind(name: str = "mind", restart: RestartSpec = RESTART) -> ComponentSpec:
    beat = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, failure_threshold=1, success_threshold=1,
                 signal=SignalPolicy(100 * S))  # fmt: skip
    return ComponentSpec(name, (beat, check("process", Layer.ALIVE, "process", grace_ns=0)), restart=restart)


class Cron:
    """A crontab of `check --act` over workers that can hang. Between two runs there is the memory and nothing else."""

    def __init__(self, *specs: ComponentSpec) -> None:
        self.specs = specs or (mind(),)
        self.now = START
        self.memories: dict[str, ComponentMemory] = {}
        self.hangs: set[str] = set()
        self.cures = True
        self.report: RestartReport = Sent("SIGTERM")
        self.work_wall_ns = dict.fromkeys((spec.name for spec in self.specs), START.wall_ns)
        self.pids = dict.fromkeys((spec.name for spec in self.specs), 100)
        self.restarts: list[tuple[int, str]] = []
        self.events: list[Event] = []
        self.held: dict[str, TrackedComponent] = {}
        self.dies = False

    def look(self, at: CheckId) -> Observation:
        if at.check == "process":
            return Observation(OK, identity=Identity(self.pids[at.component], float(self.pids[at.component])))
        if at.component not in self.hangs:
            self.work_wall_ns[at.component] = self.now.wall_ns
        return Observation(OK, signal=WorkSignal(self.work_wall_ns[at.component]))

    def run(self, pause_s: float = 60, *, acts: bool = True) -> "Cron":
        self.now = self.now.after(round(pause_s * S))
        self.held, told = {}, []
        for spec in self.specs:
            found = {CheckId(spec.name, one.name): self.look(CheckId(spec.name, one.name)) for one in spec.checks}
            self.held[spec.name], events = take_round(spec, self.memories.get(spec.name), found, self.now)
            told += events
        self.events += told
        if acts:
            restarts = RoundRestarts(self.held, [*self.held], self.memories.values(), self.now)
            self._remember()
            self._carry_out(restarts, [*restarts.hear(told, self.now), *restarts.govern(self.now)])
        if not self.dies:
            self._remember()
        return self

    def _remember(self) -> None:
        stamp = {"boot": "this", "taken_mono_ns": self.now.mono_ns}
        self.memories = {name: replace(c.memory(self.now), **stamp) for name, c in self.held.items()}  # type: ignore[arg-type]

    def _carry_out(self, restarts: RoundRestarts, effects: Sequence[Effect]) -> None:
        todo = [*effects]
        while todo:
            effect = todo.pop(0)
            match effect:
                case Record(event):
                    self.events.append(event)
                case Look():
                    self.now = self.now.after(S // 100)
                    todo += restarts.observe(effect, self.look(effect.check), self.now)
                case Restart():
                    self._remember()
                    self._do(effect.component)
                    if self.dies:
                        return
                    todo += restarts.restart_reported(effect.component, effect.attempt, self.report, self.now)

    def _do(self, name: str) -> None:
        if not isinstance(self.report, Sent):
            return
        self.restarts.append(((self.now.mono_ns - START.mono_ns) // S, name))
        self.pids[name] += 1
        if self.cures:
            self.hangs.discard(name)

    def runs(self, number: int, pause_s: float = 60) -> "Cron":
        for _ in range(number):
            self.run(pause_s)
        return self

    def phase(self, name: str = "mind") -> Phase:
        governor = self.held[name].governor
        assert governor is not None
        return governor.phase

    def told(self, *names: EventName) -> list[EventName]:
        return [event.name for event in self.events if event.name in names]


def test_a_restart_is_made_once_it_was_down_long_enough_and_verified_by_a_later_run() -> None:
    cron = Cron().runs(3)
    cron.hangs = {"mind"}
    cron.runs(3)
    assert (cron.phase(), cron.restarts) == (Phase.WAITING, [])
    cron.run()
    assert (cron.phase(), [at for at, _ in cron.restarts]) == (Phase.VERIFYING, [420])
    cron.run()
    assert cron.phase() is Phase.IDLE
    governor = cron.held["mind"].governor
    assert governor is not None
    [made] = governor.attempts.history
    assert (made.outcome, made.pid_before, made.pid_after) == (Outcome.PRODUCTIVE, 100, 101)
    assert cron.told(DOWN, RECOVERED) == [DOWN, RECOVERED]
    assert EventName.PROCESS_REPLACED not in cron.told(*EventName)
    assert governor.budget.left(cron.now.boot_ns) == 4


def test_one_that_never_works_is_restarted_as_often_as_allowed_with_growing_waits_and_never_again() -> None:
    cron = Cron().runs(2)
    cron.hangs, cron.cures = {"mind"}, False
    cron.runs(200)
    first, second, third = (at for at, _ in cron.restarts)
    assert second - first <= third - second
    assert (cron.phase(), cron.told(EXHAUSTED)) == (Phase.EXHAUSTED, [EXHAUSTED])
    assert len(cron.told(EventName.RESTART_UNPRODUCTIVE)) == 3
    cron.hangs = set()
    cron.run()
    assert cron.phase() is Phase.EXHAUSTED, "one good look is no calm"
    cron.runs(2)
    assert cron.phase() is Phase.IDLE


def test_r4_the_budget_holds_over_any_number_of_runs() -> None:
    cron = Cron(mind(restart=replace(RESTART, max_restarts=2, window_ns=7_200 * S)))
    for _ in range(60):
        cron.hangs = {"mind"}
        cron.runs(5)
    assert len(cron.restarts) >= 4
    moments = [at for at, _ in cron.restarts]
    assert all(later - earlier >= 7_200 for earlier, later in zip(moments, moments[2:], strict=False))


def test_r12_a_run_that_died_over_its_restart_is_not_followed_by_another_one_for_that_decision() -> None:
    cron = Cron().runs(3)
    cron.hangs = {"mind"}
    cron.runs(3)
    cron.dies = True
    cron.run()
    cron.dies = False
    cron.run()
    assert len(cron.restarts) == 1
    cron.runs(30)
    assert len(cron.restarts) == 1
    assert cron.told(EventName.RESTART_PRODUCTIVE) == [EventName.RESTART_PRODUCTIVE]


def test_a_run_that_only_looks_neither_restarts_nor_takes_our_new_process_for_a_strangers() -> None:
    cron = Cron().runs(3)
    cron.hangs = {"mind"}
    for _ in range(10):
        cron.run(acts=False)
    assert cron.restarts == []
    cron.runs(5)
    assert len(cron.restarts) == 1
    cron.run(acts=False)
    cron.run()
    assert cron.told(EventName.RESTART_PRODUCTIVE, EventName.PROCESS_REPLACED) == [EventName.RESTART_PRODUCTIVE]


def test_a_hold_keeps_it_back_and_is_told_once_over_all_runs() -> None:
    cron = Cron().runs(3)
    held = NoticeMemory("ann", "a deploy", START.wall_ns, 3_600 * S)
    cron.memories["mind"] = replace(cron.memories["mind"], hold=held)
    cron.hangs = {"mind"}
    cron.runs(30)
    assert cron.restarts == []
    assert cron.told(EventName.RESTART_WITHHELD) == [EventName.RESTART_WITHHELD]
    cron.runs(40)
    assert len(cron.restarts) == 1
    assert cron.told(EventName.HOLD_ENDED) == [EventName.HOLD_ENDED]


@pytest.mark.parametrize("report", [Withheld("its manager is at it"), Failed("no such unit")])
def test_hands_off_counts_for_nothing_and_a_failure_as_one_in_vain(report: RestartReport) -> None:
    cron = Cron().runs(3)
    cron.hangs, cron.report = {"mind"}, report
    cron.runs(60)
    governor = cron.held["mind"].governor
    assert governor is not None
    assert (governor.unproductive, cron.phase()) == (
        (0, Phase.WAITING) if isinstance(report, Withheld) else (3, Phase.EXHAUSTED)
    )


def test_r8_after_a_night_asleep_or_a_step_of_the_clock_the_next_run_restarts_nothing() -> None:
    for asleep_s, step_s in ((28_800, 0), (0, 7_200), (0, -7_200)):
        cron = Cron().runs(3)
        cron.hangs = {"mind"}
        cron.runs(4)
        wall_ns = cron.now.wall_ns + (asleep_s + step_s) * S
        cron.now = replace(cron.now, wall_ns=wall_ns, boot_ns=cron.now.boot_ns + asleep_s * S)
        cron.memories = {
            name: replace(memory, taken_wall_ns=wall_ns) for name, memory in cron.memories.items()
        }  # as the shell ties the clocks of one boot
        kept = {name: replace(memory, taken_wall_ns=wall_ns - (asleep_s + step_s) * S)
                for name, memory in cron.memories.items()}  # fmt: skip
        slept = RoundRestarts(cron.held, ["mind"], kept.values(), cron.now)
        assert [e for e in slept.govern(cron.now) if isinstance(e, Restart | Look)] == []
        assert len(cron.run().restarts) == 1, "and the one after it does"


def test_r7_most_of_them_down_in_one_round_are_one_common_cause_and_go_one_at_a_time() -> None:
    cron = Cron(*(mind(name) for name in ("a", "b", "c", "d"))).runs(3)
    cron.hangs = {"a", "b", "c"}
    cron.runs(11)
    assert cron.told(EventName.OBSERVER_SUSPECT) == [EventName.OBSERVER_SUSPECT]
    assert cron.restarts == []
    cron.runs(40)
    assert sorted(name for _, name in cron.restarts) == ["a", "b", "c"]
    moments = [at for at, _ in cron.restarts]
    assert len(set(moments)) == 3


def due(*specs: ComponentSpec) -> Cron:
    """In this round, of which nothing has come yet, the restart of `mind` is due."""
    cron = Cron(*specs).runs(3)
    cron.hangs = {"mind"}
    cron.runs(3)
    cron.run(acts=False)
    return cron


def known(now: Instant, mono_s: float, boot_s: float, wall_s: float) -> ComponentMemory:
    """So long before `now` by each clock it was taken."""
    healthy = ComponentState.HEALTHY
    return ComponentMemory(
        "mind",
        now.wall_ns - round(wall_s * S),
        healthy,
        healthy,
        0,
        taken_boot_ns=now.boot_ns - round(boot_s * S),
        taken_mono_ns=now.mono_ns - round(mono_s * S),
    )


@pytest.mark.parametrize(
    ("mono_s", "boot_s", "wall_s", "slept", "stepped"),
    [
        (60, 60, 60, False, False),
        (60, 61, 61, False, False),
        (60, 61.001, 61.001, True, False),
        (60, 60, 61, False, False),
        (60, 60, 61.001, False, True),
        (60, 60, 59, False, False),
        (60, 60, 58.999, False, True),
        (86_400, 86_400, 86_400 + 86.4, False, False),
        (86_400, 86_400, 86_400 + 86.401, False, True),
        (60, 3_600, 60, True, True),
        (0, 0, 0, False, False),
        (0, 5, 5, True, False),
        (-60, 60, 600, False, False),
        (60, -60, 600, False, False),
    ],
)
def test_r8_what_the_clocks_missed_since_the_run_before_in_this_boot_is_doubt_enough(
    mono_s: float, boot_s: float, wall_s: float, slept: bool, stepped: bool
) -> None:
    cron = due()
    others = [known(cron.now, 60, 60, 60)]
    restarts = RoundRestarts(cron.held, ["mind"], [known(cron.now, mono_s, boot_s, wall_s), *others], cron.now)
    effects = restarts.govern(cron.now)
    words = ["we had stalled ourselves: failures are not evidence"] if slept else []
    words += ["the wall clock was just stepped"] if stepped and not slept else []
    assert [e.event.data.get("reason") for e in effects if isinstance(e, Record)] == words
    assert any(isinstance(effect, Restart) for effect in effects) is not (slept or stepped)


def test_a_restart_that_is_due_long_after_the_round_looks_once_more_and_is_made_by_what_that_finds() -> None:
    cron = due()
    now = cron.now.after(30 * S)
    restarts = RoundRestarts(cron.held, ["mind"], [], now)
    (wanted,) = restarts.govern(now)
    beat = CheckId("mind", "beat")
    assert wanted == Look(beat, 1)
    later = now.after(S)
    effects = restarts.observe(Look(beat, 7), cron.look(beat), later)
    assert effects == [], "of another look"
    (made,) = restarts.observe(Look(beat, 1), cron.look(beat), later)
    assert made == Restart("mind", 1, True, "", "down, 1 of 3", Identity(100, 100.0))
    assert restarts.doubt("mind", 1, later) == "its last look did not find the failure again"
    again = restarts.look(beat, later)
    assert again == Look(beat, 2)
    assert restarts.look(beat, later) is None, "one is under way"
    (follows,) = restarts.observe(again, cron.look(beat), later)
    assert follows == Look(beat, 3), "and is followed by the one that was asked for meanwhile"
    again = Look(beat, 3)
    assert restarts.observe(again, cron.look(beat), later) == []
    assert restarts.doubt("mind", 1, later) == ""
    assert restarts.doubt("mind", 1, later.after(3 * S)) == "its last look did not find the failure again"
    assert restarts.doubt("mind", 2, later) == "it is no longer asked for"


def test_a_last_look_that_finds_work_again_keeps_the_restart_back_and_ends_the_incident() -> None:
    cron = due()
    now = cron.now.after(30 * S)
    restarts = RoundRestarts(cron.held, ["mind"], [], now)
    (wanted,) = restarts.govern(now)
    assert isinstance(wanted, Look)
    later = now.after(S)
    effects = restarts.observe(wanted, Observation(OK, signal=WorkSignal(later.wall_ns)), later)
    told = [effect.event for effect in effects if isinstance(effect, Record)]
    assert [event.name for event in told][:2] == [EventName.CHECK_PASSED, EventName.COMPONENT_RECOVERED]
    assert all(event.at_wall_ns == later.wall_ns for event in told)
    assert not [effect for effect in effects if isinstance(effect, Restart)]


def test_another_process_that_a_last_look_sees_is_told() -> None:
    cron = due()
    restarts = RoundRestarts(cron.held, ["mind"], [], cron.now)
    process = CheckId("mind", "process")
    look = restarts.look(process, cron.now)
    assert look is not None
    seen = Observation(OK, identity=Identity(777, cron.now.wall_ns / S))
    effects = restarts.observe(look, seen, cron.now.after(S))
    names = [effect.event.name for effect in effects if isinstance(effect, Record)]
    assert names[0] is EventName.PROCESS_REPLACED


def test_the_round_names_the_dependency_that_is_down() -> None:
    child = replace(mind("child", restart=replace(RESTART, automatic=False)), depends_on=("mind",))
    cron = due(mind(), child)
    restarts = RoundRestarts(cron.held, ["mind", "child"], [], cron.now)
    assert restarts.suppressed_by(cron.held["child"]) == "mind"
    assert restarts.suppressed_by(cron.held["mind"]) is None


def test_r7_a_common_cause_of_a_round_ends_with_the_first_recovery_and_is_told_of_all_its_downs() -> None:
    cron = Cron(*(mind(name) for name in ("a", "b", "c"))).runs(2)
    now = cron.now
    downs = [Event(DOWN, now.wall_ns, name) for name in ("a", "b", "c")]
    told = RoundRestarts(cron.held, ["a"], [], now).hear([*downs, Event(EventName.CHECK_PASSED, 0, "a")], now)
    (suspect,) = (effect.event for effect in told if isinstance(effect, Record))
    assert (suspect.name, suspect.data) == (EventName.OBSERVER_SUSPECT, {"components": ["a", "b", "c"]})
    held_back = RoundRestarts(cron.held, ["a"], [], now)
    held_back.hear([*downs, Event(RECOVERED, 0), Event(EventName.COMPONENT_HEALTHY, 0, "b")], now)
    assert held_back.hear(downs, now) == [], "suspected still"
    freed = RoundRestarts(cron.held, ["a"], [], now)
    freed.hear([*downs, Event(RECOVERED, 0, "b")], now)
    assert len(freed.hear(downs, now)) == 1, "over, so another one is told"
