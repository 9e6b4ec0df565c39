"""The transcript of a monitor: each call that may decide something, with its clocks, and each thing that came of it."""

from dataclasses import replace

import pytest

from lifesign.core.commands import Hold, LookNow, NotPossibleError, Release
from lifesign.core.conversation import Conversation, Notify, Stage
from lifesign.core.effects import Effect, Record, Restart
from lifesign.core.events import EventName
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import CheckId, Instant, Observation
from lifesign.core.restart import Sent
from lifesign.core.spec import MonitorSpec, RestartSpec
from lifesign.core.transcript import Attended, Entry, Moment, Reconfigured, RecordedMonitor, Reported, Reviewed
from tests.core.stage import FAIL, OK, START, S, check, component

PORT = check(grace_ns=0, failure_threshold=1, success_threshold=1)
RESTART = RestartSpec("signal", automatic=True, after_ns=5 * S)
SPEC = MonitorSpec((component("mind", PORT, restart=RESTART), component("voice", PORT)))
MIND = CheckId("mind", "port")
REFUSED = Observation(FAIL, "refused")


def at(elapsed_s: float) -> Instant:
    return START.after(round(elapsed_s * S))


def monitor() -> RecordedMonitor:
    """One second old, with a look under way at each check, and nothing to take."""
    made = RecordedMonitor(SPEC, START)
    for quarter in range(1, 5):
        made.tick(at(quarter / 4))
    assert made.waiting == 4
    assert made.take() == [at(quarter / 4) for quarter in range(1, 5)]
    assert (made.waiting, made.take()) == (0, [])
    return made


def came_of(effects: tuple[Effect, ...], now: Instant) -> list[Entry]:
    """What is written of these: no look."""
    written = [effect.event if isinstance(effect, Record) else effect for effect in effects]
    return [Moment(now, one) for one in written if not isinstance(one, tuple)]


def test_an_observation_is_written_with_when_its_look_began_and_what_came_of_it() -> None:
    made, now = monitor(), at(1.2)
    began_ns = made.components["mind"].checks["port"].schedule.began_ns
    effects = made.observe(MIND, REFUSED, now, 1)
    assert made.take() == [(now, MIND, began_ns, REFUSED), *came_of(effects, now)]
    assert [e.event.name for e in effects if isinstance(e, Record)][-1] is EventName.COMPONENT_DOWN
    fine = Observation(OK, "")
    assert made.observe(CheckId("voice", "port"), fine, at(1.21), None) != ()
    assert made.take()[0] == (at(1.21), CheckId("voice", "port"), at(1.21).mono_ns, fine)
    made.observe(CheckId("voice", "port"), fine, at(1.22), None)
    assert made.take() == [(at(1.22), CheckId("voice", "port"), at(1.22).mono_ns, fine)], "of which nothing came"


def test_a_look_that_a_stall_went_by_is_written_as_the_stall_has_moved_it() -> None:
    made = monitor()
    began_ns = made.components["mind"].checks["port"].schedule.began_ns
    assert began_ns is not None
    effects = made.observe(MIND, REFUSED, at(4), 1)
    assert made.take() == [(at(4), MIND, began_ns + 3 * S, REFUSED), *came_of(effects, at(4))]


@pytest.mark.parametrize("named", [MIND, CheckId("mind", "gone")])
def test_an_answer_that_is_not_taken_is_not_written_but_what_the_clocks_told_is(named: CheckId) -> None:
    made = monitor()
    assert made.observe(named, REFUSED, at(1.2), 77) == ()
    assert made.take() == []
    effects = made.observe(named, REFUSED, at(9), 77)
    assert next(e.event.name for e in effects if isinstance(e, Record)) is EventName.MONITOR_STALLED
    assert made.take() == [Moment(at(9), Attended()), *came_of(effects, at(9))]


def test_what_comes_by_itself_of_what_nobody_watches_is_an_error_and_not_written() -> None:
    made = monitor()
    with pytest.raises(KeyError):
        made.observe(CheckId("mind", "gone"), REFUSED, at(1.2), None)
    assert made.take() == []


def test_a_tick_is_its_reading_of_the_clocks_before_what_came_of_it() -> None:
    made = monitor()
    effects = made.tick(at(5))
    assert len(came_of(effects, at(5))) > 0
    assert made.take() == [at(5), *came_of(effects, at(5))]


def test_a_reading_of_the_clocks_alone_is_written() -> None:
    made = monitor()
    assert made.attend(at(1.2)) == ()
    effects = made.attend(at(9))
    assert made.take() == [Moment(at(1.2), Attended()), Moment(at(9), Attended()), *came_of(effects, at(9))]


def test_a_command_is_written_unless_it_is_refused() -> None:
    made = monitor()
    hold = Hold("mind", "ann", S, "deploy")
    effects = made.command(hold, at(1.2))
    assert made.take() == [Moment(at(1.2), hold), *came_of(effects, at(1.2))]
    with pytest.raises(NotPossibleError):
        made.command(Release("voice", "ann"), at(1.3))
    assert made.take() == []


def test_asking_for_a_look_is_not_written_but_what_the_clocks_told_is() -> None:
    made = monitor()
    for name in ("mind", "voice"):
        made.observe(CheckId(name, "port"), Observation(OK), at(1.1), 1)
    made.take()
    assert len(made.command(LookNow(), at(1.2))) == 2
    assert made.take() == []
    effects = made.command(LookNow(), at(9))
    assert made.take() == [Moment(at(9), Attended()), *came_of(effects, at(9))]
    effects = made.wake([MIND], at(19))
    assert made.take() == [Moment(at(19), Attended()), *came_of(effects, at(19))]
    made.wake([MIND], at(19))
    assert made.take() == []


def test_a_restart_is_written_as_it_is_asked_for_and_as_it_is_reported() -> None:
    made = monitor()
    made.observe(MIND, REFUSED, at(1.2), 1)
    wanted: list[Restart] = []
    for quarter in range(5, 200):
        now = at(quarter / 4)
        made.take()
        effects = [*made.tick(now)]
        if made.components["mind"].checks["port"].schedule.in_flight:
            effects += made.observe(MIND, REFUSED, now, made.components["mind"].checks["port"].schedule.run)
        wanted = [effect for effect in effects if isinstance(effect, Restart)]
        if wanted:
            break
    assert Moment(now, wanted[0]) in made.take()
    report = Sent("SIGTERM")
    told = made.restart_reported("mind", 1, report, now)
    assert made.take() == [Moment(now, Reported("mind", 1, report)), *came_of(told, now)]
    assert next(e.event.name for e in told if isinstance(e, Record)) is EventName.RESTART_SENT


def test_another_config_is_written_with_what_looks_at_something_else_and_with_whose_incident_ends() -> None:
    made = monitor()
    made.observe(MIND, REFUSED, at(1.2), 1)
    made.take()
    spec = replace(SPEC, components=SPEC.components[1:])
    changed = {CheckId("voice", "port")}
    effects = made.reconfigure(spec, changed, at(1.3))
    (ended,) = effects
    assert isinstance(ended, Record)
    assert ended.event.name is EventName.COMPONENT_RECOVERED
    assert made.take() == [
        Moment(at(1.3), Reconfigured(spec, (CheckId("voice", "port"),))),
        Moment(at(1.3), ended.event),
    ]
    assert [*made.components] == ["voice"]


def test_alerts_and_their_review_are_written_as_of_the_last_reading_of_the_clocks() -> None:
    made = monitor()
    assert made.now == at(1)
    made.tick(at(1.1))
    alert = Notify(Stage.OPENED, Conversation("ops", "mind", "mind-1", START.boot_ns))
    made.note(alert)
    made.reviewed()
    assert made.now == at(1.1)
    assert made.take() == [at(1.1), Moment(at(1.1), alert), Reviewed(at(1.1))]


def test_a_recorded_monitor_goes_on_from_a_memory_like_any_other() -> None:
    made = monitor()
    made.observe(MIND, REFUSED, at(1.2), 1)
    memory = made.memory(at(2))
    incident = made.components["mind"].incident
    assert isinstance(memory, MonitorMemory)
    again = RecordedMonitor(SPEC, at(3), memory).components["mind"].incident
    assert incident is not None
    assert again is not None
    assert again.id == incident.id
