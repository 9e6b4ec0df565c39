"""Incidents, incarnations and crash loops: what is told of a component, and how often (S3, S4, S7)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.events import EventName, Level
from lifesign.core.model import (
    CheckState,
    ComponentState,
    Identity,
    Instant,
    Layer,
    Observation,
    Verdict,
    WorkSignal,
)
from lifesign.core.spec import SignalPolicy
from tests.core.stage import FAIL, OK, START, UNKNOWN, S, Stage, check, component

DOWN, RECOVERED = EventName.COMPONENT_DOWN, EventName.COMPONENT_RECOVERED
REPLACED, CRASH_LOOP = EventName.PROCESS_REPLACED, EventName.PROCESS_CRASH_LOOP
GRACE = 30 * S
MIND = component(
    "mind",
    check("process", Layer.ALIVE, "process", grace_ns=GRACE),
    check("heartbeat", Layer.WORKING, "heartbeat", grace_ns=GRACE, failure_threshold=1, success_threshold=1,
          signal=SignalPolicy(60 * S)),
)  # fmt: skip


class Mind:
    """A process that lives and works, or not, and a heartbeat that it leaves behind."""

    def __init__(self) -> None:
        self.stage = Stage(MIND)
        self.identity = Identity(100, START.wall_ns / S - 1_000)
        self.works = True
        self.work_wall_ns = START.wall_ns
        self.stage.world["mind", "process"] = lambda now: Observation(OK, "one process", identity=self.identity)
        self.stage.world["mind", "heartbeat"] = self._beat

    def _beat(self, now: Instant) -> Observation:
        if self.works:
            self.work_wall_ns = now.wall_ns
        return Observation(OK, signal=WorkSignal(self.work_wall_ns))

    def replace(self, *, works: bool) -> None:
        """A new process stands there at once."""
        self.identity = Identity(self.identity.pid + 1, self.stage.now.wall_ns / S)
        self.works = works


def test_an_incident_has_an_id_one_start_and_one_end_and_tells_how_long_it_was() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    stage.run(30)
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.run(35)
    opened = stage.view("mind").incident
    assert opened is not None
    assert opened.id.startswith("mind-2026")
    stage.world["mind", "port"] = Observation(OK, "")
    stage.run(35)
    assert stage.view("mind").incident is None
    told = [e for e in stage.events if e.name in (DOWN, RECOVERED)]
    assert [(e.name, e.incident) for e in told] == [(DOWN, opened.id), (RECOVERED, opened.id)]
    assert told[0].level is Level.ERROR
    assert told[0].message == "not ready: refused"
    assert told[0].at_wall_ns == opened.opened_at_wall_ns
    lasted_s = (told[1].at_wall_ns - told[0].at_wall_ns) / S
    assert told[1].data["down_s"] == pytest.approx(lasted_s, abs=0.001)
    assert stage.names("mind")[-7:] == [
        EventName.CHECK_FAILING,
        EventName.COMPONENT_DEGRADED,
        EventName.CHECK_FAILED,
        DOWN,
        EventName.CHECK_PASSED,
        RECOVERED,
        EventName.COMPONENT_HEALTHY,
    ]


def test_s3_one_success_in_a_failing_series_closes_no_incident() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    for found in (FAIL, FAIL, FAIL, OK, FAIL, OK, FAIL):
        stage.world["mind", "port"] = Observation(found)
        stage.look_now().run(0.1)
    assert stage.names("mind").count(DOWN) == 1
    assert RECOVERED not in stage.names("mind")
    stage.world["mind", "port"] = Observation(OK)
    stage.look_now().run(0).look_now().run(0)
    assert stage.names("mind").count(RECOVERED) == 1


def test_s4_an_open_incident_stays_open_while_nobody_can_see() -> None:
    stage = Stage(component("mind", check(grace_ns=0)))
    stage.world["mind", "port"] = Observation(FAIL)
    stage.run(60)
    stage.world["mind", "port"] = Observation(UNKNOWN, "no permission")
    stage.run(600)
    assert stage.state("mind") is ComponentState.UNKNOWN
    assert stage.view("mind").incident is not None
    assert RECOVERED not in stage.names("mind")
    assert EventName.COMPONENT_UNKNOWN in stage.names("mind")


def test_an_incident_ends_only_when_every_check_that_was_to_blame_has_improved_itself() -> None:
    stage = Stage(component("mind", check("port", grace_ns=0), check("page", grace_ns=0)))
    stage.world["mind", "port"] = stage.world["mind", "page"] = Observation(FAIL)
    stage.run(60)
    stage.world["mind", "port"] = Observation(OK)
    stage.world["mind", "page"] = Observation(UNKNOWN)
    stage.run(60)
    assert stage.view("mind").incident is not None
    stage.world["mind", "page"] = Observation(FAIL)
    stage.run(60)
    assert stage.names("mind").count(DOWN) == 1
    stage.world["mind", "page"] = Observation(OK)
    stage.run(60)
    assert stage.names("mind").count(RECOVERED) == 1


def test_a_failed_optional_check_opens_no_incident_and_is_not_to_blame() -> None:
    stage = Stage(component("mind", check("port", grace_ns=0), check("page", grace_ns=0, optional=True)))
    stage.world["mind", "page"] = Observation(FAIL)
    stage.run(60)
    assert stage.state("mind") is ComponentState.DEGRADED
    assert DOWN not in stage.names("mind")
    stage.world["mind", "port"] = Observation(FAIL)
    stage.run(60)
    stage.world["mind", "port"] = Observation(OK)
    stage.run(60)
    assert stage.names("mind").count(RECOVERED) == 1


scripts = st.lists(
    st.tuples(st.sampled_from(["port", "page"]), st.sampled_from(list(Verdict)), st.integers(1, 40)), max_size=60
)


@given(scripts, st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_s7_down_and_recovered_alternate_whatever_is_observed(
    script: list[tuple[str, Verdict, int]], fails: int, successes: int, optional: bool
) -> None:
    made = check(failure_threshold=fails, success_threshold=successes, flap_changes=6, grace_ns=5 * S)
    stage = Stage(component("mind", made, replace(made, name="page", optional=optional)))
    stage.world["mind", "port"] = stage.world["mind", "page"] = None
    is_open = None
    for name, found, pause_s in script:
        before = len(stage.events)
        stage.tell("mind", name, Observation(found)).run(pause_s)
        for event in stage.events[before:]:
            if event.name is DOWN:
                assert is_open is None
                assert event.incident
                is_open = event.incident
            elif event.name is RECOVERED:
                assert event.incident == is_open
                is_open = None
        shown = stage.view("mind").incident
        assert (shown.id if shown else None) == is_open
        if stage.state("mind") is ComponentState.DOWN:
            assert is_open
    ids = [event.incident for event in stage.events if event.name is DOWN]
    assert len(set(ids)) == len(ids)


def test_the_first_process_ever_seen_is_no_incarnation_and_another_one_is() -> None:
    mind = Mind()
    mind.stage.run(100)
    assert mind.stage.view("mind").incarnation == 0
    mind.replace(works=True)
    mind.stage.run(11)
    assert mind.stage.view("mind").incarnation == 1
    told = next(e for e in mind.stage.events if e.name is REPLACED)
    assert told.message == "pid 100 was replaced by pid 101"
    assert told.check == "process"
    mind.identity = Identity(101, (mind.identity.started_at or 0) + 5)
    mind.stage.run(11)
    assert [e.message for e in mind.stage.events if e.name is REPLACED][1:] == ["pid 101 began a new life"]
    assert mind.stage.view("mind").incarnation == 2


def test_a_start_time_that_is_told_only_sometimes_makes_no_new_process() -> None:
    mind = Mind()
    known = mind.identity
    for identity in (known, Identity(known.pid), known, Identity(known.pid), known):
        mind.identity = identity
        mind.stage.run(11)
    assert REPLACED not in mind.stage.names("mind")
    mind.identity = Identity(known.pid, (known.started_at or 0) + 60)
    mind.stage.run(11)
    assert REPLACED in mind.stage.names("mind")


def test_a_heartbeat_that_an_old_process_left_neither_condemns_nor_acquits_a_new_one_in_its_grace() -> None:
    mind = Mind()
    mind.stage.run(100)
    mind.works = False
    mind.stage.run(70)
    assert mind.stage.state("mind") is ComponentState.DOWN
    mind.replace(works=False)
    mind.stage.run(12)
    assert mind.stage.check_state("mind", "heartbeat") is CheckState.PENDING
    assert mind.stage.state("mind") is ComponentState.STARTING
    assert mind.stage.view("mind").incident is not None
    mind.stage.run(15)
    assert RECOVERED not in mind.stage.names("mind")
    mind.works = True
    mind.stage.run(11)
    assert mind.stage.names("mind").count(RECOVERED) == 1
    assert mind.stage.state("mind") is ComponentState.HEALTHY


def test_a_new_process_that_never_works_is_no_recovery_though_its_time_is_not_yet_up() -> None:
    mind = Mind()
    mind.stage.run(100)
    mind.works = False
    mind.stage.run(70)
    mind.replace(works=False)
    mind.stage.run(45)
    assert mind.stage.check_state("mind", "heartbeat") is CheckState.PASSING
    assert mind.stage.view("mind").incident is not None
    mind.stage.run(60)
    assert mind.stage.state("mind") is ComponentState.DOWN
    assert RECOVERED not in mind.stage.names("mind")
    assert mind.stage.names("mind").count(EventName.COMPONENT_DOWN) == 1


def test_a_new_process_that_never_works_is_failed_once_its_own_time_is_up() -> None:
    mind = Mind()
    mind.stage.run(100)
    mind.replace(works=False)
    born_s = mind.stage.elapsed_s
    mind.stage.run(12)
    assert mind.stage.check_state("mind", "heartbeat") is CheckState.PENDING
    mind.stage.run(born_s + 59 - mind.stage.elapsed_s)
    assert mind.stage.check_state("mind", "heartbeat") is not CheckState.FAILED
    mind.stage.run(1.5)
    assert mind.stage.check_state("mind", "heartbeat") is CheckState.FAILED


def test_the_grace_of_a_new_process_is_over_on_time_for_a_check_that_looks_rarely() -> None:
    rare = check("page", grace_ns=30 * S, interval_ns=3_600 * S, signal=SignalPolicy(7_200 * S))
    stage = Stage(component("mind", check("process", Layer.ALIVE, "process", grace_ns=30 * S), rare))
    identity = Identity(1, 1.0)
    stage.world["mind", "process"] = lambda now: Observation(OK, identity=identity)
    stage.world["mind", "page"] = lambda now: Observation(OK, signal=WorkSignal(START.wall_ns))
    stage.run(60)
    identity = Identity(2, stage.now.wall_ns / S)
    looked = len([1 for _, look in stage.looks if look.check.check == "page"])
    stage.run(12)
    assert stage.check_state("mind", "page") is CheckState.PENDING
    stage.run(31)
    assert stage.check_state("mind", "page") is CheckState.PASSING
    assert stage.state("mind") is ComponentState.HEALTHY
    assert len([1 for _, look in stage.looks if look.check.check == "page"]) == looked + 1


def test_a_process_replaced_again_and_again_is_a_crash_loop_until_a_window_is_calm() -> None:
    mind = Mind()
    mind.stage.run(100)
    for number in range(3):
        assert CRASH_LOOP not in mind.stage.names("mind")
        mind.replace(works=True)
        mind.stage.run(11)
        assert mind.stage.view("mind").incarnation == number + 1
    assert mind.stage.names("mind").count(CRASH_LOOP) == 1
    assert mind.stage.state("mind") is ComponentState.DEGRADED
    assert mind.stage.view("mind").diagnosis == "crash loop: its process is replaced again and again"
    mind.replace(works=True)
    mind.stage.run(560)
    assert mind.stage.state("mind") is ComponentState.DEGRADED
    assert mind.stage.names("mind").count(CRASH_LOOP) == 1
    mind.stage.run(60)
    assert mind.stage.state("mind") is ComponentState.HEALTHY


def test_in_a_crash_loop_the_grace_is_not_renewed_for_ever() -> None:
    mind = Mind()
    mind.stage.run(100)
    for _ in range(20):
        mind.replace(works=False)
        mind.stage.run(11)
    assert mind.stage.state("mind") is ComponentState.DOWN


def test_of_two_checks_that_see_a_process_the_process_check_has_the_word() -> None:
    mind = Mind()
    mind.stage.world["mind", "heartbeat"] = lambda now: Observation(
        OK, signal=WorkSignal(now.wall_ns), identity=Identity(round(now.mono_ns))
    )
    mind.stage.run(100)
    assert REPLACED not in mind.stage.names("mind")
    alone = Stage(component("mind", check("beat", Layer.WORKING, "heartbeat", signal=SignalPolicy(60 * S))))
    alone.world["mind", "beat"] = lambda now: Observation(
        OK, signal=WorkSignal(now.wall_ns), identity=Identity(round(now.mono_ns))
    )
    alone.run(40)
    assert REPLACED in alone.names("mind")


def test_a_stall_of_ours_in_the_grace_of_a_new_process_gives_it_that_much_longer() -> None:
    mind = Mind()
    mind.stage.run(100)
    mind.replace(works=False)
    mind.stage.run(12).stall(25)
    mind.stage.look_now().run(1)
    assert mind.stage.check_state("mind", "heartbeat") is CheckState.PENDING


def test_the_end_of_a_new_processs_grace_makes_nobody_unknown_for_a_moment() -> None:
    mind = Mind()
    mind.stage.run(100)
    mind.replace(works=False)
    mind.stage.run(45)
    assert EventName.COMPONENT_UNKNOWN not in mind.stage.names("mind")
    assert EventName.CHECK_UNKNOWN not in mind.stage.names("mind")
    assert mind.stage.view("mind").diagnosis.startswith("no work yet of the process that began ")


def test_health_is_not_told_while_the_incident_is_open() -> None:
    mind = Mind()
    mind.stage.run(100)
    mind.works = False
    mind.stage.run(70)
    mind.replace(works=False)
    told = len(mind.stage.names("mind"))
    mind.stage.run(45)
    assert EventName.COMPONENT_HEALTHY not in mind.stage.names("mind")[told:]
    mind.works = True
    mind.stage.run(11)
    assert mind.stage.names("mind")[-2:] == [RECOVERED, EventName.COMPONENT_HEALTHY]


def test_the_failures_in_a_row_of_a_component_are_those_of_the_check_that_speaks_for_it() -> None:
    slow = check("slow", interval_ns=10 * S, grace_ns=0)
    fast = check("fast", interval_ns=1 * S, grace_ns=0, optional=True)
    stage = Stage(component("mind", slow, fast))
    stage.world["mind", "slow"] = stage.world["mind", "fast"] = Observation(FAIL, "no")
    stage.run(40)
    assert stage.state("mind") is ComponentState.DOWN
    by_name = {c.spec.name: c.consecutive_failures for c in stage.view("mind").checks}
    assert by_name["fast"] > by_name["slow"]
    assert stage.view("mind").consecutive_failures == by_name["slow"]


def test_a_check_that_failed_before_its_process_was_replaced_is_told_to_pass_again() -> None:
    mind = Mind()
    mind.stage.run(100)
    mind.works = False
    mind.stage.run(70)
    mind.replace(works=True)
    mind.stage.run(30)
    told = [event.name for event in mind.stage.events if event.check == "heartbeat"]
    assert told == [EventName.CHECK_FAILED, EventName.CHECK_PASSED]


def test_the_staleness_shown_is_that_of_the_counter_where_it_rests_longer() -> None:
    stage = Stage(component("mind", check("beat", Layer.WORKING, "heartbeat", signal=SignalPolicy(60 * S, 60 * S))))
    stage.world["mind", "beat"] = lambda now: Observation(OK, signal=WorkSignal(now.wall_ns, progress=7))
    stage.run(45)
    shown = stage.view("mind")
    assert shown.staleness_s is not None
    assert 30 < shown.staleness_s <= 45
    assert shown.stale_after_s == 60
