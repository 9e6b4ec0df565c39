"""Automatic restarts: when one is made, how often, and when no more (reliability.md, R1 to R13)."""

from dataclasses import replace

import pytest

from lifesign.core.budget import Budget
from lifesign.core.commands import Hold, NotPossibleError, OperatorCommand, Rearm, Release, RestartNow
from lifesign.core.events import Event, EventName, Level
from lifesign.core.model import ComponentState, Identity, Instant, Layer, Observation, WorkSignal
from lifesign.core.restart import Failed, Outcome, Phase, Renewed, RestartReport, Sent, Withheld
from lifesign.core.spec import RestartSpec, SignalPolicy
from lifesign.text import format_timestamp
from tests.core.stage import FAIL, OK, START, UNKNOWN, S, Stage, check, component

RESTART = RestartSpec(
    "signal",
    automatic=True,
    max_unproductive=3,
    max_restarts=5,
    after_ns=60 * S,
    grace_ns=120 * S,
    backoff_initial_ns=30 * S,
    backoff_factor=2.0,
    backoff_max_ns=1_800 * S,
    window_ns=86_400 * S,
)
MIND = component(
    "mind",
    check("process", Layer.ALIVE, "process", grace_ns=30 * S),
    check("heartbeat", Layer.WORKING, "heartbeat", grace_ns=30 * S, failure_threshold=1, success_threshold=1,
          signal=SignalPolicy(100 * S)),
    restart=RESTART,
)  # fmt: skip
GATEWAY = component("gateway", check(grace_ns=0))
LONG_S = 3_600


class Mind:
    """A worker that hangs, and a shell that restarts it at once; `cures`: the fresh process works, after `slow_s`."""

    def __init__(
        self, *others: object, restart: RestartSpec = RESTART, dry_run: bool = False, **changes: object
    ) -> None:
        spec = replace(MIND, restart=restart, **changes)  # type: ignore[arg-type]
        self.stage = Stage(spec, *others, dry_run=dry_run)  # type: ignore[arg-type]
        self.stage.rests = True
        self.identity = Identity(100, START.wall_ns / S - 1_000)
        self.cures, self.renews, self.slow_s = True, True, 0.0
        self.works_from_ns: int | None = START.mono_ns
        self.work_wall_ns = START.wall_ns
        self.report: RestartReport | None = Sent("SIGTERM to pid 100")
        self.sent: list[float] = []
        self.stage.world["mind", "process"] = lambda now: Observation(OK, "one process", identity=self.identity)
        self.stage.world["mind", "heartbeat"] = self._beat
        self.stage.shell = self._restart

    def _beat(self, now: Instant) -> Observation:
        if self.works_from_ns is not None and now.mono_ns >= self.works_from_ns:
            self.work_wall_ns = now.wall_ns
        return Observation(OK, signal=WorkSignal(self.work_wall_ns))

    def _restart(self) -> RestartReport | None:
        if isinstance(self.report, Sent):
            self.sent.append(self.stage.elapsed_s)
            if self.renews:
                self.identity = Identity(self.identity.pid + 1, self.stage.now.wall_ns / S)
            self.works_from_ns = self.stage.now.mono_ns + round(self.slow_s * S) if self.cures else None
        return self.report

    def hang(self) -> "Mind":
        self.works_from_ns = None
        return self

    def run(self, duration_s: float) -> "Mind":
        self.stage.run(duration_s)
        return self

    def command(self, wanted: OperatorCommand) -> None:
        self.stage.take(self.stage.monitor.command(wanted, self.stage.now))

    def budget(self) -> Budget:
        governor = self.stage.monitor.components["mind"].governor
        assert governor is not None
        return governor.budget

    def phase(self) -> Phase:
        shown = self.stage.view("mind").restart
        assert shown is not None
        return shown.phase

    def told(self, name: EventName) -> list[Event]:
        return [event for event in self.stage.events if event.name is name]


def test_a_hung_worker_is_restarted_after_its_time_and_productive_once_the_new_process_works() -> None:
    mind = Mind().run(50).hang().run(140)
    assert mind.stage.state("mind") is ComponentState.DOWN
    assert mind.phase() is Phase.WAITING
    assert mind.sent == []
    mind.slow_s = 20
    mind.run(100)
    assert len(mind.sent) == 1
    assert mind.phase() is Phase.IDLE
    assert mind.stage.state("mind") is ComponentState.HEALTHY
    (productive,) = mind.told(EventName.RESTART_PRODUCTIVE)
    assert productive.level is Level.INFO
    assert "pid 100 -> 101" in productive.message
    assert mind.told(EventName.PROCESS_REPLACED) == []
    shown = mind.stage.view("mind").restart
    assert shown is not None
    (record,) = shown.history
    assert (record.pid_before, record.pid_after, record.outcome) == (100, 101, Outcome.PRODUCTIVE)
    assert record.automatic
    assert record.work_after_s is not None
    assert 20 <= record.work_after_s <= 31
    assert mind.stage.view("mind").incarnation == 1


def test_one_in_vain_is_followed_by_the_next_only_after_a_growing_wait_and_then_it_gives_up() -> None:
    mind = Mind().run(50).hang()
    mind.cures = False
    mind.run(LONG_S * 24 * 3)
    assert len(mind.sent) == 3
    first, second, third = mind.sent
    assert second - first == pytest.approx(120 + 30, abs=3)
    assert third - second == pytest.approx(120 + 60, abs=3)
    assert mind.phase() is Phase.EXHAUSTED
    assert len(mind.told(EventName.RESTART_UNPRODUCTIVE)) == 3
    (exhausted,) = mind.told(EventName.RESTART_EXHAUSTED)
    assert exhausted.level is Level.ERROR
    assert mind.stage.state("mind") is ComponentState.DOWN
    assert mind.stage.view("mind").next_step == "gave up after 3 unproductive restarts · R to re-arm"


def test_a_new_process_that_does_not_work_is_a_failure_at_the_end_of_its_grace_however_far_its_limit() -> None:
    mind = Mind(checks=(MIND.checks[0], replace(MIND.checks[1], signal=SignalPolicy(1_000 * S)))).run(50).hang()
    mind.cures = False
    mind.run(1_000 + 60)
    assert len(mind.sent) == 1
    assert mind.stage.state("mind") is ComponentState.STARTING
    mind.run(121)
    assert mind.stage.state("mind") is ComponentState.DOWN
    assert "restarted in vain" in mind.stage.view("mind").diagnosis


def test_work_of_the_old_process_makes_no_restart_productive() -> None:
    mind = Mind().run(50).hang()
    mind.renews = False
    mind.run(100 + 60 + 130)
    assert len(mind.sent) == 1
    assert mind.told(EventName.RESTART_PRODUCTIVE) == []
    (vain,) = mind.told(EventName.RESTART_UNPRODUCTIVE)
    assert "no new process" in vain.message


def test_a_fresh_process_may_take_longer_than_its_limit_for_its_first_work_but_not_than_its_grace() -> None:
    mind = Mind().run(50).hang()
    mind.slow_s = 115
    mind.run(LONG_S)
    assert len(mind.sent) == 1
    assert mind.phase() is Phase.IDLE
    assert mind.told(EventName.RESTART_UNPRODUCTIVE) == []


def test_rearming_begins_anew() -> None:
    mind = Mind().run(50).hang()
    mind.cures = False
    mind.run(LONG_S)
    assert mind.phase() is Phase.EXHAUSTED
    mind.command(Rearm("mind", "root", "fixed the disk"))
    mind.cures = True
    mind.run(300)
    assert len(mind.sent) == 4
    assert mind.phase() is Phase.IDLE
    with pytest.raises(NotPossibleError, match="not exhausted"):
        mind.command(Rearm("mind", "root"))


def test_work_that_resumes_by_itself_and_lasts_arms_it_again() -> None:
    mind = Mind().run(50).hang()
    mind.cures = False
    mind.run(LONG_S)
    mind.works_from_ns = mind.stage.now.mono_ns
    mind.run(100)
    assert mind.phase() is Phase.EXHAUSTED
    mind.run(40)
    assert mind.phase() is Phase.IDLE
    mind.hang().run(300)
    assert len(mind.sent) == 4


def test_the_budget_of_a_window_is_never_exceeded_and_the_want_of_it_told_once() -> None:
    mind = Mind(restart=replace(RESTART, max_restarts=2, window_ns=LONG_S * 10 * S))
    for _ in range(4):
        mind.hang().run(LONG_S)
    assert len(mind.sent) == 2
    (withheld,) = mind.told(EventName.RESTART_WITHHELD)
    assert "2 restarts within 10h spent" in withheld.message
    assert withheld.level is Level.ERROR
    assert mind.stage.view("mind").next_step.startswith("restart withheld: 2 restarts within 10h")
    mind.run(LONG_S * 8)
    assert len(mind.sent) == 3


def test_what_other_monitors_of_the_host_have_spent_is_no_longer_there_and_the_words_say_until_when() -> None:
    mind = Mind(restart=replace(RESTART, max_restarts=2, window_ns=LONG_S * S)).run(50)
    others = [mind.stage.now.boot_ns, mind.stage.now.boot_ns + 30 * S]
    mind.budget().share(others[:1])
    shown = mind.stage.view("mind").restart
    assert shown is not None
    assert (shown.budget_left, shown.budget_at_wall_ns) == (1, None)
    mind.hang().run(30)
    mind.budget().share(others)
    again_wall_ns = START.wall_ns + others[0] - START.boot_ns + LONG_S * S
    shown = mind.stage.view("mind").restart
    assert shown is not None
    assert (shown.budget_left, shown.budget_at_wall_ns) == (0, again_wall_ns)
    mind.run(400)
    (withheld,) = mind.told(EventName.RESTART_WITHHELD)
    until = format_timestamp(again_wall_ns)[11:16]
    assert f"2 restarts within 1h spent by the monitors of this host together, none until {until} UTC" in (
        withheld.message
    )
    assert mind.sent == []
    mind.run(LONG_S)
    assert len(mind.sent) == 1


def test_rearming_gives_new_tries_and_no_new_budget_and_says_so() -> None:
    """R4: at most so many in any window, whoever re-arms."""
    mind = Mind(restart=replace(RESTART, max_restarts=3, window_ns=5 * LONG_S * S)).run(50).hang()
    mind.cures = False
    mind.run(LONG_S)
    assert (mind.phase(), len(mind.sent)) == (Phase.EXHAUSTED, 3)
    mind.command(Rearm("mind", "root", "fixed the disk"))
    (told,) = mind.told(EventName.OPERATOR_ACTION)
    until = format_timestamp(START.wall_ns + round(mind.sent[0] * S) + 5 * LONG_S * S)
    assert told.message == f"root re-armed its restarts, budget: 0 of 3 left until {until[11:16]} UTC: fixed the disk"
    mind.run(3 * LONG_S)
    assert len(mind.sent) == 3
    assert (
        mind.stage.view("mind").next_step
        == f"restart withheld: 3 restarts within 5h spent, none until {until[11:16]} UTC"
    )
    mind.run(2 * LONG_S)
    assert len(mind.sent) > 3


def test_a_step_of_the_wall_clock_gives_no_budget_back() -> None:
    mind = Mind(restart=replace(RESTART, max_restarts=1))
    mind.hang().run(LONG_S)
    mind.stage.step(90_000)
    mind.hang().run(LONG_S)
    assert len(mind.sent) == 1


def test_a_hold_keeps_back_an_automatic_restart_and_not_an_operators() -> None:
    mind = Mind().run(50).hang()
    mind.command(Hold("mind", "root", LONG_S * S, "deploy"))
    mind.run(600)
    assert mind.sent == []
    (withheld,) = mind.told(EventName.RESTART_WITHHELD)
    assert "held by root until" in withheld.message
    mind.command(Release("mind", "root"))
    mind.run(3)
    assert len(mind.sent) == 1
    mind.command(Hold("mind", "root", LONG_S * S, "deploy"))
    mind.run(200)
    mind.command(RestartNow("mind", "root", "try"))
    mind.run(1)
    assert len(mind.sent) == 2


def test_a_component_whose_dependency_is_down_is_not_restarted() -> None:
    mind = Mind(GATEWAY, depends_on=("gateway",)).run(50).hang()
    mind.stage.world["gateway", "port"] = Observation(FAIL, "refused")
    mind.run(600)
    assert mind.sent == []
    mind.stage.world["gateway", "port"] = Observation(OK, "")
    mind.run(60)
    assert len(mind.sent) == 1


def test_what_the_last_look_finds_well_is_not_restarted() -> None:
    """The heartbeat is looked at once more right before: a beat that came in the last moment saves it."""
    mind = Mind(checks=(MIND.checks[0], replace(MIND.checks[1], interval_ns=1_000 * S))).run(50).hang()
    mind.run(100)
    assert mind.stage.state("mind") is ComponentState.DOWN
    mind.works_from_ns = mind.stage.now.mono_ns
    mind.run(300)
    assert mind.sent == []
    assert mind.stage.state("mind") is ComponentState.HEALTHY


def test_unknown_is_no_reason_for_a_restart() -> None:
    mind = Mind().run(50).hang().run(130)
    mind.stage.world["mind", "heartbeat"] = Observation(UNKNOWN, "no permission")
    mind.run(LONG_S)
    assert mind.sent == []


def test_nothing_is_restarted_right_after_a_stall_of_our_own() -> None:
    mind = Mind().run(50).hang().run(150)
    mind.stage.stall(100)
    mind.run(29)
    assert mind.sent == []
    mind.run(40)
    assert len(mind.sent) == 1


def test_hands_off_is_told_once_costs_nothing_and_is_tried_again() -> None:
    mind = Mind(restart=replace(RESTART, max_restarts=1)).run(50).hang()
    mind.report = Withheld("its manager says that somebody has stopped it")
    mind.run(600)
    (withheld,) = mind.told(EventName.RESTART_WITHHELD)
    assert "somebody has stopped it" in withheld.message
    assert mind.stage.view("mind").next_step.startswith(
        "restart withheld: its manager says that somebody has stopped it; looked into again in "
    )
    assert len(mind.stage.restarts) > 5
    shown = mind.stage.view("mind").restart
    assert shown is not None
    assert shown.history == ()
    assert shown.budget_left == 1
    mind.report = Sent("SIGTERM to pid 100")
    mind.run(35)
    assert len(mind.sent) == 1


def test_a_restart_that_fails_counts_as_one_in_vain() -> None:
    mind = Mind().run(50).hang()
    mind.report = Failed("the unit does not exist")
    mind.run(LONG_S)
    assert len(mind.stage.restarts) == 3
    assert mind.phase() is Phase.EXHAUSTED
    assert "the unit does not exist" in mind.told(EventName.RESTART_UNPRODUCTIVE)[0].message


def test_an_operators_restart_spends_no_budget_and_is_bound_by_the_grace_of_the_last() -> None:
    mind = Mind(restart=replace(RESTART, automatic=False)).run(50)
    mind.command(RestartNow("mind", "ann", "new model"))
    mind.run(1)
    assert len(mind.sent) == 1
    sent = mind.told(EventName.RESTART_SENT)[0]
    assert sent.data["author"] == "ann"
    assert sent.data["reason"] == "new model"
    with pytest.raises(NotPossibleError, match="in flight"):
        mind.command(RestartNow("mind", "ann"))
    mind.run(30)
    assert mind.phase() is Phase.IDLE
    with pytest.raises(NotPossibleError, match="in its grace"):
        mind.command(RestartNow("mind", "ann"))
    mind.run(121)
    mind.command(RestartNow("mind", "ann"))
    shown = mind.stage.view("mind").restart
    assert shown is not None
    assert shown.budget_left == 5


def test_without_automatic_only_the_operator_restarts() -> None:
    mind = Mind(restart=replace(RESTART, automatic=False)).run(50).hang().run(LONG_S)
    assert mind.sent == []
    assert mind.phase() is Phase.IDLE
    assert EventName.RESTART_WITHHELD not in mind.stage.names("mind")


@pytest.mark.parametrize("report", [Sent("SIGTERM to pid 100"), Failed("the unit does not exist")])
def test_after_an_operators_restart_in_vain_none_is_promised_that_nobody_will_make(report: RestartReport) -> None:
    mind = Mind(restart=replace(RESTART, automatic=False)).run(50).hang()
    mind.cures, mind.report = False, report
    mind.run(200)
    mind.command(RestartNow("mind", "ann"))
    while not mind.told(EventName.RESTART_UNPRODUCTIVE):
        mind.run(0.25)
    for _ in range(20):
        assert mind.phase() is Phase.IDLE
        shown = mind.stage.view("mind")
        assert shown.restart is not None
        assert shown.restart.next_at_wall_ns is None
        assert shown.next_step.startswith("looked at again ")
        mind.run(0.1)


def test_a_dry_run_decides_and_tells_the_same_and_asks_for_nothing() -> None:
    mind = Mind(dry_run=True).run(50).hang().run(LONG_S)
    assert mind.stage.restarts == []
    assert len(mind.told(EventName.RESTART_SENT)) == 3
    assert all(event.message.startswith("dry run: ") for event in mind.told(EventName.RESTART_SENT))
    assert len(mind.told(EventName.RESTART_EXHAUSTED)) == 1
    assert mind.stage.state("mind") is ComponentState.DOWN
    assert mind.stage.monitor.memory(mind.stage.now).components["mind"].restart is None


@pytest.mark.parametrize("away_s", [0, 5, 60, LONG_S])
def test_r12_a_monitor_that_died_in_a_restart_makes_no_second_one_for_that_decision(away_s: float) -> None:
    mind = Mind().run(50).hang()
    mind.report = None  # the shell never reports: it is killed
    mind.run(170)
    assert mind.phase() is Phase.RESTARTING
    mind.identity = Identity(101, mind.stage.now.wall_ns / S)
    mind.works_from_ns = mind.stage.now.mono_ns + 5 * S
    mind.stage.die(away_s)
    assert mind.phase() is Phase.VERIFYING
    mind.run(60)
    assert mind.phase() is Phase.IDLE
    assert len(mind.stage.restarts) == 1
    assert len(mind.told(EventName.RESTART_PRODUCTIVE)) == 1
    assert mind.told(EventName.PROCESS_REPLACED) == []


@pytest.mark.parametrize("every_s", [61, 101, 600])
def test_r12_exactly_the_permitted_number_however_often_the_monitor_is_killed(every_s: int) -> None:
    mind = Mind().run(50).hang()
    mind.cures = False
    for _ in range(4 * LONG_S // every_s):
        mind.run(every_s)
        mind.stage.die(1)
    assert len(mind.sent) == 3
    waits = [after - before for before, after in zip(mind.sent, mind.sent[1:], strict=False)]
    assert waits == sorted(waits)
    assert mind.phase() is Phase.EXHAUSTED
    assert len(mind.told(EventName.RESTART_EXHAUSTED)) == 1


def test_r7_components_that_go_down_together_wait_for_one_recovery_and_then_go_one_at_a_time() -> None:
    trio = [component(name, check(grace_ns=0), restart=replace(RESTART, grace_ns=60 * S)) for name in ("a", "b", "c")]
    stage = Stage(*trio)
    stage.run(30)
    for name in ("a", "b", "c"):
        stage.world[name, "port"] = Observation(FAIL, "refused")
    stage.run(600)
    assert stage.restarts == []
    stage.shell = lambda: Sent("done")
    stage.run(60)
    assert len(stage.restarts) == 1
    stage.run(65)
    assert len(stage.restarts) == 2


def test_r7_over_our_own_death_all_of_those_that_went_down_together_go_one_at_a_time() -> None:
    """Even the first of them, which went down before anybody could know of a common cause."""
    trio = [component(name, check(grace_ns=0), restart=replace(RESTART, grace_ns=60 * S)) for name in ("a", "b", "c")]
    stage = Stage(*trio)
    stage.run(30)
    for name in ("a", "b", "c"):
        stage.world[name, "port"] = Observation(FAIL, "refused")
    while len([e for e in stage.events if e.name is EventName.COMPONENT_DOWN]) < 3:
        stage.run(0.05)
    stage.die(1)
    stage.shell = lambda: Sent("done")
    stage.run(600)
    assert stage.restarts == []
    assert [e.message for e in stage.events if e.name is EventName.OBSERVER_SUSPECT][1:] == [], (
        "told once, in its words"
    )
    stage.run(55)
    assert len(stage.restarts) == 1


def test_the_managers_word_on_the_new_process_is_as_good_as_a_looks() -> None:
    mind = Mind(checks=(MIND.checks[1],)).run(50).hang()
    mind.stage.world["mind", "heartbeat"] = lambda now: replace(mind._beat(now), identity=Identity(1))
    mind.run(200)
    assert len(mind.sent) == 1
    assert mind.phase() is Phase.VERIFYING
    mind.stage.take(mind.stage.monitor.restart_reported("mind", 1, Renewed(Identity(4711, 1.0)), mind.stage.now))
    mind.run(20)
    assert mind.phase() is Phase.IDLE
    assert len(mind.told(EventName.RESTART_PRODUCTIVE)) == 1


def test_the_process_of_which_the_manager_has_told_is_no_stranger_to_the_look_that_sees_it_next() -> None:
    mind = Mind().run(50).hang()
    mind.renews = mind.cures = False
    mind.run(140)
    while not mind.sent:
        mind.run(1)
    assert mind.phase() is Phase.VERIFYING
    new = Identity(4711, mind.stage.now.wall_ns / S)
    mind.stage.take(mind.stage.monitor.restart_reported("mind", 1, Renewed(new), mind.stage.now))
    mind.identity, mind.works_from_ns = new, mind.stage.now.mono_ns
    mind.run(20)
    assert len(mind.told(EventName.RESTART_PRODUCTIVE)) == 1
    assert mind.told(EventName.PROCESS_REPLACED) == []


def test_a_failure_that_was_seen_before_our_death_is_no_last_look() -> None:
    mind = Mind().run(50).hang()
    mind.command(Hold("mind", "root", 300 * S, "deploy"))
    mind.run(250)
    mind.stage.die(400)
    mind.run(25)
    assert mind.sent == []
    mind.run(40)
    assert len(mind.sent) == 1


def test_where_the_process_check_sees_several_by_now_the_one_of_before_is_not_named_as_the_target() -> None:
    mind = Mind().run(50).hang()
    mind.report = None
    mind.run(170)
    assert [wanted.identity for _, wanted in mind.stage.restarts] == [mind.identity]
    several = Mind().run(50).hang()
    several.report = None
    several.stage.world["mind", "process"] = Observation(OK, "2 processes", several=True)
    several.run(170)
    assert [wanted.identity for _, wanted in several.stage.restarts] == [None]
