"""What happens becomes alerts; a common cause is one, also for those who go down a little later than it was told."""

from typing import Any

import pytest

from lifesign.core.alerting import SinkSpec
from lifesign.core.commands import Pause
from lifesign.core.conversation import Notify
from lifesign.core.events import Event, EventName
from lifesign.core.heralding import REVIEW_EVERY_NS, Herald
from lifesign.core.model import ComponentState, Observation
from lifesign.core.operations import Notice
from tests.core.stage import FAIL, OK, START, UNKNOWN, S, Stage, check, component

NAMES = ("a", "b", "c", "d", "e", "f", "g")


class Desk:
    """Seven components under one sink, reviewed each second."""

    def __init__(self, success_threshold: int = 1) -> None:
        checks = check(interval_ns=S, grace_ns=S, failure_threshold=2, success_threshold=success_threshold)
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
    desk.stage.world["c", "port"] = Observation(OK)
    assert desk.pass_(55) == ["recovered c"]
    assert sorted(desk.pass_(10)) == ["opened a", "opened d", "opened e", "opened f", "opened g"]


def test_who_goes_down_long_after_them_has_an_alert_of_its_own() -> None:
    desk = Desk()
    desk.break_("c", "d", "e", "f")
    assert desk.pass_(30) == ["opened c"]
    desk.break_("a")
    assert desk.pass_(5) == ["opened a"]


def herald(*, down: tuple[str, ...] = (), tags: tuple[str, ...] = ()) -> tuple[Stage, Herald]:
    """Two components, `mind` waiting for `gateway`; of those that are down nothing was heard yet."""
    quick = check(interval_ns=S, grace_ns=0, failure_threshold=1, success_threshold=1)
    stage = Stage(component("gateway", quick), component("mind", quick, depends_on=("gateway",), tags=tags)).run(3)
    for name in down:
        stage.world[name, "port"] = Observation(FAIL, "refused")
    return stage.run(3), Herald([SinkSpec("forge")], stage.monitor)


def happened(name: str, component_name: str | None = "mind", **changes: Any) -> Event:
    return Event(EventName(name), START.wall_ns, component_name, **{"incident": "mind-1", **changes})


def told(notifies: tuple[Notify, ...] | None) -> list[tuple[str, str, str]]:
    return [(str(n.stage), n.conversation.component, n.note) for n in notifies or ()]


def test_an_incident_is_spoken_of_from_its_event_until_its_end() -> None:
    stage, made = herald(down=("mind",))
    assert made.next_review_ns() is None
    assert made.review(stage.now, at_once=True) is None, "nothing to review"
    assert made.hear(happened("component.down"), stage.now) == ()
    (open_,) = made.conversations()
    assert (open_.sink, open_.component, open_.incident) == ("forge", "mind", "mind-1")
    assert told(made.review(stage.now)) == [("opened", "mind", "")]
    (open_,) = made.conversations()
    assert open_.diagnosis == stage.view("mind").diagnosis
    assert told(made.hear(happened("component.recovered"), stage.now)) == [("recovered", "mind", "")]
    assert made.conversations() == ()


def test_only_the_beginning_and_the_end_of_incidents_and_of_common_causes_are_heard() -> None:
    stage, made = herald()
    for event in (
        happened("component.down", incident=None),
        happened("component.down", None),
        happened("component.recovered", None),
        happened("restart.exhausted", None),
        happened("check.failed"),
        happened("observer.suspect", None, message="we had stalled"),
        happened("observer.ok", None),
    ):
        assert made.hear(event, stage.now) is None
    assert made.conversations() == ()


def test_open_incidents_are_reviewed_five_times_a_second_and_one_that_opens_at_once() -> None:
    stage, made = herald(down=("mind",))
    made.hear(happened("component.down"), stage.now)
    assert made.review(stage.now) is not None
    assert made.next_review_ns() == stage.now.mono_ns + S // 5 == stage.now.mono_ns + REVIEW_EVERY_NS
    assert made.review(stage.now.after(S // 5 - 1)) is None
    assert made.review(stage.now.after(S // 5 - 1), at_once=True) == ()
    assert made.review(stage.now.after(2 * S // 5 - 1)) == ()
    made.hear(happened("component.down", "gateway", incident="gateway-1"), stage.now)
    assert told(made.review(stage.now.after(2 * S // 5))) == [("opened", "gateway", "")]


def test_giving_up_is_told_at_once_with_its_words() -> None:
    stage, made = herald(down=("mind",))
    made.hear(happened("component.down"), stage.now)
    made.review(stage.now)
    event = happened("restart.exhausted", message="gave up after 3")
    assert told(made.hear(event, stage.now)) == [("updated", "mind", "gave up after 3")]
    assert told(made.hear(happened("restart.exhausted", "gateway"), stage.now)) == []


def test_a_sink_hears_by_the_tags_of_the_component_and_of_one_that_is_gone_by_its_name() -> None:
    stage, _ = herald(down=("mind",), tags=("nexus",))
    made = Herald([SinkSpec("tagged", only=("tag:nexus",)), SinkSpec("named", only=("gone",))], stage.monitor)
    made.hear(happened("component.down"), stage.now)
    made.hear(happened("component.down", "gone", incident="gone-1"), stage.now)
    assert [(c.sink, c.component) for c in made.conversations()] == [("tagged", "mind"), ("named", "gone")]
    told_of = made.review(stage.now) or ()
    assert [n.conversation.diagnosis for n in told_of] == [
        stage.view("mind").diagnosis,
        "it is no longer in the config",
    ]


@pytest.mark.parametrize("laid", ["silence", "hold"])
def test_what_an_operator_has_laid_upon_it_keeps_the_first_word_back(laid: str) -> None:
    stage, made = herald(down=("mind",))
    setattr(stage.monitor.components["mind"].operations, laid, Notice.begun("ann", "", stage.now, S))
    made.hear(happened("component.down"), stage.now)
    assert made.review(stage.now) == ()
    setattr(stage.monitor.components["mind"].operations, laid, None)
    assert [stage for stage, _, _ in told(made.review(stage.now, at_once=True))] == ["opened"]


def test_an_incident_that_somebody_has_taken_is_not_called_to_mind_again() -> None:
    stage, _ = herald(down=("mind",))
    made = Herald([SinkSpec("forge", remind_every_ns=10 * S)], stage.monitor)
    made.hear(happened("component.down"), stage.now)
    made.review(stage.now)
    operations = stage.monitor.components["mind"].operations
    operations.acknowledged = Notice.begun("ann", "", stage.now)
    assert made.review(stage.now.after(10 * S)) == ()
    operations.acknowledged = None
    assert told(made.review(stage.now.after(11 * S))) == [("reminder", "mind", "")]


def test_who_depends_on_one_that_is_down_waits_until_that_is_seen_to_be_well_or_is_paused() -> None:
    stage, made = herald(down=("gateway", "mind"))
    made.hear(happened("component.down"), stage.now)
    assert made.review(stage.now) == (), "down"
    stage.world["gateway", "port"] = Observation(UNKNOWN, "no permission")
    stage.run(20)
    assert stage.state("gateway") is ComponentState.UNKNOWN
    assert made.review(stage.now) == (), "nobody can see it: it was down when it was last seen"
    stage.monitor.command(Pause("gateway", "ann"), stage.now)
    assert told(made.review(stage.now.after(S))) == [("opened", "mind", "")], "an operator has taken it out"


def test_after_a_start_it_goes_on_with_what_was_told_and_ends_what_the_core_no_longer_knows() -> None:
    stage, before = herald(down=("mind",))
    incident = stage.monitor.components["mind"].incident
    assert incident is not None
    for name, number in (("mind", incident.id), ("gateway", "gateway-1"), ("gone", "gone-1")):
        before.hear(happened("component.down", name, incident=number), stage.now)
    before.review(stage.now)
    memories = [open_.memory(stage.now) for open_ in before.conversations()]
    after = Herald([SinkSpec("forge")], stage.monitor)
    ended = after.recall(memories, stage.now)
    assert sorted(told(ended)) == [("recovered", "gateway", ""), ("recovered", "gone", "")]
    assert [(c.component, c.incident, c.told) for c in after.conversations()] == [("mind", incident.id, True)]
    assert after.review(stage.now, at_once=True) == (), "and tells nothing twice"


def test_after_a_start_an_incident_that_no_sink_was_told_of_is_told_by_its_tags() -> None:
    stage, _ = herald(down=("mind",), tags=("nexus",))
    made = Herald([SinkSpec("tagged", only=("tag:nexus",)), SinkSpec("other", only=("tag:x",))], stage.monitor)
    assert made.recall([], stage.now) == ()
    assert [(n.conversation.sink, n.stage) for n in made.review(stage.now) or ()] == [("tagged", "opened")]


def test_other_sinks_are_followed_and_begin_with_what_is_recalled() -> None:
    stage, made = herald(down=("mind",))
    made.hear(happened("component.down"), stage.now)
    made.follow([SinkSpec("ops", notify_after_ns=500 * S)])
    assert made.conversations() == ()
    made.recall([], stage.now)
    assert made.next_by_time_boot_ns(stage.now.boot_ns + 499 * S) == stage.now.boot_ns + 500 * S
    assert made.next_by_time_boot_ns(stage.now.boot_ns + 500 * S) is None


def test_who_answers_again_when_the_common_cause_ends_is_not_told_as_down() -> None:
    desk = Desk(success_threshold=3)
    desk.break_("c", "d", "e", "f")
    assert desk.pass_(5) == ["opened c"]
    desk.stage.world["c", "port"] = Observation(OK)
    desk.pass_(2)
    for name in ("d", "e"):
        desk.stage.world[name, "port"] = Observation(OK)
    assert desk.pass_(70) == ["recovered c", "opened f"]
