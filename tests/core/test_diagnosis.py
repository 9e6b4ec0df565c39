"""The line under each component: why, in words that name the layer, and what next."""

from lifesign.core.model import CheckState, ComponentState, Instant, Layer, Observation, Verdict, WorkSignal
from lifesign.core.spec import SignalPolicy
from tests.core.stage import FAIL, OK, START, UNKNOWN, S, Stage, check, component

SYNTAX = check("syntax", Layer.STARTABLE, "syntax", grace_ns=0)
PROCESS = check("process", Layer.ALIVE, "process", grace_ns=0)
PORT = check("port", Layer.READY, grace_ns=0)
BEAT = check(
    "heartbeat",
    Layer.WORKING,
    "heartbeat",
    grace_ns=0,
    failure_threshold=1,
    success_threshold=1,
    signal=SignalPolicy(300 * S),
)


def mind() -> Stage:
    """A component with all four layers, whose work stopped 612 s ago once `run` is called."""
    stage = Stage(component("mind", SYNTAX, PROCESS, PORT, BEAT))
    stage.world["mind", "heartbeat"] = lambda now: Observation(OK, signal=WorkSignal(now.wall_ns))
    return stage.run(20)


def test_alive_and_ready_but_not_working() -> None:
    stage = mind()
    worked = stage.now
    stage.world["mind", "heartbeat"] = lambda now: Observation(OK, signal=WorkSignal(worked.wall_ns))
    stage.look_now("mind", "heartbeat").run(612)
    view = stage.view("mind")
    assert view.diagnosis == "alive and ready, but not working: no new work for 612 s (limit 300 s)"
    assert view.state is ComponentState.DOWN
    assert view.layers == {
        Layer.STARTABLE: CheckState.PASSING,
        Layer.ALIVE: CheckState.PASSING,
        Layer.READY: CheckState.PASSING,
        Layer.WORKING: CheckState.FAILED,
    }
    assert (view.staleness_s, view.stale_after_s) == (612.0, 300.0)
    assert view.last_work_wall_ns == worked.wall_ns
    assert view.consecutive_failures == max(check.consecutive_failures for check in view.checks) > 25


def broken(*names: str) -> str:
    """The diagnosis with these checks failed."""
    stage = mind()
    for name in names:
        stage.world["mind", name] = Observation(FAIL, f"{name} is bad")
    return stage.run(50).view("mind").diagnosis


def test_what_a_dead_process_left_behind_is_not_praised() -> None:
    assert broken("process") == "not alive: process is bad"
    assert broken("process", "heartbeat") == "not alive and not working: process is bad; heartbeat is bad"


def test_every_broken_layer_is_named_and_the_sound_ones_praised() -> None:
    assert broken("port") == "alive and working, but not ready: port is bad"
    assert broken("syntax") == "alive, ready and working, but not startable: syntax is bad"
    assert broken("syntax", "heartbeat") == (
        "alive and ready, but not startable and not working: syntax is bad; heartbeat is bad"
    )


def test_a_healthy_component_tells_when_it_last_worked() -> None:
    stage = mind()
    assert stage.view("mind").diagnosis.startswith("working: last work ")
    assert stage.view("mind").next_step == ""
    assert Stage(component("mind", PORT)).run(20).view("mind").diagnosis == "every check passes"


def test_a_blip_is_suspect_counts_and_says_when_it_would_be_down() -> None:
    stage = mind()
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.look_now("mind", "port").run(0)
    view = stage.view("mind")
    assert view.diagnosis == "suspect, not ready: port failed (1 of 3): refused"
    foretold_s = float(view.next_step.removeprefix("down in ").removesuffix("s if it goes on"))
    began_s = stage.elapsed_s
    while stage.state("mind") is not ComponentState.DOWN:
        stage.run(0.25)
    assert abs(stage.elapsed_s - began_s - foretold_s) <= 1.25


def test_the_time_to_down_counts_failure_for_and_grace() -> None:
    stage = Stage(component("mind", check(grace_ns=0, failure_threshold=2, failure_for_ns=120 * S)))
    stage.run(20)
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.look_now().run(0)
    assert stage.view("mind").next_step == "down in 2m if it goes on"
    young = Stage(component("mind", check(grace_ns=100 * S, failure_threshold=1)))
    young.run(1)
    young.world["mind", "port"] = Observation(FAIL, "refused")
    young.look_now().run(0)
    assert young.state("mind") is ComponentState.DEGRADED
    assert young.view("mind").next_step == "down in 99s if it goes on"


def test_where_a_failure_does_not_count_after_a_stall_the_line_says_until_when() -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S, interval_ns=10 * S)))
    stage.run(60)
    stage.stall(60)
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.look_now().run(0.5)
    view = stage.view("mind")
    assert (view.state, "refused" in view.diagnosis) == (ComponentState.HEALTHY, True)
    left_s = int(view.next_step.removeprefix("grace ends in ").removesuffix("s: failures count from then on"))
    assert 28 <= left_s <= 30
    stage.run(left_s + 10.5)
    assert stage.view("mind").next_step.startswith("down in ")


def test_a_blip_that_goes_on_over_a_stall_says_what_counted_before_and_when_it_would_be_down() -> None:
    stage = Stage(component("mind", check(grace_ns=30 * S, interval_ns=10 * S)))
    stage.run(60)
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.look_now().run(0)
    stage.stall(60)
    stage.look_now().run(0.5)
    view = stage.view("mind")
    stalled = "not counted, the monitor itself had stalled"
    assert view.diagnosis == f"suspect, not ready: port failed (1 of 3 before this look): {stalled}: refused"
    foretold_s, began_s = (
        float(view.next_step.removeprefix("down in ").removesuffix("s if it goes on")),
        stage.elapsed_s,
    )
    while stage.state("mind") is not ComponentState.DOWN:
        stage.run(0.25)
    assert abs(stage.elapsed_s - began_s - foretold_s) <= 1.5


def test_an_optional_blip_foretells_nothing() -> None:
    stage = Stage(component("mind", PORT, check("page", optional=True, grace_ns=0)))
    stage.world["mind", "page"] = Observation(FAIL, "refused")
    stage.run(2)
    assert stage.state("mind") is ComponentState.DEGRADED
    assert stage.view("mind").next_step == ""
    stage.run(60)
    assert stage.view("mind").diagnosis == "optional page is failed: refused"


def test_a_starting_component_names_what_it_waits_for_and_how_long() -> None:
    stage = Stage(component("mind", check("port"), check("page", grace_ns=60 * S)))
    assert stage.view("mind").diagnosis == "starting: waiting for port, page"
    assert stage.view("mind").next_step == "grace ends in 60s"
    stage.world["mind", "page"] = Observation(FAIL, "refused")
    stage.run(2)
    assert stage.view("mind").diagnosis == "starting: waiting for page (refused)"
    assert stage.view("mind").next_step == "grace ends in 58s"


def test_a_component_that_nobody_can_see_says_which_check_and_why() -> None:
    stage = mind()
    stage.world["mind", "port"] = Observation(UNKNOWN, "no permission")
    stage.run(60)
    assert stage.view("mind").diagnosis == "nobody could find out: port: no permission"
    young = Stage(component("mind", PORT))
    assert young.view("mind").diagnosis == "nobody could find out: port: nobody has looked yet"


def test_a_warning_and_a_flapping_check_are_named() -> None:
    stage = mind()
    stage.world["mind", "port"] = Observation(Verdict.WARN, "slow")
    stage.run(11)
    assert stage.view("mind").diagnosis == "port is warning: slow"
    flapping = Stage(component("mind", check(grace_ns=0, flap_changes=3)))
    for verdict in (OK, FAIL, OK, FAIL, OK, OK):
        flapping.world["mind", "port"] = Observation(verdict, "")
        flapping.look_now().run(0.5)
    assert flapping.view("mind").diagnosis == "flapping: port changed 3 times or more within 10m"


def test_a_component_that_is_down_says_when_it_is_looked_at_again() -> None:
    stage = mind()
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.run(60)
    in_s = float(stage.view("mind").next_step.removeprefix("looked at again in ").removesuffix("s"))
    assert in_s >= 1, "a look that is ahead is not in 0s"
    looked = sum(1 for _, look in stage.looks if look.check.check == "port")
    stage.run(in_s + 1.25)
    assert sum(1 for _, look in stage.looks if look.check.check == "port") == looked + 1


def test_the_age_of_the_work_is_that_of_the_signal_nearest_to_its_limit() -> None:
    slow = check("slow", Layer.WORKING, "heartbeat", signal=SignalPolicy(1_000 * S))
    fast = check("fast", Layer.WORKING, "heartbeat", signal=SignalPolicy(100 * S))
    never = check("never", Layer.WORKING, "heartbeat", signal=SignalPolicy(10 * S))
    stage = Stage(component("mind", never, slow, fast))
    assert stage.view("mind").staleness_s is None
    stage.world["mind", "never"] = Observation(FAIL, "nobody has ever written it")

    def written(age_s: float) -> Observation:
        return Observation(OK, signal=WorkSignal(START.wall_ns - round(age_s * S)))

    stage.world["mind", "slow"], stage.world["mind", "fast"] = written(200), written(30)
    stage.run(1)
    assert (stage.view("mind").staleness_s, stage.view("mind").stale_after_s) == (31.0, 100.0)
    stage.world["mind", "fast"] = written(-1)
    stage.look_now().run(0)
    assert (stage.view("mind").staleness_s, stage.view("mind").stale_after_s) == (201.0, 1_000.0)


def test_the_writers_own_word_is_worse_than_a_fresh_age_and_no_help_to_a_stale_one() -> None:
    stage = mind()

    def says(verdict: Verdict, message: str, age_s: float = 0.0) -> None:
        def look(now: Instant) -> Observation:
            return Observation(verdict, message, signal=WorkSignal(now.wall_ns - round(age_s * S)))

        stage.world["mind", "heartbeat"] = look
        stage.look_now("mind", "heartbeat").run(0.5)

    says(Verdict.WARN, "the writer says: degraded")
    assert stage.check_state("mind", "heartbeat") is CheckState.WARNING
    said = stage.check_view("mind", "heartbeat").message.split(" · ")
    assert sorted(said) == ["last work 500ms ago", "the writer says: degraded"]
    says(FAIL, "the writer says: error")
    assert stage.check_state("mind", "heartbeat") is CheckState.FAILED
    says(OK, "")
    assert stage.check_state("mind", "heartbeat") is CheckState.PASSING
    fresh = stage.now
    stage.world["mind", "heartbeat"] = lambda now: Observation(OK, "all is well", signal=WorkSignal(fresh.wall_ns))
    stage.run(301)
    assert stage.check_state("mind", "heartbeat") is CheckState.FAILED
    assert "not working: no new work for 301 s (limit 300 s)" in stage.view("mind").diagnosis
    assert stage.view("mind").diagnosis.endswith("all is well")


def test_nobody_has_looked_yet_is_said() -> None:
    assert Stage(component("mind", PORT)).check_view("mind", "port").message == "nobody has looked yet"


def test_a_process_that_a_signal_stopped_is_named_as_the_reason() -> None:
    beat = check("beat", Layer.WORKING, "heartbeat", signal=SignalPolicy(60 * S), failure_threshold=1, grace_ns=0)
    stage = Stage(component("mind", beat, check("process", Layer.ALIVE, "process", grace_ns=0)))
    stage.world["mind", "beat"] = Observation(OK, signal=WorkSignal(START.wall_ns))
    stage.world["mind", "process"] = Observation(OK, "pid 7", stopped=True)
    stage.run(75)
    told = stage.view("mind").diagnosis
    assert told.startswith("alive, but not working: no new work for ")
    assert told.endswith("; its process is stopped by a signal")


def test_a_first_good_look_at_a_failed_check_is_told_as_recovering() -> None:
    stage = Stage(component("mind", check("port", grace_ns=0, success_threshold=3)))
    stage.world["mind", "port"] = Observation(FAIL, "refused")
    stage.run(45)
    assert stage.view("mind").diagnosis == "not ready: refused"
    stage.world["mind", "port"] = Observation(OK, "connected")
    stage.run(10)
    assert stage.view("mind").diagnosis == "not ready: recovering (1 of 3): connected"
