"""A common cause is one alert: also for those who go down a little later than it was announced."""

from lifesign.core.alerting import Notify, SinkSpec
from lifesign.core.heralding import Herald
from lifesign.core.model import Observation
from tests.core.stage import FAIL, OK, S, Stage, check, component

NAMES = ("a", "b", "c", "d", "e", "f", "g")


class Desk:
    """Seven components under one sink, reviewed each second."""

    def __init__(self) -> None:
        checks = check(interval_ns=S, grace_ns=S, failure_threshold=2, success_threshold=1)
        self.stage = Stage(*(component(name, checks) for name in NAMES))
        self.herald = Herald([SinkSpec("forge")], self.stage.monitor)
        self.pass_(5)

    def pass_(self, seconds: int) -> list[str]:
        """What is told in that time."""
        told: list[Notify] = []
        for _ in range(seconds):
            known = len(self.stage.events)
            self.stage.run(1)
            for event in self.stage.events[known:]:
                told += self.herald.hear(event, self.stage.now) or ()
            told += self.herald.review(self.stage.now, at_once=True) or ()
        return [f"{notify.stage} {notify.conversation.component}" for notify in told]

    def break_(self, *names: str) -> None:
        for name in names:
            self.stage.world[name, "port"] = Observation(FAIL, "refused")


def test_who_goes_down_shortly_after_the_others_is_spoken_for_too() -> None:
    desk = Desk()
    desk.break_("c", "d", "e", "f")
    assert desk.pass_(5) == ["opened c"]
    desk.break_("a", "g")
    assert desk.pass_(30) == []
    assert desk.herald.spokesman == "c"
    desk.stage.world["c", "port"] = Observation(OK)
    assert sorted(desk.pass_(10)) == ["opened a", "opened d", "opened e", "opened f", "opened g", "recovered c"]


def test_who_goes_down_long_after_them_has_an_alert_of_its_own() -> None:
    desk = Desk()
    desk.break_("c", "d", "e", "f")
    assert desk.pass_(30) == ["opened c"]
    desk.break_("a")
    assert desk.pass_(5) == ["opened a"]
