"""Every command of an operator leaves one event with its author and reason, and is saved (contract, section 8)."""

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
from lifesign.core.effects import Record
from lifesign.core.events import Event, EventName
from lifesign.core.governor import Governor
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import Observation
from lifesign.core.operations import Notice
from lifesign.core.restart import Phase
from lifesign.core.spec import RestartSpec
from lifesign.core.supervision import end_what_is_over
from lifesign.core.view import NoticeView
from tests.core.stage import FAIL, S, Stage, check, component

RESTART = RestartSpec("signal", max_restarts=5)
NAMES = ("gateway", "mind", "voice")
HOUR = 3_600 * S
WHY = {"author": "ann", "reason": "why"}
LASTING = {**WHY, "duration_s": 3_600.0}


def stage() -> Stage:
    """Three that are held until later than any hour from now is over, and one incident."""
    made = Stage(*(component(name, check(grace_ns=0), restart=RESTART) for name in NAMES)).run(30)
    made.world["gateway", "port"] = Observation(FAIL, "refused")
    made.run(40)
    for name in NAMES:
        made.monitor.components[name].operations.revision = 7
    return made


def held(made: Stage, name: str = "gateway") -> TrackedComponent:
    return made.monitor.components[name]


def governor(made: Stage, name: str = "gateway") -> Governor:
    found = held(made, name).governor
    assert found is not None
    return found


def give(made: Stage, *wanted: OperatorCommand) -> Event:
    """Gives them one after another; the event of the last, which leaves nothing else."""
    for one in wanted:
        effects = made.monitor.command(one, made.now)
    (record, *_) = effects
    assert isinstance(record, Record)
    return record.event


SILENCE, HOLD = Silence("gateway", "ann", HOUR, "why"), Hold("gateway", "ann", HOUR, "why")


@pytest.mark.parametrize(
    ("before", "wanted", "name", "words", "data"),
    [
        ([], SILENCE, "silence.added", "silenced it for 1h: why", LASTING),
        ([SILENCE], Unsilence("gateway", "ann", "why"), "silence.ended", "ended the silence: why", WHY),
        ([], HOLD, "hold.added", "holds it for 1h: why", LASTING),
        ([HOLD], Release("gateway", "ann", "why"), "hold.ended", "released it: why", WHY),
        ([], Acknowledge("gateway", "ann", "why"), "ack.added", "acknowledged the incident: why", WHY),
        ([], Pause("gateway", "ann", "why"), "operator.action", "paused its checks: why", {**WHY, "action": "pause"}),
        (
            [Pause("gateway", "root")],
            Resume("gateway", "ann", "why"),
            "operator.action",
            "resumed its checks: why",
            {**WHY, "action": "resume"},
        ),
        (
            [],
            RestartNow("gateway", "ann", "why"),
            "operator.action",
            "asked for a restart: why",
            {**WHY, "action": "restart"},
        ),
        ([], Pause("gateway", "ann"), "operator.action", "paused its checks", {"author": "ann", "action": "pause"}),
    ],
)
def test_each_command_leaves_one_event_that_says_who_did_what_for_how_long_and_why(
    before: list[OperatorCommand], wanted: OperatorCommand, name: str, words: str, data: dict[str, object]
) -> None:
    made = stage()
    incident = held(made).incident
    assert incident is not None
    assert give(made, *before, wanted) == Event(
        EventName(name), made.now.wall_ns, "gateway", incident=incident.id, message=f"ann {words}", data=data  # type: ignore[arg-type]
    )  # fmt: skip


def test_rearming_leaves_one_event_that_says_what_is_left_of_the_budget() -> None:
    made = stage()
    governor(made).phase = Phase.EXHAUSTED
    event = give(made, Rearm("gateway", "ann", "why"))
    assert (event.name, event.component) == (EventName.OPERATOR_ACTION, "gateway")
    assert event.message == "ann re-armed its restarts, budget: 5 of 5 left: why"
    assert event.data == {**WHY, "action": "rearm"}


@pytest.mark.parametrize(
    ("before", "wanted", "name", "words"),
    [
        ([], Hold(None, "ann", HOUR, "why"), "hold.added", "ann holds everything for 1h: why"),
        ([HOLD], Release(None, "ann", "why"), "hold.ended", "ann released everything: why"),
    ],
)
def test_what_is_asked_of_everything_is_told_of_no_component(
    before: list[OperatorCommand], wanted: OperatorCommand, name: str, words: str
) -> None:
    event = give(made := stage(), *before, wanted)
    assert (event.name, event.at_wall_ns, event.component, event.incident) == (name, made.now.wall_ns, None, None)
    assert event.message == words


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ([], SILENCE),
        ([SILENCE], Unsilence("gateway", "ann")),
        ([], HOLD),
        ([HOLD], Release("gateway", "ann")),
        ([], Acknowledge("gateway", "ann")),
        ([], Pause("gateway", "ann")),
        ([Pause("gateway", "ann")], Resume("gateway", "ann")),
    ],
)
def test_each_change_of_what_is_laid_upon_a_component_counts_once_so_that_it_is_saved(
    before: list[OperatorCommand], wanted: OperatorCommand
) -> None:
    made = stage()
    give(made, *before, wanted)
    assert held(made).operations.revision == 8 + len(before)
    assert held(made, "voice").operations.revision == 7


@pytest.mark.parametrize(
    ("before", "wanted", "laid"),
    [
        ([], SILENCE, "silence"),
        ([], HOLD, "hold"),
        ([], Hold(None, "ann", HOUR, "why"), "hold"),
        ([], Acknowledge("gateway", "ann", "why"), "acknowledged"),
        ([], Pause("gateway", "ann", "why"), "paused"),
    ],
)
def test_what_is_laid_upon_a_component_keeps_its_author_its_reason_and_its_end(
    before: list[OperatorCommand], wanted: OperatorCommand, laid: str
) -> None:
    made = stage()
    give(made, *before, wanted)
    ends_ns = made.now.boot_ns + HOUR if laid in ("silence", "hold") else None
    assert getattr(held(made).operations, laid) == Notice("ann", "why", made.now.wall_ns, ends_ns)


@pytest.mark.parametrize(
    ("before", "wanted", "laid"),
    [
        (SILENCE, Unsilence("gateway", "ann"), "silence"),
        (HOLD, Release("gateway", "ann"), "hold"),
        (HOLD, Release(None, "ann"), "hold"),
        (Pause("gateway", "ann"), Resume("gateway", "ann"), "paused"),
    ],
)
def test_what_is_taken_away_again_is_gone(before: OperatorCommand, wanted: OperatorCommand, laid: str) -> None:
    made = stage()
    give(made, before, wanted)
    assert getattr(held(made).operations, laid) is None
    assert made.names(None) == [], "and does not end a second time"
    made.run(3_700)
    assert not {EventName.SILENCE_ENDED, EventName.HOLD_ENDED} & set(made.names("gateway"))


@pytest.mark.parametrize(
    ("before", "wanted", "why"),
    [
        ([], Unsilence("voice", "ann"), "voice is not silenced"),
        ([], Release("voice", "ann"), "voice is not held"),
        ([], Release(None, "ann"), "nothing is held"),
        ([], Acknowledge("voice", "ann"), "voice has no open incident"),
        ([Pause("voice", "ann")], Pause("voice", "ann"), "voice is paused already"),
        ([], Resume("voice", "ann"), "voice is not paused"),
        ([Pause("voice", "ann")], RestartNow("voice", "ann"), "voice is paused: nobody would see what comes of it"),
        ([], Rearm("voice", "ann"), "the restarts of voice are not exhausted: idle"),
        ([RestartNow("voice", "ann")], RestartNow("voice", "ann"), "a restart of voice is in flight: restarting"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_whole_sentence(
    before: list[OperatorCommand], wanted: OperatorCommand, why: str
) -> None:
    made = stage()
    for one in before:
        give(made, one)
    with pytest.raises(NotPossibleError) as refused:
        made.monitor.command(wanted, made.now)
    assert str(refused.value) == why


def test_what_has_no_restart_section_has_no_restart_to_ask_for() -> None:
    made = Stage(component("bare", check())).run(1)
    for wanted in (RestartNow("bare", "ann"), Rearm("bare", "ann")):
        with pytest.raises(NotPossibleError) as refused:
            made.monitor.command(wanted, made.now)
        assert str(refused.value) == "bare has no restart section"


def test_a_hold_upon_everything_replaces_those_that_end_before_it_and_no_longer_one() -> None:
    made = stage()
    give(made, Hold("gateway", "root", 2 * HOUR, "a look into it"), Hold("mind", "root", S, "soon over"))
    give(made, Hold(None, "ann", HOUR, "deploy"))
    authors = [(one.author, one.reason) for one in (made.view(name).hold for name in NAMES) if one is not None]
    assert authors == [("root", "a look into it"), ("ann", "deploy"), ("ann", "deploy")]
    assert [held(made, name).operations.revision for name in NAMES] == [8, 9, 8]
    give(made, Hold("gateway", "ann", HOUR, "now mine"))
    hold = made.view("gateway").hold
    assert hold is not None
    assert hold.author == "ann", "a hold of its own replaces whichever there is"


def test_a_silence_and_a_hold_that_are_over_end_with_an_event_that_names_their_author_and_are_saved() -> None:
    made = stage()
    give(made, replace(SILENCE, duration_ns=S), replace(HOLD, duration_ns=S))
    before = len(made.events)
    made.run(0.99)
    assert made.events[before:] == []
    made.run(0.02)
    incident = held(made).incident
    assert incident is not None
    assert [(e.name, e.component, e.incident, e.message, e.data) for e in made.events[before:]] == [
        (EventName.SILENCE_ENDED, "gateway", incident.id, "the silence of ann is over", WHY),
        (EventName.HOLD_ENDED, "gateway", incident.id, "the hold of ann is over", WHY),
    ]
    assert all(event.at_wall_ns == made.events[-1].at_wall_ns for event in made.events[before:])
    assert held(made).operations.revision == 11
    assert (made.view("gateway").silence, made.view("gateway").hold) == (None, None)


def test_holds_that_were_laid_at_different_times_end_with_an_event_each_and_one_for_those_of_one_command() -> None:
    made = stage()
    give(made, Hold("gateway", "root", 2 * S, "first"))
    made.run(0.5)
    give(made, Hold(None, "ann", S, "deploy"))
    before = len(made.events)
    made.stall(30)
    ended = [e for e in made.events[before:] if e.name is EventName.HOLD_ENDED]
    assert [(e.component, e.message) for e in ended] == [
        ("gateway", "the hold of root is over"),
        (None, "the hold of ann is over"),
    ]
    assert [held(made, name).operations.revision for name in NAMES] == [9, 9, 9]
    assert all(made.view(name).hold is None for name in NAMES)


def test_the_end_of_a_hold_or_a_silence_is_no_moment_to_rest_over() -> None:
    made = stage()
    made.rests = True
    give(made, Hold("voice", "ann", 5 * S, "why"))
    asleep = replace(made.now, wall_ns=made.now.wall_ns + 3 * S, boot_ns=made.now.boot_ns + 3 * S)
    made.monitor.tick(asleep)
    assert made.monitor.quiet_until() <= asleep.mono_ns + 2 * S


def test_the_surfaces_show_what_is_laid_upon_a_component_by_whom_and_until_when() -> None:
    made = stage()
    give(made, SILENCE, replace(HOLD, author="bob", reason=""), Acknowledge("gateway", "eve", "mine"))
    wall_ns = made.now.wall_ns
    made.run(10)
    shown = made.view("gateway")
    assert shown.silence == NoticeView("ann", "why", wall_ns, wall_ns + HOUR)
    assert shown.hold == NoticeView("bob", "", wall_ns, wall_ns + HOUR)
    assert shown.acknowledged == NoticeView("eve", "mine", wall_ns, None)
    other = made.view("voice")
    assert (other.silence, other.hold, other.acknowledged) == (None, None, None)


@pytest.mark.parametrize("open_incident", [True, False])
def test_a_run_of_one_round_ends_what_is_over_and_nothing_else(open_incident: bool) -> None:
    made = stage()
    name = "gateway" if open_incident else "voice"
    one, later = held(made, name), made.now.after(S)
    give(made, replace(SILENCE, component=name, duration_ns=S), replace(HOLD, component=name, duration_ns=S + 1))
    assert end_what_is_over(one, made.now) == []
    (silence,) = end_what_is_over(one, later)
    assert (silence.name, silence.at_wall_ns, silence.component) == (EventName.SILENCE_ENDED, later.wall_ns, name)
    assert (silence.message, silence.data) == ("the silence of ann is over", WHY)
    assert (silence.incident is not None) is open_incident
    assert one.operations.silence is None
    assert one.operations.hold is not None
    (hold,) = end_what_is_over(one, made.now.after(S + 1))
    assert (hold.name, hold.component, hold.message) == (EventName.HOLD_ENDED, name, "the hold of ann is over")
    assert one.operations.hold is None
    assert end_what_is_over(one, made.now.after(HOUR)) == []
