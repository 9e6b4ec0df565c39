"""How a component stood, case by case: what was told, what was seen after it, and what nobody can tell any more."""

import pytest

from lifesign.core.events import Event, EventName
from lifesign.core.hindsight import Hindsight, PastCheck, PastLook, hindsight
from lifesign.core.model import CheckState, ComponentState, Layer, Verdict
from lifesign.core.spec import CheckSpec, ComponentSpec, SignalPolicy
from tests.core.stage import FAIL, OK, UNKNOWN, WARN, S, check, component

PORT = check(success_threshold=2)
BEAT = check("beat", Layer.WORKING, "heartbeat", success_threshold=1, signal=SignalPolicy(100 * S))
MIND = component("mind", PORT)
FAILED, FAILING, PASSING, WARNING = CheckState.FAILED, CheckState.FAILING, CheckState.PASSING, CheckState.WARNING
LOST = CheckState.UNKNOWN
AT_S = 1_000


def event(at_s: float, name: str, check_name: str | None = None, message: str = "") -> Event:
    data = {"action": message} if name == "operator.action" else {}
    return Event(EventName(name), round(at_s * S), "mind", check_name, "mind-1", message, {**data})


def look(
    at_s: float, verdict: Verdict, good: int = 0, not_failed: int | None = None, **changes: int | None
) -> PastLook:
    """`good` of it in a row; `signal_s`: when the work was done that it read."""
    signal_s = changes.get("signal_s")
    return PastLook(
        round(at_s * S),
        verdict,
        "seen",
        0.25,
        None if good else 1,
        good,
        good if not_failed is None else not_failed,
        None if signal_s is None else signal_s * S,
    )


def stood(*told: Event, spec: ComponentSpec = MIND, **looks: PastLook) -> Hindsight:
    return hindsight(told, looks, spec, AT_S * S)


def port(*told: Event, seen: PastLook | None = None, spec: CheckSpec = PORT) -> CheckState | None:
    looks = {spec.name: seen} if seen else {}
    (found,) = hindsight(told, looks, component("mind", spec), AT_S * S).checks
    return found.state


@pytest.mark.parametrize(
    ("told", "seen", "state"),
    [
        ("check.passed", None, PASSING),
        ("check.failed", None, FAILED),
        ("check.passed", look(950, OK, 2), PASSING),
        ("check.passed", look(950, OK, 1), None),
        ("check.passed", look(950, WARN, 0, 3), WARNING),
        ("check.passed", look(950, UNKNOWN, 2), PASSING),
        ("check.failing", look(950, FAIL), FAILING),
        ("check.failing", look(950, OK, 1), None),
        ("check.failing", look(950, WARN, 0, 1), WARNING),
        ("check.failed", look(950, FAIL), FAILED),
        ("check.failed", look(950, OK, 1), FAILED),
        ("check.failed", look(950, OK, 2), None),
        ("check.failed", look(950, WARN, 0, 2), None),
        ("check.unknown", look(950, UNKNOWN), LOST),
        ("check.unknown", look(950, OK, 5), None),
        ("check.passed", look(900, FAIL), PASSING),
        ("check.passed", look(900.001, FAIL), PASSING),
        ("check.passed", look(900.002, FAIL), None),
        ("check.passed", look(1_000.001, FAIL), None),
        ("check.passed", look(1_000.002, FAIL), PASSING),
    ],
)
def test_what_was_told_of_a_check_stands_until_a_newer_look_leaves_it_open(
    told: str, seen: PastLook | None, state: CheckState | None
) -> None:
    assert port(event(900, told, "port"), seen=seen) is state


def test_a_check_that_passed_when_all_was_well_passes_by_any_look_that_does_not_warn() -> None:
    healthy = event(900, "component.healthy")
    assert port(healthy, seen=look(950, OK, 1)) is PASSING
    assert port(healthy, seen=look(950, WARN, 0, 1)) is WARNING


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (look(950, OK, 2), PASSING),
        (look(950, OK, 1), None),
        (look(950, WARN, 0, 2), None),
        (look(950, FAIL), None),
        (None, None),
    ],
)
def test_where_nothing_was_told_enough_good_looks_prove_that_it_passes_and_nothing_else_is_proven(
    seen: PastLook | None, state: CheckState | None
) -> None:
    assert port(seen=seen) is state


@pytest.mark.parametrize(
    ("doubt", "told_s", "seen_s", "state"),
    [
        ("config.reloaded", 800, 950, PASSING),
        ("config.reloaded", 800, 900, None),
        ("config.reloaded", 900, 950, PASSING),
        ("config.reloaded", 901, 902.5, FAILED),
        ("restart.sent", 800, 950, FAILED),
    ],
)
def test_what_was_told_before_a_reload_proves_nothing_and_good_looks_since_then_do(
    doubt: str, told_s: float, seen_s: float, state: CheckState | None
) -> None:
    events = sorted(
        [event(told_s, "check.failed", "port"), event(900, doubt)], key=lambda one: (one.at_wall_ns, one.name)
    )
    seen = look(seen_s, OK, 1 if state is FAILED else 2)
    assert port(*events, seen=seen) is state


def test_a_new_process_makes_doubtful_what_was_told_of_work_and_what_was_unknown() -> None:
    renewed = event(900, "process.replaced")
    assert port(event(800, "check.unknown", "port"), renewed) is None
    assert port(event(800, "check.failed", "port"), renewed) is FAILED
    assert port(event(800, "check.passed", "beat"), renewed, spec=BEAT) is None
    assert port(event(900, "check.passed", "beat"), renewed, spec=BEAT) is None
    assert port(event(901, "check.passed", "beat"), renewed, spec=BEAT) is PASSING


@pytest.mark.parametrize(
    ("told", "signal_s", "seen_s", "state"),
    [
        ("check.passed", 950, 960, PASSING),
        ("check.passed", 900, 960, None),
        ("check.passed", 901, 960, PASSING),
        ("check.passed", 899, 960, None),
        ("check.passed", None, 960, None),
        ("check.passed", 1_001, 960, None),
        ("check.failed", 950, 960, None),
    ],
)
def test_after_a_reload_work_that_was_done_since_then_proves_that_a_heartbeat_passes(
    told: str, signal_s: int | None, seen_s: float, state: CheckState | None
) -> None:
    seen = look(seen_s, OK, 1, signal_s=signal_s)
    assert port(event(800, told, "beat"), event(900, "config.reloaded"), seen=seen, spec=BEAT) is state


def test_a_heartbeat_of_which_nothing_was_told_is_not_proven_by_what_it_read() -> None:
    assert port(seen=look(950, OK, 5, signal_s=949), spec=BEAT) is None


def test_a_heartbeat_that_failed_stays_so_while_nothing_it_read_warned() -> None:
    failed = event(900, "check.failed", "beat")
    assert port(failed, seen=look(950, OK, 3, 3, signal_s=700), spec=BEAT) is FAILED
    assert port(failed, seen=look(950, OK, 1, 3, signal_s=700), spec=BEAT) is None


def test_while_it_is_paused_nothing_is_known_of_its_checks_whatever_was_seen() -> None:
    paused = event(900, "operator.action", None, "pause")
    found = stood(event(800, "check.failed", "port"), paused, port=look(850, FAIL))
    assert (found.state, found.checks[0].state) == (ComponentState.PAUSED, LOST)
    assert (found.since_ns, found.diagnosis) == (900 * S, "pause")


EXTRA = check("extra", Layer.ALIVE, optional=True)
BOTH = component("mind", PORT, EXTRA)


@pytest.mark.parametrize(
    ("of_port", "of_extra", "state"),
    [
        ("check.passed", "check.passed", ComponentState.HEALTHY),
        ("check.failed", "check.passed", ComponentState.DOWN),
        ("check.unknown", "check.passed", ComponentState.UNKNOWN),
        ("check.failing", "check.passed", ComponentState.DEGRADED),
        ("check.passed", "check.failed", ComponentState.DEGRADED),
        ("check.passed", "check.unknown", ComponentState.DEGRADED),
        ("check.failed", "check.unknown", ComponentState.DOWN),
        ("check.passed", None, None),
        (None, "check.passed", None),
    ],
)
def test_the_component_stood_as_its_checks_make_it_where_all_of_them_are_known(
    of_port: str | None, of_extra: str | None, state: ComponentState | None
) -> None:
    events = [event(900, name, one) for one, name in (("port", of_port), ("extra", of_extra)) if name]
    assert stood(*events, spec=BOTH).state is state


def test_a_component_that_was_told_to_be_degraded_may_flap_though_every_check_passes() -> None:
    passed = event(900, "check.passed", "port")
    assert stood(event(800, "component.degraded"), passed).state is ComponentState.DEGRADED
    assert stood(event(800, "component.healthy"), passed).state is ComponentState.HEALTHY


def test_what_is_told_of_that_very_moment_stands_whatever_is_known_of_checks() -> None:
    assert stood(event(AT_S, "component.unknown")).state is ComponentState.UNKNOWN
    assert stood(event(AT_S - 1, "component.unknown")).state is None


def test_a_check_that_is_no_longer_configured_leaves_the_state_open_and_is_told_with_its_last_look() -> None:
    gone = look(950, OK, 9)
    found = stood(event(900, "check.passed", "port"), gone=gone)
    assert found.state is None
    assert found.checks[1] == PastCheck("gone", None, None, "seen", gone)
    assert stood(spec=component("mind")).state is None, "of no check nothing is known"


def test_what_was_told_is_told_with_since_when_and_its_words_only_where_the_state_is_that_one() -> None:
    down = [event(900, "check.failed", "port", "refused"), event(901, "component.down", None, "not ready: refused")]
    found = stood(*down)
    assert (found.state, found.since_ns, found.diagnosis) == (ComponentState.DOWN, 901 * S, "not ready: refused")
    assert (found.incident, found.opened_ns) == ("mind-1", 901 * S)
    other = stood(*down, event(950, "check.passed", "port"))
    assert (other.state, other.since_ns, other.diagnosis) == (ComponentState.HEALTHY, None, "")
    unknown = stood()
    assert (unknown.state, unknown.since_ns, unknown.diagnosis, unknown.incident) == (None, None, "", None)


def test_restarts_and_what_operators_laid_upon_it_are_told_as_they_were_told() -> None:
    found = stood(
        event(900, "component.down"),
        event(910, "restart.sent", None, "restarted"),
        event(920, "silence.added", None, "ann silenced it"),
        event(930, "hold.added", None, "bob holds it"),
    )
    assert (found.restart, found.notices) == ("restarted", ("ann silenced it", "bob holds it"))


@pytest.mark.parametrize(
    ("told", "seen", "message"),
    [
        (event(900, "check.failed", "port", "refused"), None, "refused"),
        (event(900, "check.failed", "port", "refused"), look(850, FAIL), "refused"),
        (event(900, "check.failed", "port", "refused"), look(950, FAIL), "seen"),
        (event(900, "check.failed", "port"), look(850, FAIL), "seen"),
        (event(900, "check.failed", "port"), None, ""),
    ],
)
def test_a_check_is_told_with_its_newest_words(told: Event, seen: PastLook | None, message: str) -> None:
    (found,) = hindsight([told], {"port": seen} if seen else {}, MIND, AT_S * S).checks
    assert found.message == message


def test_how_often_a_heartbeat_failed_is_not_told_by_what_was_read_and_its_newest_work_is() -> None:
    spec = component("mind", PORT, BEAT)
    found = stood(spec=spec, port=look(950, FAIL), beat=look(950, FAIL, signal_s=700))
    plain, beat = found.checks
    assert plain.look is not None
    assert beat.look is not None
    assert (plain.look.failures, beat.look.failures, plain.look.latency_s) == (1, None, 0.25)
    assert found.last_work_ns == 700 * S
    assert stood(spec=spec, port=look(950, OK, 2)).last_work_ns is None
    future = stood(spec=spec, beat=look(1_001, OK, 1, signal_s=999))
    assert (future.last_work_ns, future.checks[1].look) == (None, None), "a look that was yet to come"


@pytest.mark.parametrize(
    ("of_port", "of_page", "worst"),
    [
        ("check.passed", "check.passed", PASSING),
        ("check.passed", "check.failing", FAILING),
        ("check.unknown", "check.failed", FAILED),
        ("check.failed", None, FAILED),
        ("check.passed", None, None),
        (None, None, None),
    ],
)
def test_a_layer_stood_as_its_worst_check_where_no_other_may_have_been_worse(
    of_port: str | None, of_page: str | None, worst: CheckState | None
) -> None:
    spec = component("mind", PORT, check("page"), EXTRA)
    events = [event(900, name, one) for one, name in (("port", of_port), ("page", of_page)) if name]
    found = stood(*events, spec=spec)
    assert found.layers == {Layer.READY: worst, Layer.ALIVE: None}
