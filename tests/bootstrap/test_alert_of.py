"""From what is to be told to the alert: how long it was down and what had failed, once it is over."""

from lifesign.bootstrap.alert_of import alert_of
from lifesign.core.conversation import Conversation, Notify, Stage
from lifesign.core.model import Instant
from tests.api.fakes import component

NOW = Instant(10**12, 1_795_269_802_000_000_000, 500 * 10**9)
HELD = Conversation("ops", "gateway", "gateway-1", 300 * 10**9, told=True, diagnosis="not ready: connection refused")


def test_the_end_says_how_long_it_was_down_and_what_had_failed() -> None:
    made = alert_of(Notify(Stage.RECOVERED, HELD), component(), NOW, monitor="m", host="h", note="")
    assert made.diagnosis == "it was down for 3m20s: not ready: connection refused"
    assert made.down_s == 200


def test_of_a_component_that_is_gone_it_says_what_had_failed_too() -> None:
    made = alert_of(Notify(Stage.RECOVERED, HELD), None, NOW, monitor="m", host="h", note="")
    assert (made.state, made.subject) == ("removed", "gateway is no longer watched")
    assert made.diagnosis == "it was down for 3m20s: not ready: connection refused"


def test_one_that_speaks_for_others_names_them_as_long_as_the_cause_lasts() -> None:
    for shared, together in ((True, ["feed", "gateway"]), (False, [])):
        speaks = Conversation("ops", "gateway", "gateway-1", 0, shared=shared, speaks_for=("feed", "gateway"))
        made = alert_of(Notify(Stage.REMINDER, speaks), component(), NOW, monitor="m", host="h", note="")
        assert made.together == together
