"""For how long a view is right: until something happens, or a moment that is known beforehand; but for its ages."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lifesign.core.commands import Hold, OperatorCommand, Pause, Silence
from lifesign.core.governor import Governor
from lifesign.core.incident import TrackedComponent
from lifesign.core.known import Known
from lifesign.core.model import ComponentState, Instant, Layer, Observation, ObserverState, WorkSignal
from lifesign.core.operations import Notice
from lifesign.core.restart import Phase
from lifesign.core.schedule import LOST_AFTER_NS
from lifesign.core.showing import component_ages, component_view
from lifesign.core.spec import CheckSpec, RestartSpec, SignalPolicy
from lifesign.core.standing import FOR_EVER_NS, stands_until_ns
from lifesign.core.view import AGE, Ages, Change, Fresh, Looked, Standing
from tests.core.stage import FAIL, OK, START, S, Stage, check, component

PORT = check(grace_ns=0, interval_ns=60 * S, timeout_ns=20 * S)
BEAT = check("beat", Layer.WORKING, "heartbeat", grace_ns=0, signal=SignalPolicy(100 * S))
RESTART = RestartSpec("signal", automatic=True, max_restarts=2, window_ns=900 * S)
NAMES = ["mind", "voice"]


def stage() -> Stage:
    """`mind` beats in two ways and waits for `voice`; both are well."""
    made = Stage(component("mind", BEAT, replace(BEAT, name="other"), depends_on=("voice",)), component("voice", PORT))
    made.world["mind", "beat"] = made.world["mind", "other"] = beaten
    return made.run(20)


def beaten(now: Instant) -> Observation:
    return Observation(OK, "at it", signal=WorkSignal(now.wall_ns - S))


def changes(made: Stage, known: dict[str, Standing], *, ages: bool = True) -> dict[str, Change]:
    return dict(made.monitor.changes(made.now, Known(known), ages=ages).components)


def standings(found: dict[str, Change]) -> dict[str, Standing]:
    return {name: change.standing for name, change in found.items() if isinstance(change, Fresh)}


def test_who_knows_nothing_gets_everything_whole_and_whether_it_may_be_trusted() -> None:
    made = stage()
    told = made.monitor.changes(made.now, Known())
    assert (told.at, told.overall, told.observer) == (made.now, ComponentState.HEALTHY, ObserverState.OK)
    assert [*told.components] == NAMES
    for name, change in told.components.items():
        held = made.monitor.components[name]
        assert isinstance(change, Fresh)
        assert change.view == component_view(held, made.now, None)
        assert (change.standing.face is None) is (name == "mind")  # of which two ages go on
        assert change.standing._replace(face=None) == Standing(
            held.revision,
            stands_until_ns(held, made.now),
            made.now.wall_ns - made.now.mono_ns,
            made.now.boot_ns - made.now.mono_ns,
            None,
            name == "mind",
        )
    assert [*made.monitor.changes(made.now, Known(), ["voice", "nobody"]).components] == ["voice"]


def test_of_a_view_that_is_right_only_the_ages_are_told_and_only_to_who_wants_them() -> None:
    made = stage()
    known = standings(changes(made, {}))
    made.now = made.now.after(S // 10)
    assert changes(made, known, ages=False) == {}
    assert changes(made, known) == {"mind": component_ages(made.monitor.components["mind"], made.now)}


@pytest.mark.parametrize(
    "outdated",
    [
        lambda known, made: known._replace(revision=known.revision - 1),
        lambda known, made: known._replace(until_ns=made.now.mono_ns),
        lambda known, made: known._replace(wall_ahead_ns=known.wall_ahead_ns + 1),
        lambda known, made: known._replace(boot_ahead_ns=known.boot_ahead_ns + 1),
        lambda known, made: known._replace(suppressed_by="gateway"),
    ],
)
def test_a_view_that_is_no_longer_right_is_told_whole(outdated: Callable[[Standing, Stage], Standing]) -> None:
    made = stage()
    known = standings(changes(made, {}))
    known["mind"] = outdated(known["mind"], made)
    found = changes(made, known)
    assert [*found] == ["mind"]
    assert isinstance(found["mind"], Fresh)


def test_what_happens_to_a_component_or_to_its_dependency_makes_its_view_another() -> None:
    made = stage()
    known = standings(changes(made, {}))
    made.tell("voice", "port", Observation(FAIL, "refused"))
    assert [*changes(made, known, ages=False)] == ["voice"]
    for _ in range(3):
        made.tell("voice", "port", Observation(FAIL, "refused"))
    assert made.state("voice") is ComponentState.DOWN
    found = changes(made, known, ages=False)
    assert sorted(found) == NAMES
    assert standings(found)["mind"].suppressed_by == "voice"


@pytest.mark.parametrize("beats", [False, True])
def test_of_one_that_just_works_only_what_looks_found_is_told_again(*, beats: bool) -> None:
    made = Stage(component("voice", PORT, *[BEAT] * beats))
    made.world["voice", "beat"] = beaten
    known = standings(changes(made.run(100), {}))
    made.tell("voice", "port", Observation(OK, "slower", 0.5))
    [found] = changes(made, known).values()
    assert isinstance(found, Looked)
    view = component_view(made.monitor.components["voice"], made.now, None)
    assert (found.checks, found.last_work_wall_ns) == (view.checks, view.last_work_wall_ns)
    assert (found.standing.beat is not None) is beats
    made.tell("voice", "port", Observation(FAIL, "refused"))
    assert isinstance(changes(made, known)["voice"], Fresh)


@pytest.mark.parametrize(
    "command",
    [
        Silence("voice", "root", 20 * S, "deploy"),
        Hold("voice", "root", 20 * S, "deploy"),
        Pause("voice", "root"),
    ],
)
def test_one_on_which_an_operator_has_laid_something_is_told_whole(command: OperatorCommand) -> None:
    made = stage()
    known = standings(changes(made, {}))
    made.take(made.monitor.command(command, made.now))
    found = changes(made, known)["voice"]
    assert isinstance(found, Fresh)
    assert found.standing.face is None
    assert isinstance(changes(made, standings(changes(made, {})) | {"voice": known["voice"]})["voice"], Fresh)


def test_one_that_shows_anything_else_than_before_is_told_whole() -> None:
    made = stage()
    known = standings(changes(made, {}))
    face = known["voice"].face
    assert face is not None
    for place in range(len(face)):
        other = known["voice"]._replace(revision=-1, face=(*face[:place], "other", *face[place + 1 :]))
        assert isinstance(changes(made, known | {"voice": other})["voice"], Fresh)
    assert isinstance(changes(made, known | {"voice": known["voice"]._replace(revision=-1)})["voice"], Looked)


def test_ages_are_those_of_the_view() -> None:
    made = stage()
    held = made.monitor.components["mind"]
    view = component_view(held, made.now, None)
    assert component_ages(held, made.now) == Ages(
        view.diagnosis,
        view.next_step,
        view.last_work_wall_ns,
        view.staleness_s,
        view.stale_after_s,
        tuple(shown.message for shown in view.checks),
    )


def held(*specs: CheckSpec, restart: RestartSpec | None = None) -> TrackedComponent:
    return TrackedComponent(component("mind", *specs, restart=restart), START, seed=0, one_shot=False)


def governor(made: TrackedComponent) -> Governor:
    assert made.governor is not None
    return made.governor


def at(elapsed_s: float) -> Instant:
    return START.after(round(elapsed_s * S))


def test_a_view_is_right_until_the_next_look_falls_due_and_never_while_one_is() -> None:
    made = held(PORT, replace(PORT, name="page"))
    for name, due_s in (("port", 50), ("page", 40)):
        made.checks[name].observe(Observation(OK), at(1), at(1).mono_ns)
        made.checks[name].schedule.due_ns = at(due_s).mono_ns
    assert stands_until_ns(made, at(10)) == at(40).mono_ns
    assert stands_until_ns(made, at(45)) == at(45).mono_ns
    made.checks["page"].pause()
    assert stands_until_ns(made, at(10)) == at(50).mono_ns


def test_a_view_is_right_until_a_look_is_overdue_or_a_state_changes_by_time_alone() -> None:
    made = held(PORT)
    one = made.checks["port"]
    one.observe(Observation(OK), at(1), at(1).mono_ns)
    one.schedule.due_ns = at(9_000).mono_ns
    assert stands_until_ns(made, at(10)) == at(1 + 2 * 60 + 20).mono_ns, "unknown by then"
    one.schedule.wake(at(10).mono_ns)
    lost_ns = at(10 + 20).mono_ns + LOST_AFTER_NS
    assert one.schedule.overdue_ns() == lost_ns
    assert stands_until_ns(made, at(11)) == lost_ns
    assert stands_until_ns(made, replace(START, mono_ns=lost_ns)) == at(141).mono_ns, "it is overdue already"
    assert stands_until_ns(made, at(141)) == at(9_000).mono_ns


@pytest.mark.parametrize(("interval_s", "timeout_s", "overdue_s"), [(60, 20, 22), (5, 20, 10)])
def test_a_look_under_way_is_overdue_past_its_time_or_two_intervals_after_the_last_one(
    interval_s: int, timeout_s: int, overdue_s: int
) -> None:
    schedule = held(check(interval_ns=interval_s * S, timeout_ns=timeout_s * S)).checks["port"].schedule
    assert schedule.overdue_ns() is None
    schedule.wake(START.mono_ns)
    overdue_ns = schedule.overdue_ns()
    assert overdue_ns == at(overdue_s).mono_ns
    assert not schedule.is_overdue(overdue_ns - 1)
    assert schedule.is_overdue(overdue_ns)


def test_of_a_component_without_a_check_nothing_changes_by_time_alone() -> None:
    assert stands_until_ns(held(), START) == FOR_EVER_NS
    assert stands_until_ns(held(restart=RESTART), START) == FOR_EVER_NS


@pytest.mark.parametrize("phase", list(Phase))
def test_a_view_is_right_until_a_restart_falls_due(phase: Phase) -> None:
    made = held(restart=RESTART)
    governor(made).phase, governor(made).due_ns = phase, at(30).mono_ns
    waits = phase in (Phase.WAITING, Phase.BACKOFF)
    assert stands_until_ns(made, at(10)) == (at(30).mono_ns if waits else FOR_EVER_NS)
    assert stands_until_ns(made, at(40)) == (at(40).mono_ns if waits else FOR_EVER_NS)


def test_a_view_is_right_until_a_restart_is_no_longer_counted_by_whomever_it_was_made() -> None:
    made = held(restart=RESTART)
    budget = governor(made).budget
    now = replace(at(10), boot_ns=at(10).boot_ns + 5_000 * S)
    assert budget.next_change_ns(now.boot_ns) is None
    budget.spend(now.boot_ns - 100 * S)
    assert budget.next_change_ns(now.boot_ns) == now.boot_ns + 800 * S
    assert stands_until_ns(made, now) == now.mono_ns + 800 * S
    budget.share([now.boot_ns - 300 * S, now.boot_ns - 1_000 * S])
    assert budget.next_change_ns(now.boot_ns) == now.boot_ns + 600 * S
    assert budget.next_change_ns(now.boot_ns + 900 * S) is None


@pytest.mark.parametrize("phase", list(Phase))
def test_a_view_has_ages_where_something_is_counted_down(phase: Phase) -> None:
    made = Stage(component("mind", PORT, restart=RESTART)).run(20)
    governor(made.monitor.components["mind"]).phase = phase
    assert standings(changes(made, {}))["mind"].ages is (phase is not Phase.IDLE)


def test_a_view_has_ages_in_a_grace_and_while_it_is_down_and_none_while_all_is_well() -> None:
    made = Stage(component("mind", replace(PORT, grace_ns=10 * S)))
    made.world["mind", "port"] = Observation(FAIL, "refused")
    assert standings(changes(made, {}))["mind"].ages
    made.run(300)
    assert made.state("mind") is ComponentState.DOWN
    assert standings(changes(made, {}))["mind"].ages
    made.world["mind", "port"] = Observation(OK, "connected")
    made.run(300)
    assert made.state("mind") is ComponentState.HEALTHY
    assert not standings(changes(made, {}))["mind"].ages


def beating(**policy: int) -> tuple[Stage, Standing]:
    made = Stage(component("mind", replace(BEAT, signal=SignalPolicy(100 * S, **policy)), PORT))
    made.world["mind", "beat"] = Observation(OK, "at it", signal=WorkSignal(made.now.wall_ns, progress=1))
    made.run(3)
    made.world["mind", "beat"] = Observation(OK, "at it", signal=WorkSignal(made.now.wall_ns, progress=1))
    made.look_now().run(20)
    return made, standings(changes(made, {}))["mind"]


def test_a_view_of_one_work_signal_says_since_when_that_rests_and_where_its_age_stands() -> None:
    made, found = beating(stuck_after_ns=100 * S)
    assert found.beat is not None
    assert not found.ages
    assert found.beat.worked_ns == made.now.mono_ns - 20 * S
    assert 22 * S <= made.now.mono_ns - found.beat.rests_ns <= 23 * S  # the counter stands since the first look
    assert found.beat.diagnosis == f"working: last work {AGE} ago · at it"
    assert found.beat.messages == (f"last work {AGE} ago · at it", "fine")
    assert changes(made, {"mind": found}) == {}


def test_a_view_in_which_more_than_an_age_goes_on_is_told_by_its_ages() -> None:
    made, found = beating(stuck_after_ns=90 * S)  # timestamp and counter come nearer to their limits at two paces
    assert (found.beat, found.ages) == (None, True)
    made, found = beating()
    assert found.beat is not None
    for words in (f"{AGE} ago", "long " * 300):
        made.tell("mind", "port", Observation(OK, words))
        made.tell("mind", "beat", Observation(OK, words, signal=WorkSignal(made.now.wall_ns)))
        assert standings(changes(made, {}))["mind"].beat is None


@pytest.mark.parametrize("laid", ["silence", "hold", "acknowledged"])
def test_a_view_has_ages_where_a_silence_or_a_hold_will_end(laid: str) -> None:
    made = stage()
    setattr(made.monitor.components["voice"].operations, laid, Notice.begun("ann", "", made.now, 600 * S))
    assert standings(changes(made, {}))["voice"].ages is (laid != "acknowledged")
