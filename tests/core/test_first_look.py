"""What has no grace is unknown until its first look, which is no news; what that look finds is, and is told once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.commands import Pause, Resume
from lifesign.core.events import EventName
from lifesign.core.memory import ComponentMemory
from lifesign.core.model import CheckId, CheckState, ComponentState, Observation, Verdict
from lifesign.core.rounds import take_round
from tests.core.stage import FAIL, OK, START, UNKNOWN, WARN, S, Stage, check, component

CHECK_UNKNOWN, FAILING, FAILED = EventName.CHECK_UNKNOWN, EventName.CHECK_FAILING, EventName.CHECK_FAILED
NOT_KNOWN, DEGRADED = EventName.COMPONENT_UNKNOWN, EventName.COMPONENT_DEGRADED
HEALTHY, DOWN = EventName.COMPONENT_HEALTHY, EventName.COMPONENT_DOWN
LOOKING_NS = 2 * S  # how long each look takes


def stage(grace_ns: int = 0, **found: Verdict) -> Stage:
    """A component with a check of each name, which finds that; one whose name begins with `may` is optional.

    Every look takes a while.
    """
    checks = [check(name, grace_ns=grace_ns, optional=name.startswith("may")) for name in found]
    made = Stage(component("mind", *checks))
    for name, verdict in found.items():
        made.world["mind", name] = Observation(verdict, f"found {verdict}")
        made.latency_ns["mind", name] = LOOKING_NS
    return made


def told(made: Stage) -> list[tuple[EventName, str | None]]:
    return [(event.name, event.check) for event in made.events]


@pytest.mark.parametrize("grace_ns", [0, 30 * S])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_until_the_first_look_is_over_nothing_is_told(verdict: Verdict, grace_ns: int) -> None:
    made = stage(grace_ns, port=verdict, may=verdict)
    made.run(LOOKING_NS / S - 0.1).look_now().run(0)
    assert made.events == []


def test_a_first_look_that_finds_nothing_out_is_told_once() -> None:
    made = stage(port=UNKNOWN).run(600)
    assert told(made) == [(CHECK_UNKNOWN, "port"), (NOT_KNOWN, None)]
    assert [event.message for event in made.events] == ["found unknown", "nobody could find out: port: found unknown"]
    assert made.elapsed_s == 600
    assert made.events[0].at_wall_ns <= START.wall_ns + 11 * S + LOOKING_NS, "with the first look"


@pytest.mark.parametrize(
    ("verdict", "events"),
    [
        (FAIL, [(FAILING, "may"), (DEGRADED, None), (FAILED, "may")]),
        (UNKNOWN, [(CHECK_UNKNOWN, "may"), (DEGRADED, None)]),
        (WARN, [(DEGRADED, None)]),
        (OK, [(HEALTHY, None)]),
    ],
)
def test_of_an_optional_check_too_its_first_look_is_told(
    verdict: Verdict, events: list[tuple[EventName, str | None]]
) -> None:
    assert told(stage(may=verdict).run(120)) == events


def test_a_look_that_is_still_under_way_is_no_news_beside_one_that_is_over() -> None:
    made = stage(port=OK, may=FAIL)
    made.latency_ns["mind", "may"] = 4 * S
    made.look_now("mind", "port").run(LOOKING_NS / S)
    assert made.check_state("mind", "port") is CheckState.PASSING
    assert told(made) == []
    made.run(120)
    assert told(made) == [(FAILING, "may"), (DEGRADED, None), (FAILED, "may")]


def test_each_of_two_checks_is_told_and_their_component_once() -> None:
    made = stage(page=UNKNOWN, port=UNKNOWN).run(300)
    assert sorted(told(made)[::2]) == [(CHECK_UNKNOWN, "page"), (CHECK_UNKNOWN, "port")]
    assert told(made)[1:2] == [(NOT_KNOWN, None)]
    assert len(made.events) == 3


def test_what_is_seen_down_is_told_though_another_look_is_under_way() -> None:
    made = stage(page=OK, port=FAIL)
    made.world["mind", "page"] = None
    assert (DOWN, None) in told(made.run(60))


def test_a_component_that_nobody_can_look_at_yet_becomes_healthy_and_that_is_all() -> None:
    assert told(stage(page=OK, port=OK, may=OK).run(60)) == [(HEALTHY, None)]


def test_after_a_pause_the_first_look_is_told_again() -> None:
    made = stage(port=OK).run(60)
    made.take(made.monitor.command(Pause("mind", "an operator"), made.now))
    made.run(60)
    made.world["mind", "port"] = Observation(UNKNOWN, "no descriptor")
    made.take(made.monitor.command(Resume("mind", "an operator"), made.now))
    resumed = len(made.events)
    made.run(LOOKING_NS / S - 0.1)
    assert not [event for event in made.events[resumed:] if event.check]
    made.run(60)
    assert [(event.name, event.check) for event in made.events[resumed:] if event.check] == [(CHECK_UNKNOWN, "port")]
    assert made.names("mind").count(NOT_KNOWN) == 1


def test_a_check_that_a_reload_adds_is_told_of_with_its_first_look() -> None:
    made = stage(port=OK).run(60)
    made.world["mind", "page"] = Observation(UNKNOWN, "no descriptor")
    made.latency_ns["mind", "page"] = 20 * S  # the other one is looked at meanwhile
    held = made.spec.components[0]
    more = replace(held, checks=(*held.checks, replace(held.checks[0], name="page", timeout_ns=30 * S)))
    made.take(made.monitor.reconfigure(replace(made.spec, components=(more,)), (), made.now))
    made.run(19)
    assert told(made) == [(HEALTHY, None)]
    made.run(60)
    assert told(made) == [(HEALTHY, None), (CHECK_UNKNOWN, "page"), (NOT_KNOWN, None)]
    assert made.view("mind").since_wall_ns == made.events[-1].at_wall_ns


@pytest.mark.parametrize("name", ["page", "may"])
def test_a_reload_that_adds_a_good_check_or_changes_one_tells_nothing(name: str) -> None:
    made = stage(port=OK).run(60)
    made.world["mind", name] = Observation(OK, "found ok")
    held = made.spec.components[0]
    added = replace(held.checks[0], name=name, optional=name == "may")
    for timeout_ns in (S, 3 * S):
        changed = replace(held, checks=(*held.checks, replace(added, timeout_ns=timeout_ns)))
        made.take(made.monitor.reconfigure(replace(made.spec, components=(changed,)), (), made.now))
        made.run(60)
    assert made.check_state("mind", name) is CheckState.PASSING
    assert told(made) == [(HEALTHY, None)]


def test_a_state_is_held_since_it_was_told() -> None:
    made = stage(port=UNKNOWN, may=OK).run(60)
    [told_of] = [event for event in made.events if event.name is NOT_KNOWN]
    assert made.view("mind").since_wall_ns == told_of.at_wall_ns > START.wall_ns


@given(
    looks=st.lists(
        st.tuples(st.sampled_from(["port", "page", "may"]), st.sampled_from([OK, WARN, FAIL, UNKNOWN])), max_size=12
    ),
    deaths=st.sets(st.integers(0, 12)),
)
def test_over_deaths_nothing_is_told_twice_and_nothing_is_forgotten(
    looks: list[tuple[str, Verdict]], deaths: set[int]
) -> None:
    checks = [check(name, grace_ns=0, interval_ns=3600 * S, optional=name == "may") for name in ("port", "page", "may")]
    spared, killed = Stage(component("mind", *checks)), Stage(component("mind", *checks))
    for life in (spared, killed):
        life.world = {("mind", made.name): None for made in checks}  # all comes by itself
    for number, (name, verdict) in enumerate(looks):
        if number in deaths:
            killed.run(0.5).die(0.25)
        for life in (spared, killed):
            life.run(number + 1 - life.elapsed_s)
            life.tell("mind", name, Observation(verdict, "seen"))
    assert told(killed) == told(spared)
    assert killed.state("mind") is spared.state("mind")


def test_what_runs_of_one_round_each_find_out_first_is_told_by_the_first_of_them() -> None:
    spec = component("mind", check(grace_ns=0), check("may", grace_ns=0, optional=True))
    memory: ComponentMemory | None = None
    runs = []
    for number in range(3):
        now = START.after(number * 300 * S)
        found = {
            CheckId("mind", "port"): Observation(OK),
            CheckId("mind", "may"): Observation(UNKNOWN, "no permission"),
        }
        tracked, events = take_round(spec, memory, found, now)
        memory = tracked.memory(now)
        runs.append([(event.name, event.check) for event in events])
        assert tracked.state is ComponentState.DEGRADED
    assert runs == [[(CHECK_UNKNOWN, "may"), (DEGRADED, None)], [], []]
