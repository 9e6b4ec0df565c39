"""What was told of a component until a moment: each kind of event, what it tells, and what it makes worth nothing."""

import pytest

from lifesign.core.events import Event, EventName
from lifesign.core.model import CheckState, ComponentState, JsonValue
from lifesign.core.retold import Held, Told

S = 1_000_000_000


def event(at_s: int, name: str, message: str = "", check: str | None = None, **data: JsonValue) -> Event:
    return Event(EventName(name), at_s * S, "mind", check, "mind-1", message, data)


def told(*events: Event) -> Told:
    made = Told(["port", "beat"])
    for one in events:
        made.hear(one)
    return made


DOWN = event(10, "component.down", "not ready: refused")


def test_before_the_first_word_nothing_is_known() -> None:
    made = told()
    assert made.checks == {"port": Held(None, 0, ""), "beat": Held(None, 0, "")}
    assert (made.state, made.state_ns, made.words, made.incident, made.opened_ns) == (None, 0, "", None, None)
    assert (made.restart, made.notices, made.begun_ns, made.renewed_ns) == ("", {}, 0, 0)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("check.failing", CheckState.FAILING),
        ("check.failed", CheckState.FAILED),
        ("check.unknown", CheckState.UNKNOWN),
        ("check.passed", CheckState.PASSING),
    ],
)
def test_what_is_told_of_a_check_is_held_of_it_with_its_words(name: str, state: CheckState) -> None:
    made = told(event(5, name, "refused", "port"))
    assert made.checks == {"port": Held(state, 5 * S, "refused"), "beat": Held()}
    assert told(event(5, name, "refused", "new")).checks["new"] == Held(state, 5 * S, "refused")
    assert made.state is None


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("component.degraded", ComponentState.DEGRADED),
        ("component.unknown", ComponentState.UNKNOWN),
        ("component.down", ComponentState.DOWN),
        ("component.healthy", ComponentState.HEALTHY),
    ],
)
def test_what_is_told_of_the_component_is_its_state_since_then(name: str, state: ComponentState) -> None:
    made = told(event(5, name, "why"))
    assert (made.state, made.state_ns, made.words) == (state, 5 * S, "why")


def test_a_component_that_is_healthy_has_checks_that_pass() -> None:
    made = told(event(3, "check.failed", "refused", "port"), event(5, "component.healthy"))
    assert made.checks == dict.fromkeys(("port", "beat"), Held(CheckState.PASSING, 5 * S))


def test_an_incident_is_open_from_its_down_to_its_recovery() -> None:
    made = told(event(5, "restart.sent", "of before"), DOWN)
    assert (made.incident, made.opened_ns, made.restart) == ("mind-1", 10 * S, "")
    made.hear(event(20, "component.unknown", "nobody could find out"))
    assert (made.incident, made.opened_ns) == ("mind-1", 10 * S)
    made.hear(event(25, "restart.sent", "restarted"))
    made.hear(event(30, "component.recovered", "recovered after 20s"))
    assert (made.incident, made.opened_ns, made.restart) == (None, None, "")
    assert made.state is ComponentState.UNKNOWN, "a recovery tells no state"


@pytest.mark.parametrize(
    ("added", "ended", "kind"),
    [
        ("silence.added", "silence.ended", "silence"),
        ("hold.added", "hold.ended", "hold"),
        ("ack.added", "component.recovered", "ack"),
    ],
)
def test_what_operators_laid_upon_it_is_told_until_its_end(added: str, ended: str, kind: str) -> None:
    made = told(event(5, added, "ann did"))
    assert made.notices == {kind: "ann did"}
    made.hear(event(6, ended))
    assert made.notices == {}
    made.hear(event(7, ended))
    assert made.notices == {}, "an end of nothing ends nothing"


@pytest.mark.parametrize(
    ("name", "renewed", "words"),
    [
        ("restart.sent", True, "w"),
        ("process.replaced", True, ""),
        ("restart.withheld", False, "w"),
        ("restart.productive", False, "w"),
        ("process.crash_loop", False, ""),
    ],
)
def test_a_restart_and_another_process_make_what_work_told_before_worth_nothing(
    name: str, renewed: bool, words: str
) -> None:
    made = told(DOWN, event(15, name, "w"))
    assert made.renewed_ns == (15 * S if renewed else 0)
    assert made.restart == words


def test_another_config_makes_what_was_told_of_checks_worth_nothing_and_forgets_none_of_it() -> None:
    made = told(event(3, "check.failed", "refused", "port"), DOWN, event(20, "config.reloaded"))
    assert made.begun_ns == 20 * S
    assert (made.state, made.checks["port"].state) == (ComponentState.DOWN, CheckState.FAILED)
    assert told(DOWN, event(20, "config.rejected")).begun_ns == 0


def test_a_monitor_that_starts_without_a_memory_knows_nothing_of_before_and_one_with_it_goes_on() -> None:
    before = [event(3, "check.failed", "x", "port"), event(4, "silence.added", "ann"), DOWN, event(12, "restart.sent")]
    made = told(*before, event(20, "monitor.started"))
    assert made.checks == {"port": Held(None, 0), "beat": Held(None, 0)}
    assert (made.state, made.incident, made.opened_ns, made.restart, made.notices) == (None, None, None, "", {})
    again = told(*before, event(20, "monitor.started", away_s=5.0))
    assert (again.state, again.incident, again.notices) == (ComponentState.DOWN, "mind-1", {"silence": "ann"})
    stalled = told(*before, event(20, "monitor.stalled"))
    assert stalled.state is ComponentState.DOWN


def test_while_it_is_paused_nothing_is_known_of_its_checks_and_after_that_all_begins_anew() -> None:
    made = told(DOWN, event(20, "operator.action", "ann paused its checks", action="pause"))
    assert (made.state, made.state_ns, made.words) == (ComponentState.PAUSED, 20 * S, "ann paused its checks")
    assert made.checks == dict.fromkeys(("port", "beat"), Held(CheckState.UNKNOWN, 20 * S))
    made.hear(event(30, "operator.action", "ann resumed its checks", action="resume"))
    assert (made.state, made.begun_ns) == (None, 30 * S)
    assert made.checks == dict.fromkeys(("port", "beat"), Held(None, 30 * S))
    other = told(DOWN, event(20, "operator.action", "ann asked for a restart", action="restart"))
    assert (other.state, other.begun_ns) == (ComponentState.DOWN, 0)
