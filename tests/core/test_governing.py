"""Governors are shown their components when it may matter; a deed is doubted once more right before it (R1, R7, R8)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lifesign.core.commands import Hold, Pause, RestartNow, Resume
from lifesign.core.common_cause import CommonCause
from lifesign.core.effects import Record
from lifesign.core.events import EventName
from lifesign.core.governing import DISTRUST_NS, Governing
from lifesign.core.governor import Governor
from lifesign.core.model import CheckId, Identity, Layer, Observation, WorkSignal
from lifesign.core.observer import Finding
from lifesign.core.restart import Failed, Phase, Sent
from lifesign.core.spec import ComponentSpec, RestartSpec, SignalPolicy
from tests.core.stage import FAIL, OK, START, S, Stage, check, component

RESTART = RestartSpec(
    "signal", automatic=True, max_restarts=5, after_ns=20 * S, grace_ns=60 * S, window_ns=86_400 * S
)  # fmt: skip
PORT = check(grace_ns=0, failure_threshold=1, success_threshold=1)
REFUSED = Observation(FAIL, "refused")
STALLED = "we had stalled ourselves: failures are not evidence"


def mind(**changes: object) -> ComponentSpec:
    return component("mind", PORT, restart=RESTART, **changes)


def governor(stage: Stage, name: str = "mind") -> Governor:
    found = stage.monitor.components[name].governor
    assert found is not None
    return found


def at_work(*others: ComponentSpec, spec: ComponentSpec | None = None) -> Stage:
    """It is down, and the shell was asked this very moment to restart it."""
    stage = Stage(spec or mind(), *others).run(15)
    stage.world["mind", "port"] = REFUSED
    return asked_to_restart(stage)


def asked_to_restart(stage: Stage) -> Stage:
    """Within two minutes."""
    for _ in range(2_400):
        if stage.restarts:
            break
        stage.run(0.05)
    assert governor(stage).phase is Phase.RESTARTING
    return stage


def doubt(stage: Stage, attempt: int = 1, name: str = "mind") -> str:
    return stage.monitor.doubt(name, attempt, stage.now)


def test_a_restart_whose_failure_was_found_again_this_moment_is_not_doubted() -> None:
    assert doubt(at_work()) == ""


def test_a_restart_that_nobody_asks_for_any_more_is_doubted() -> None:
    stage = at_work(component("bare", PORT))
    assert doubt(stage, name="nobody") == "it is no longer watched"
    assert doubt(stage, name="bare") == "it is no longer asked for"
    assert doubt(stage, attempt=2) == "it is no longer asked for"
    stage.take(stage.monitor.restart_reported("mind", 1, Sent("done"), stage.now))
    assert doubt(stage) == "it is no longer asked for"


def test_a_restart_of_what_is_well_again_is_doubted() -> None:
    stage = at_work().tell("mind", "port", Observation(OK, ""))
    assert doubt(stage) == "it is no longer down"


def test_r1_a_failure_that_was_found_longer_than_two_seconds_ago_is_doubted() -> None:
    stage = at_work()
    found_ns = stage.monitor.components["mind"].checks["port"].observed_ns
    stage.now = stage.now.after(found_ns + 2 * S - stage.now.mono_ns)
    assert doubt(stage) == ""
    stage.now = stage.now.after(1)
    assert doubt(stage) == "its last look did not find the failure again"


def _hold(stage: Stage) -> None:
    stage.monitor.command(Hold("mind", "ann", 3_600 * S, "deploy"), stage.now)


def _break_gateway(stage: Stage) -> None:
    stage.tell("gateway", "port", REFUSED)


def _flap(stage: Stage) -> None:
    for _ in range(12):
        stage.tell("mind", "port", Observation(OK, "")).tell("mind", "port", REFUSED)


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (_hold, "held by ann until "),
        (_break_gateway, "it depends on gateway, which has not recovered"),
        (_flap, "it flaps, which a restart does not cure"),
    ],
)
def test_what_would_have_kept_it_back_keeps_it_back_in_the_last_moment_too(
    happens: Callable[[Stage], None], words: str
) -> None:
    stage = at_work(component("gateway", PORT), spec=mind(depends_on=("gateway",)))
    happens(stage)
    assert doubt(stage).startswith(words)


def test_what_an_operator_asked_for_is_not_doubted() -> None:
    stage = Stage(mind()).run(15)
    _hold(stage)
    stage.take(stage.monitor.command(RestartNow("mind", "ann"), stage.now))
    assert doubt(stage) == ""
    assert doubt(stage, attempt=2) == "it is no longer asked for"


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ({"gap_ns": 5 * S}, STALLED),
        ({"step_ns": -5 * S}, "the wall clock was just stepped"),
        ({"gap_ns": 5 * S, "step_ns": 5 * S}, STALLED),
        ({}, ""),
    ],
)
def test_r8_a_stall_of_ours_or_a_step_of_the_clock_is_doubt_enough(finding: dict[str, int], words: str) -> None:
    stage = at_work()
    governing = Governing(stage.monitor.components, CommonCause(stage.now.mono_ns), stage.now)
    governing.notice(Finding(stage.now.mono_ns - 5 * S, stage.now.mono_ns, **finding))
    assert governing.doubt(stage.monitor.components["mind"], 1, stage.now) == words


@pytest.mark.parametrize(("stalled", "jumped"), [(True, False), (False, True), (False, False)])
def test_r8_what_the_run_before_missed_is_doubt_enough_and_another_that_missed_nothing_takes_it_not_back(
    stalled: bool, jumped: bool
) -> None:
    stage = at_work()
    governing = Governing(stage.monitor.components, CommonCause(stage.now.mono_ns), stage.now)
    governing.distrust(stage.now, stalled=stalled, jumped=jumped)
    governing.distrust(stage.now, stalled=False, jumped=False)
    words = STALLED if stalled else "the wall clock was just stepped" if jumped else ""
    assert governing.doubt(stage.monitor.components["mind"], 1, stage.now) == words


@pytest.mark.parametrize("grace_s", [0, 1, 7])
def test_r8_it_is_distrusted_for_two_seconds_or_the_longest_grace_of_its_checks(grace_s: int) -> None:
    stage = at_work(spec=component("mind", PORT, check("slow", grace_ns=grace_s * S, optional=True), restart=RESTART))
    governing = Governing(stage.monitor.components, CommonCause(stage.now.mono_ns), stage.now)
    governing.distrust(stage.now, stalled=True, jumped=True)
    lasts_ns = max(DISTRUST_NS, grace_s * S)
    held = stage.monitor.components["mind"]
    assert governing.doubt(held, 1, stage.now.after(lasts_ns)) == STALLED
    assert governing.doubt(held, 1, stage.now.after(lasts_ns + 1)) != STALLED
    assert DISTRUST_NS == 2 * S


def test_a_stall_is_excused_to_every_governor_and_a_step_of_the_clock_to_none() -> None:
    stage = Stage(mind(), component("bare", PORT), component("voice", PORT, restart=RESTART)).run(15)
    governing = Governing(stage.monitor.components, CommonCause(stage.now.mono_ns), stage.now)
    due = {name: governor(stage, name).due_ns for name in ("mind", "voice")}
    governing.notice(Finding(stage.now.mono_ns - 5 * S, stage.now.mono_ns, step_ns=9 * S))
    assert {name: governor(stage, name).due_ns for name in due} == due
    governing.notice(Finding(stage.now.mono_ns - 5 * S, stage.now.mono_ns, gap_ns=8 * S, suspended_ns=3 * S))
    assert {name: governor(stage, name).due_ns for name in due} == {name: ns + 5 * S for name, ns in due.items()}


def test_t2_no_verification_ends_while_its_checks_are_paused_and_it_gets_a_whole_grace_after_that() -> None:
    stage = at_work()
    stage.take(stage.monitor.restart_reported("mind", 1, Sent("done"), stage.now))
    stage.run(50)
    stage.monitor.command(Pause("mind", "ann"), stage.now)
    stage.run(100)
    due_ns = governor(stage).due_ns
    stage.take(stage.monitor.command(Resume("mind", "ann"), stage.now))
    assert governor(stage).attempts.last.verify_until_ns == stage.now.mono_ns + RESTART.grace_ns
    assert governor(stage).due_ns == due_ns, "a pause is no stall"
    stage.rests = True
    stage.run(59.9)
    assert EventName.RESTART_UNPRODUCTIVE not in stage.names("mind")
    stage.run(2)
    assert stage.names("mind").count(EventName.RESTART_UNPRODUCTIVE) == 1


def test_a_component_that_nobody_restarts_is_resumed_like_any_other() -> None:
    stage = Stage(component("bare", PORT)).run(15)
    stage.monitor.command(Pause("bare", "ann"), stage.now)
    stage.take(stage.monitor.command(Resume("bare", "ann"), stage.now))
    assert stage.names("bare")[-1] is EventName.OPERATOR_ACTION


def test_a_paused_component_is_not_restarted_however_long_it_was_down() -> None:
    stage = Stage(mind()).run(15)
    stage.world["mind", "port"] = REFUSED
    stage.run(15)
    stage.monitor.command(Pause("mind", "ann"), stage.now)
    stage.run(600)
    assert stage.restarts == []


def test_an_operators_dry_run_is_in_vain_once_its_grace_is_over_by_time_alone() -> None:
    stage = Stage(component("mind", replace(PORT, interval_ns=3_600 * S), restart=RESTART), dry_run=True).run(15)
    stage.rests = True
    stage.take(stage.monitor.command(RestartNow("mind", "ann"), stage.now))
    stage.run(59.9)
    assert EventName.RESTART_UNPRODUCTIVE not in stage.names("mind")
    stage.run(31)
    assert stage.names("mind").count(EventName.RESTART_UNPRODUCTIVE) == 1


def test_a_report_of_a_restart_that_is_not_in_flight_is_not_taken() -> None:
    stage = at_work(component("bare", PORT))
    for name, attempt in (("mind", 2), ("bare", 1), ("nobody", 1)):
        assert stage.monitor.restart_reported(name, attempt, Sent("done"), stage.now) == ()
    assert governor(stage).phase is Phase.RESTARTING
    assert stage.view("mind").incarnation == 0
    stage.take(stage.monitor.restart_reported("mind", 1, Sent("done"), stage.now))
    stage.take(stage.monitor.restart_reported("mind", 1, Sent("done"), stage.now))
    assert stage.view("mind").incarnation == 1, "what was sent twice is one new life"


def test_a_new_process_while_a_restart_was_tried_in_vain_came_by_itself() -> None:
    process = check("process", Layer.ALIVE, "process", grace_ns=0)
    stage = Stage(component("mind", process, PORT, restart=RESTART))
    stage.world["mind", "process"] = lambda now: Observation(OK, identity=Identity(100, 1.0))
    stage.run(15)
    stage.world["mind", "port"] = REFUSED
    asked_to_restart(stage).tell("mind", "process", Observation(OK, identity=Identity(101, START.wall_ns / S + 40)))
    told = stage.monitor.restart_reported("mind", 1, Failed("no such unit"), stage.now)
    (replaced,) = [e.event for e in told if isinstance(e, Record) and e.event.name is EventName.PROCESS_REPLACED]
    assert (replaced.component, replaced.message) == ("mind", "pid 101 is a new process")
    assert replaced.at_wall_ns == stage.now.wall_ns
    assert stage.view("mind").incarnation == 1


def trio(**changes: object) -> Stage:
    """Three that went down together; the shell reports nothing."""
    spec = replace(RESTART, after_ns=5 * S, **changes)  # type: ignore[arg-type]
    stage = Stage(*(component(name, PORT, restart=spec) for name in ("a", "b", "c")), component("d", PORT)).run(15)
    for name in ("a", "b", "c"):
        stage.world[name, "port"] = REFUSED
        stage.look_now(name).run(0.1)
    return stage


def test_r7_what_went_down_together_is_withheld_for_one_common_cause_and_has_that_in_its_record() -> None:
    stage = trio()
    stage.run(30)
    until = {governor(stage, name).common_until_ns for name in ("a", "b", "c")}
    assert len(until) == 1
    assert None not in until
    words = "restart withheld: most components went down at once: one common cause"
    assert [stage.view(name).next_step for name in ("a", "b", "c")] == [words] * 3


def test_r7_once_one_recovers_the_others_go_one_at_a_time_and_none_that_is_well_has_it_in_its_record() -> None:
    stage = trio()
    stage.run(30)
    del stage.world["c", "port"]
    stage.run(15)
    assert governor(stage, "c").common_until_ns is None
    assert [effect.component for _, effect in stage.restarts] in (["a"], ["b"])
    first = stage.restarts[0][1].component
    other = {"a": "b", "b": "a"}[first]
    words = "restart withheld: it went down with others, which are restarted one at a time"
    assert stage.view(other).next_step == words
    stage.take(stage.monitor.restart_reported(first, 1, Failed("no such unit"), stage.now))
    stage.run(5)
    assert [effect.component for _, effect in stage.restarts] == [first, other]


def test_r7_another_one_that_goes_down_later_and_by_itself_waits_for_nobody() -> None:
    spec = replace(RESTART, after_ns=5 * S)
    names = ("a", "b", "c")
    stage = Stage(*(component(name, PORT, restart=spec) for name in (*names, "e"))).run(15)
    for name in names:
        stage.world[name, "port"] = REFUSED
        stage.look_now(name).run(0.1)
    stage.run(650)
    (first, *_) = [effect.component for _, effect in stage.restarts]
    stage.world["e", "port"] = REFUSED
    stage.run(30)
    assert [effect.component for _, effect in stage.restarts] == [first, "e"]


def test_what_is_to_be_done_next_is_to_be_done_no_later_than_the_governors_say() -> None:
    stage = Stage(component("mind", replace(PORT, interval_ns=3_600 * S), restart=RESTART), component("bare", PORT))
    governing = Governing(stage.monitor.components, CommonCause(START.mono_ns), START)
    assert governing.next_ns() == START.mono_ns
    assert governing.advance(START) == []
    assert governing.next_ns() is None
    stage.run(5).tell("mind", "port", REFUSED)
    governor(stage).wake_ns = None  # the stage's own has planned it already
    governing.govern(stage.monitor.components["mind"], stage.now)
    assert governing.next_ns() == stage.now.mono_ns + RESTART.after_ns
    assert governing.advance(stage.now.after(RESTART.after_ns - 1)) == []
    assert governing.next_ns() == stage.now.mono_ns + RESTART.after_ns


def test_a_last_look_is_asked_for_once_and_not_where_one_is_under_way_since_then() -> None:
    stage = Stage(mind()).run(15)
    stage.world["mind", "port"] = REFUSED
    stage.run(12)
    begun = len(stage.looks)
    stage.world["mind", "port"] = None
    for _ in range(2_400):
        if governor(stage).asked_ns is not None:
            break
        stage.run(0.05)
    stage.run(1)
    assert [look.check for _, look in stage.looks[begun:]] == [CheckId("mind", "port")]


def test_a_heartbeat_is_looked_at_once_more_though_it_is_judged_by_time_alone() -> None:
    beat = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, interval_ns=600 * S, failure_threshold=1,
                 success_threshold=1, signal=SignalPolicy(100 * S))  # fmt: skip
    stage = Stage(component("mind", beat, restart=RESTART))
    stage.world["mind", "beat"] = Observation(OK, signal=WorkSignal(START.wall_ns))
    stage.run(119)
    begun = len(stage.looks)
    stage.run(4)
    assert [look.check for _, look in stage.looks[begun:]] == [CheckId("mind", "beat")]
    assert len(stage.restarts) == 1
