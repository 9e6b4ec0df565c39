"""What the monitor tells of itself, of what it does not watch, and what a reload may not move."""

from dataclasses import replace

import pytest

from lifesign.core.commands import LookNow, Pause
from lifesign.core.effects import Look, Record
from lifesign.core.events import Event, EventName
from lifesign.core.model import CheckId, Identity, Instant, Layer, Observation, ObserverState
from lifesign.core.monitor import Monitor
from lifesign.core.spec import MonitorSpec, RestartSpec
from tests.core.stage import FAIL, OK, START, S, Stage, check, component

PORT = check(grace_ns=0)
ONE, OTHER = component("mind", PORT), component("voice", PORT)
SUSPECT = Event(EventName.OBSERVER_SUSPECT, 0, message="we had stalled: failures are not evidence")
TRUSTED = Event(EventName.OBSERVER_OK, 0, message="failures are evidence again")


def of_itself(stage: Stage) -> list[Event]:
    return [replace(e, at_wall_ns=0) for e in stage.events if e.name in (SUSPECT.name, TRUSTED.name)]


def test_a_stall_of_ours_is_told_as_doubt_in_our_own_eyes_and_its_end_too() -> None:
    stage = Stage(ONE).run(20).stall(5)
    assert of_itself(stage) == [SUSPECT]
    assert stage.events[-1].at_wall_ns == stage.now.wall_ns
    stage.run(31)
    assert of_itself(stage) == [SUSPECT, TRUSTED]
    told_s = (stage.events[-1].at_wall_ns - START.wall_ns) / S
    assert told_s == pytest.approx(55, abs=0.26)


def test_in_a_round_in_which_nobody_ticks_the_clocks_are_read_all_the_same() -> None:
    stage = Stage(ONE)
    later = stage.now.after(5 * S)
    told = stage.monitor.attend(later)
    assert [e.event.name for e in told if isinstance(e, Record)] == [EventName.MONITOR_STALLED, SUSPECT.name]
    assert stage.monitor.attend(later) == ()
    assert stage.monitor.observer is ObserverState.SUSPECT


@pytest.mark.parametrize(
    ("wanted", "looked_at"),
    [
        (LookNow(), ["mind/port", "mind/web", "voice/port"]),
        (LookNow("mind"), ["mind/port", "mind/web"]),
        (LookNow("mind", "web"), ["mind/web"]),
    ],
)
def test_a_look_is_asked_for_at_one_check_at_one_component_or_at_everything(
    wanted: LookNow, looked_at: list[str]
) -> None:
    stage = Stage(component("mind", PORT, check("web")), OTHER)
    looks = stage.monitor.command(wanted, stage.now)
    assert ["/".join(effect.check) for effect in looks if isinstance(effect, Look)] == looked_at
    assert stage.monitor.command(wanted, stage.now) == (), "one look at a time"


def test_of_checks_that_are_woken_together_each_is_looked_at_but_those_of_what_is_paused() -> None:
    stage = Stage(component("mind", PORT, check("web")), OTHER)
    mind, voice = CheckId("mind", "web"), CheckId("voice", "port")
    stage.monitor.command(Pause("mind", "ann", "deploy"), stage.now)
    assert stage.monitor.wake([mind, voice], stage.now) == (Look(voice, 1),)
    assert stage.monitor.wake([voice], stage.now) == (), "one look at a time"
    revisions = [stage.monitor.components[name].revision for name in ("mind", "voice")]
    with pytest.raises(KeyError):
        stage.monitor.wake([voice, CheckId("mind", "gone")], stage.now)
    assert [stage.monitor.components[name].revision for name in ("mind", "voice")] == revisions


def test_a_look_that_was_asked_for_while_one_is_under_way_follows_it_and_nothing_else_is_lost() -> None:
    process = check("process", Layer.ALIVE, "process", grace_ns=0, interval_ns=600 * S)
    stage = Stage(component("mind", process))
    stage.world["mind", "process"] = Observation(OK, identity=Identity(100, 1.0))
    stage.run(20)
    (look,) = (effect for effect in stage.monitor.command(LookNow("mind"), stage.now) if isinstance(effect, Look))
    assert stage.monitor.command(LookNow("mind"), stage.now) == ()
    seen = Observation(OK, identity=Identity(101, START.wall_ns / S + 15))
    record, again = stage.monitor.observe(look.check, seen, stage.now, look.run)
    assert isinstance(record, Record)
    assert record.event.name is EventName.PROCESS_REPLACED
    assert again == Look(CheckId("mind", "process"), look.run + 1)


def test_a_reload_moves_no_look_whatever_seed_it_names() -> None:
    calm, reloaded = Stage(ONE, seed=5), Stage(ONE, seed=5)
    changed = component("mind", replace(PORT, interval_ns=20 * S))
    for stage, seed in ((calm, 5), (reloaded, 6)):
        stage.run(7)
        stage.take(stage.monitor.reconfigure(MonitorSpec((changed, OTHER), seed=seed), frozenset(), stage.now))
        assert stage.monitor.spec.seed == 5
        stage.run(60)
    assert reloaded.looks == calm.looks


def test_after_a_reload_governors_and_operators_still_reach_their_components() -> None:
    restart = RestartSpec("signal", automatic=True, after_ns=5 * S)
    stage = Stage(component("mind", PORT, restart=restart), OTHER).run(20)
    new = component("new", PORT, restart=restart)
    stage.take(stage.monitor.reconfigure(MonitorSpec((ONE, new)), frozenset(), stage.now))
    stage.world["mind", "port"] = stage.world["new", "port"] = Observation(FAIL, "refused")
    stage.run(60)
    assert {effect.component for _, effect in stage.restarts} == {"new"}


def test_an_empty_monitor_rests_for_an_hour() -> None:
    assert Monitor(MonitorSpec(()), START).quiet_until() == START.mono_ns + 3_600 * S


def test_the_view_shows_only_those_that_are_asked_for_in_that_order_and_leaves_out_who_is_not_there() -> None:
    stage = Stage(ONE, OTHER)
    view = stage.monitor.view(stage.now, ["voice", "nobody", "mind"])
    assert [shown.spec.name for shown in view.components] == ["voice", "mind"]
    assert [shown.spec.name for shown in stage.monitor.view(stage.now).components] == ["mind", "voice"]
    assert (view.at, view.overall, view.observer) == (stage.now, stage.monitor.overall(stage.now), ObserverState.OK)


def test_the_view_names_the_dependency_that_is_down() -> None:
    stage = Stage(component("mind", PORT, depends_on=("voice",)), OTHER)
    stage.world["voice", "port"] = Observation(FAIL, "refused")
    stage.run(60)
    assert (stage.view("mind").suppressed_by, stage.view("voice").suppressed_by) == ("voice", None)


def test_what_comes_by_itself_while_a_component_is_paused_is_not_taken() -> None:
    stage = Stage(ONE).run(20)
    stage.monitor.command(Pause("mind", "ann"), stage.now)
    before = stage.check_view("mind", "port")
    stage.tell("mind", "port", Observation(FAIL, "refused"))
    assert stage.check_view("mind", "port") == before


def test_a_clock_that_goes_back_is_no_earlier_moment_to_any_of_the_three() -> None:
    stage = Stage(ONE).run(20)
    back = Instant(stage.now.mono_ns - S, stage.now.wall_ns, stage.now.boot_ns - S)
    assert stage.monitor.tick(back) == ()
    assert stage.monitor.deadline() == stage.now.mono_ns + S // 4
    assert stage.monitor.tick(stage.now.after(S // 4)) == ()
    assert stage.names(None) == []
