"""What operators lay upon a component: it holds for its time, over our own deaths, and hides nothing."""

from dataclasses import replace

import pytest

from lifesign.core.commands import (
    Acknowledge,
    Hold,
    NotPossibleError,
    OperatorCommand,
    Pause,
    Rearm,
    Release,
    RestartNow,
    Resume,
    Silence,
    Unsilence,
)
from lifesign.core.events import Event, EventName
from lifesign.core.memory import NoticeMemory
from lifesign.core.model import CheckState, ComponentState, Instant, Observation
from lifesign.core.operations import Notice, Operations
from lifesign.core.view import NoticeView
from tests.core.stage import FAIL, OK, S, Stage, check, component

GATEWAY = component("gateway", check(grace_ns=10 * S))
VOICE = component("voice", check(grace_ns=10 * S))


def command(stage: Stage, wanted: OperatorCommand) -> Event:
    """Gives it, and returns the one event that it leaves."""
    told = len(stage.events)
    stage.take(stage.monitor.command(wanted, stage.now))
    (event,) = stage.events[told:]
    return event


def down() -> Stage:
    stage = Stage(GATEWAY, VOICE)
    stage.run(30)
    stage.world["gateway", "port"] = Observation(FAIL, "refused")
    return stage.run(40)


def test_a_silence_lasts_its_time_and_changes_no_state() -> None:
    stage = down()
    event = command(stage, Silence("gateway", "root", 3_600 * S, "vendor outage"))
    assert event.name is EventName.SILENCE_ADDED
    assert event.message == "root silenced it for 1h: vendor outage"
    assert event.data == {"author": "root", "reason": "vendor outage", "duration_s": 3600.0}
    shown = stage.view("gateway").silence
    assert shown is not None
    assert (shown.author, shown.reason) == ("root", "vendor outage")
    assert shown.until_wall_ns == stage.now.wall_ns + 3_600 * S
    assert stage.state("gateway") is ComponentState.DOWN
    stage.run(3_599.9)
    assert EventName.SILENCE_ENDED not in stage.names("gateway")
    stage.run(0.2)
    assert stage.names("gateway").count(EventName.SILENCE_ENDED) == 1
    assert stage.view("gateway").silence is None
    assert stage.view("voice").silence is None


def test_a_silence_keeps_back_no_recovery() -> None:
    stage = down()
    command(stage, Silence("gateway", "root", 3_600 * S, "vendor outage"))
    stage.world["gateway", "port"] = Observation(OK, "")
    stage.run(40)
    assert EventName.COMPONENT_RECOVERED in stage.names("gateway")


def test_a_step_of_the_wall_clock_moves_no_end_and_a_night_asleep_does() -> None:
    stage = down()
    command(stage, Hold("gateway", "root", 600 * S, "deploy"))
    stage.step(86_400).run(10)
    assert stage.view("gateway").hold is not None
    stage.suspend(8 * 3_600)
    assert stage.view("gateway").hold is None
    assert stage.names("gateway").count(EventName.HOLD_ENDED) == 1


def test_a_hold_upon_everything_begins_and_ends_with_one_event() -> None:
    stage = down()
    assert command(stage, Hold(None, "root", 600 * S, "deploy")).component is None
    assert stage.view("gateway").hold == stage.view("voice").hold is not None
    stage.run(601)
    assert stage.names(None).count(EventName.HOLD_ENDED) == 1
    assert EventName.HOLD_ENDED not in stage.names("gateway") + stage.names("voice")


def test_releasing_one_leaves_the_others_held() -> None:
    stage = down()
    command(stage, Hold(None, "root", 600 * S, "deploy"))
    assert command(stage, Release("voice", "root")).component == "voice"
    assert stage.view("voice").hold is None
    assert stage.view("gateway").hold is not None
    assert command(stage, Release(None, "root")).component is None
    assert stage.view("gateway").hold is None


def test_an_acknowledgement_ends_with_its_incident() -> None:
    stage = down()
    event = command(stage, Acknowledge("gateway", "ann", "on it"))
    assert event.name is EventName.ACK_ADDED
    assert event.incident is not None
    assert stage.view("gateway").acknowledged is not None
    stage.world["gateway", "port"] = Observation(OK, "")
    stage.run(40)
    assert stage.view("gateway").acknowledged is None
    with pytest.raises(NotPossibleError, match="no open incident"):
        stage.monitor.command(Acknowledge("gateway", "ann"), stage.now)


def test_nobody_looks_at_a_paused_component_and_nothing_of_it_shows_green() -> None:
    stage = Stage(GATEWAY, VOICE)
    stage.run(60)
    assert stage.state("gateway") is ComponentState.HEALTHY
    command(stage, Pause("gateway", "root", "maintenance"))
    looks = len([look for _, look in stage.looks if look.check.component == "gateway"])
    stage.look_now("gateway").run(300)
    assert len([look for _, look in stage.looks if look.check.component == "gateway"]) == looks
    assert stage.state("gateway") is ComponentState.PAUSED
    assert stage.check_state("gateway", "port") is CheckState.UNKNOWN
    assert set(stage.view("gateway").layers.values()) == {None, CheckState.UNKNOWN}
    assert stage.monitor.overall(stage.now) is ComponentState.HEALTHY


def test_a_component_that_is_resumed_begins_with_a_look_and_a_grace() -> None:
    stage = Stage(GATEWAY, VOICE)
    stage.run(60)
    command(stage, Pause("gateway", "root"))
    stage.world["gateway", "port"] = Observation(FAIL, "refused")
    stage.run(300)
    command(stage, Resume("gateway", "root"))
    stage.run(9.9)
    assert stage.state("gateway") is ComponentState.STARTING
    stage.run(30)
    assert stage.state("gateway") is ComponentState.DOWN


def test_an_incident_stays_open_over_a_pause() -> None:
    stage = down()
    command(stage, Pause("gateway", "root"))
    stage.world["gateway", "port"] = Observation(OK, "")
    stage.run(300)
    assert EventName.COMPONENT_RECOVERED not in stage.names("gateway")
    command(stage, Resume("gateway", "root"))
    stage.run(30)
    assert stage.names("gateway").count(EventName.COMPONENT_RECOVERED) == 1


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Unsilence("voice", "root"), "not silenced"),
        (Release("voice", "root"), "not held"),
        (Release(None, "root"), "nothing is held"),
        (Acknowledge("voice", "root"), "no open incident"),
        (Resume("voice", "root"), "not paused"),
        (Rearm("voice", "root"), "no restart section"),
        (RestartNow("voice", "root"), "no restart section"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence_and_changes_nothing(wanted: OperatorCommand, why: str) -> None:
    stage = down()
    before, events = repr(stage.monitor.memory(stage.now)), len(stage.events)
    with pytest.raises(NotPossibleError, match=why):
        stage.monitor.command(wanted, stage.now)
    assert repr(stage.monitor.memory(stage.now)) == before
    assert len(stage.events) == events


def test_a_component_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        down().monitor.command(Silence("nobody", "root", S, ""), down().now)


def test_what_was_laid_upon_a_component_survives_us_and_the_time_away_counts() -> None:
    stage = down()
    command(stage, Silence("gateway", "root", 3_600 * S, "vendor outage"))
    command(stage, Hold(None, "ann", 600 * S, "deploy"))
    command(stage, Acknowledge("gateway", "ann", "on it"))
    command(stage, Pause("voice", "root", "maintenance"))
    stage.die(700)
    stage.run(1)
    gateway = stage.view("gateway")
    assert gateway.hold is None
    assert stage.names(None).count(EventName.HOLD_ENDED) == 1
    assert gateway.silence is not None
    assert gateway.silence.reason == "vendor outage"
    assert gateway.acknowledged is not None
    assert stage.state("voice") is ComponentState.PAUSED
    stage.run(2_890)
    assert stage.view("gateway").silence is not None
    stage.run(20)
    assert stage.view("gateway").silence is None


HERE = Instant(5_000 * S, 1_000_000 * S, 7_000 * S)


@pytest.mark.parametrize("lasts_ns", [None, 100 * S])
def test_a_notice_is_written_down_by_what_is_left_of_it_and_the_time_away_counts(lasts_ns: int | None) -> None:
    notice = Notice.begun("ann", "deploy", HERE, lasts_ns)
    assert (notice.author, notice.reason, notice.since_wall_ns) == ("ann", "deploy", HERE.wall_ns)
    assert notice.ends_boot_ns == (None if lasts_ns is None else 7_100 * S)
    left_ns = None if lasts_ns is None else 70 * S
    memory = notice.memory(HERE.after(30 * S))
    assert memory == NoticeMemory("ann", "deploy", HERE.wall_ns, left_ns)
    elsewhere = Instant(0, 0, 50 * S)
    ends_ns = None if lasts_ns is None else (50 + 70 - 20) * S
    assert Notice.recalled(memory, elsewhere, 20 * S) == replace(notice, ends_boot_ns=ends_ns)
    until_ns = None if lasts_ns is None else HERE.wall_ns + 100 * S
    assert notice.view(HERE.after(30 * S)) == NoticeView("ann", "deploy", HERE.wall_ns, until_ns)
    assert Notice.recalled(None, HERE, 0) is None


def test_of_two_notices_the_one_without_an_end_lasts_longer() -> None:
    endless, short, long = (Notice("ann", "", 0, ends_ns) for ends_ns in (None, 10, 11))
    assert short.ends_before(long)
    assert short.ends_before(endless)
    for one, other in ((long, short), (short, short), (endless, short), (endless, endless)):
        assert not one.ends_before(other)


def test_a_notice_has_ended_in_the_moment_its_time_is_up() -> None:
    notice = Notice("ann", "", 0, HERE.boot_ns)
    assert notice.has_ended(HERE)
    assert not notice.has_ended(HERE.after(-1))
    assert not Notice("ann", "", 0).has_ended(HERE)


def test_of_silence_and_hold_the_first_to_end_is_planned_for() -> None:
    laid = Operations()
    assert laid.next_end_boot_ns() is None
    laid.acknowledged = laid.paused = Notice("ann", "", 0, 5)
    assert laid.next_end_boot_ns() is None, "neither ends by time"
    laid.silence = Notice("ann", "", 0)
    assert laid.next_end_boot_ns() is None
    laid.hold = Notice("ann", "", 0, 20)
    assert laid.next_end_boot_ns() == 20
    laid.silence = Notice("ann", "", 0, 10)
    assert laid.next_end_boot_ns() == 10


def test_an_acknowledgement_is_forgotten_where_its_incident_is_no_longer_open() -> None:
    stage = down()
    command(stage, Acknowledge("gateway", "ann", "on it"))
    memory = stage.monitor.components["gateway"].memory(stage.now)
    laid = Operations()
    laid.recall(memory, stage.now)
    assert laid.acknowledged == Notice("ann", "on it", stage.now.wall_ns)
    laid.recall(replace(memory, incident=None), stage.now)
    assert laid.acknowledged is None
