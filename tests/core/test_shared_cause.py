"""Many that go down by one cause are one alert: who speaks, of whom, for how long, and over our own death."""

from collections.abc import Sequence

import pytest

from lifesign.core.alerting import SinkSpec
from lifesign.core.commands import Hold, Silence, Unsilence
from lifesign.core.conversation import Conversation, ConversationMemory, Notify, Stage
from lifesign.core.events import Event, EventName
from lifesign.core.heralding import Herald
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import Instant, Observation
from lifesign.core.monitor import Monitor
from lifesign.core.shared_cause import SharedCause, longest_grace_ns
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from tests.core import stage as stages
from tests.core.stage import FAIL, OK, S, check, component, seconds

PORT = check(interval_ns=S, grace_ns=S, failure_threshold=2, success_threshold=1)


class Desk:
    """Components under sinks, reviewed each second; it may die and go on with what was kept."""

    def __init__(self, *specs: ComponentSpec, sinks: Sequence[SinkSpec] = (SinkSpec("forge"),)) -> None:
        self.stage, self.sinks, self.said = stages.Stage(*specs), sinks, list[Notify]()
        self.herald = Herald(sinks, self.stage.monitor)
        self.pass_(5)

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            self.said += self.herald.hear(event, self.stage.now) or ()

    def pass_(self, duration_s: int) -> list[str]:
        """What is told in that time, with the sink where there are several."""
        told = len(self.said)
        for _ in range(duration_s):
            known = len(self.stage.events)
            self.stage.run(1)
            self.hear(self.stage.events[known:])
            self.said += self.herald.review(self.stage.now, at_once=True) or ()
        return [self._line(notify) for notify in self.said[told:]]

    def _line(self, notify: Notify) -> str:
        words = f"{notify.stage} {notify.conversation.component}"
        return words if len(self.sinks) == 1 else f"{notify.conversation.sink} {words}"

    def break_(self, names: str) -> "Desk":
        for name in names.split():
            self.stage.world[name, "port"] = Observation(FAIL, "refused")
        return self

    def mend(self, names: str) -> "Desk":
        for name in names.split():
            self.stage.world[name, "port"] = Observation(OK)
        return self

    def die(self, away_s: float = 5.0) -> None:
        """Only what is kept survives."""
        memories, kept = [c.memory(self.stage.now) for c in self.herald.conversations()], self.stage.monitor
        self.go_on(memories, kept.memory(self.stage.now), away_s)

    def go_on(self, memories: Sequence[ConversationMemory], memory: MonitorMemory, away_s: float) -> None:
        self.stage.now = self.stage.now.after(seconds(away_s))
        self.stage.monitor = Monitor(self.stage.monitor.spec, self.stage.now, memory)
        self.herald = Herald(self.sinks, self.stage.monitor)
        self.said += self.herald.recall(memories, self.stage.now)


def plain(names: str, checks: CheckSpec = PORT) -> list[ComponentSpec]:
    return [component(name, checks) for name in names.split()]


def test_the_first_by_name_speaks_and_names_them_all() -> None:
    desk = Desk(*plain("a b c d e f"))
    assert desk.break_("b c d e f").pass_(8) == ["opened b"]
    assert desk.said[-1].words == "one common cause: 5 went down: b, c, d, e, f"
    assert desk.herald.together == {"b", "c", "d", "e", "f"}


def test_it_is_one_outage_however_long_it_lasts() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(8)
    assert desk.pass_(1500) == []


def test_of_very_many_a_sentence_names_forty() -> None:
    names = [f"c{number:03}" for number in range(45)]
    desk = Desk(*plain(" ".join(names)))
    assert desk.break_(" ".join(names)).pass_(8) == ["opened c000"]
    assert desk.said[-1].words.startswith("one common cause: 45 went down: c000, c001,")
    assert desk.said[-1].words.endswith(", c039, and 5 more")
    assert desk.said[-1].conversation.speaks_for == tuple(names)


def test_a_death_in_it_neither_tells_the_others_nor_the_one_again_and_its_end_is_told_once() -> None:
    desk = Desk(*plain("a b c d e"))
    assert desk.break_("a b c d e").pass_(8) == ["opened a"]
    for _ in range(3):
        desk.die()
        assert desk.pass_(40) == []
    assert desk.herald.together == set("abcde")
    assert desk.mend("a b c d e").pass_(90) == ["recovered a"]
    assert "5 went down: a, b, c, d, e" in desk.said[-1].words
    assert desk.herald.together == set()
    assert desk.herald.conversations() == ()


def test_a_death_between_its_announcement_and_the_first_word_lets_one_speak() -> None:
    desk = Desk(*plain("a b c d e"), sinks=(SinkSpec("forge", notify_after_ns=20 * S),))
    assert desk.break_("a b c d e").pass_(8) == []
    desk.die(away_s=60)
    assert desk.pass_(60) == ["opened a"]
    assert desk.said[-1].words == "one common cause: 5 went down: a, b, c, d, e"


def test_a_stall_of_ours_is_no_end_of_it() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(8)
    for name in (EventName.OBSERVER_SUSPECT, EventName.OBSERVER_OK):
        desk.hear([Event(name, desk.stage.now.wall_ns, message="we had stalled")])
        assert desk.pass_(5) == []


def test_who_recovers_while_we_are_dead_ends_it_afterwards() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(8)
    desk.mend("c").die()
    assert sorted(desk.pass_(100)) == ["opened b", "opened d", "opened e"]
    assert sorted(desk.mend("a b d e").pass_(20)) == ["recovered a", "recovered b", "recovered d", "recovered e"]


def test_an_end_that_was_stored_before_we_died_and_not_yet_heard_ends_it() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(8)
    memories = [conversation.memory(desk.stage.now) for conversation in desk.herald.conversations()]
    desk.mend("a").stage.run(3)
    desk.go_on(memories, desk.stage.monitor.memory(desk.stage.now), 5)
    assert desk.herald.together == set()
    assert desk._line(desk.said[-1]) == "recovered a"
    assert sorted(desk.pass_(70)) == ["opened b", "opened c", "opened d", "opened e"]


def test_who_was_failing_when_we_died_joins_after_the_grace_of_our_start() -> None:
    slow = check(interval_ns=S, grace_ns=S, failure_threshold=20, success_threshold=1)
    desk = Desk(*plain("a b c d"), component("late", slow))
    assert desk.break_("a b c d late").pass_(12) == ["opened a"]
    desk.die()
    assert desk.pass_(40) == []
    assert "late" in desk.herald.together


def test_one_that_goes_down_a_little_later_is_named_in_an_update_in_the_reminder_and_at_the_end() -> None:
    sink = SinkSpec("forge", min_update_ns=60 * S, remind_every_ns=200 * S)
    desk = Desk(*plain("a b c d e"), sinks=(sink,))
    assert desk.break_("a b c d").pass_(8) == ["opened a"]
    assert desk.said[-1].words == "one common cause: 4 went down: a, b, c, d"
    assert desk.break_("e").pass_(50) == [], "not within min_update"
    assert desk.pass_(12) == ["updated a"]
    five = "one common cause: 5 went down: a, b, c, d, e"
    assert desk.said[-1].words == five
    assert desk.pass_(130) == [], "once"
    assert desk.pass_(10) == ["reminder a"]
    assert desk.said[-1].words == five
    assert desk.mend("a b c d e").pass_(70) == ["recovered a"]
    assert desk.said[-1].words == f"{five}; who of them stays down is told of by itself"


def test_what_is_told_of_the_one_that_spoke_after_the_first_recovery_is_of_itself_alone() -> None:
    desk = Desk(*plain("a b c d e"), sinks=(SinkSpec("forge", remind_every_ns=100 * S),))
    desk.break_("a b c d e").pass_(8)
    assert sorted(desk.mend("b c d e").pass_(100)) == ["reminder a"]
    assert desk.said[-1].words == ""
    assert desk.mend("a").pass_(5) == ["recovered a"]
    assert desk.said[-1].words.startswith("one common cause: 5 went down: a, b, c, d, e"), "the whole story"


def test_each_sink_hears_of_one_that_it_wants() -> None:
    sinks = (SinkSpec("all"), SinkSpec("picky", only=("c", "d")), SinkSpec("none", only=("x",)))
    desk = Desk(*plain("a b c d e"), sinks=sinks)
    assert sorted(desk.break_("a b c d e").pass_(60)) == ["all opened a", "picky opened c"]
    assert {notify.words for notify in desk.said} == {
        "one common cause: 5 went down: a, b, c, d, e",
        "one common cause: 2 went down: c, d",
    }, "no other names"


def test_a_sink_that_wants_one_of_them_alone_hears_of_no_other() -> None:
    desk = Desk(*plain("a b c d e"), sinks=(SinkSpec("picky", only=("d",)),))
    assert desk.break_("a b c d e").pass_(60) == ["opened d"]
    assert desk.said[-1].words == ""
    assert desk.mend("a b c d e").pass_(60) == ["recovered d"]
    assert desk.said[-1].words == ""


def test_the_dependency_of_the_others_speaks_for_them() -> None:
    children = [component(name, PORT, depends_on=("gateway",)) for name in "abcd"]
    desk = Desk(*children, component("gateway", PORT))
    assert desk.break_("a b c d gateway").pass_(60) == ["opened gateway"]


def test_one_that_is_silenced_or_held_does_not_keep_the_others_from_speaking() -> None:
    desk = Desk(*plain("a b c d e"))
    for command in (Silence("a", "op", seconds(300), "x"), Hold("b", "op", seconds(100), "x")):
        desk.stage.take(desk.stage.monitor.command(command, desk.stage.now))
    assert desk.break_("a b c d e").pass_(60) == ["opened c"]
    desk.stage.take(desk.stage.monitor.command(Unsilence("a", "op"), desk.stage.now))
    assert desk.pass_(30) == [], "the end of a silence over one that is spoken for is no news"


def test_who_recovers_within_a_minute_of_the_first_is_not_told_of_and_who_stays_down_is() -> None:
    desk = Desk(*plain("a b c d e"))
    assert desk.break_("a b c d e").pass_(20) == ["opened a"]
    assert desk.mend("b").pass_(30) == []
    assert desk.mend("c d").pass_(25) == []
    assert desk.pass_(10) == ["opened e"], "and a is told of already"
    assert sorted(desk.mend("a e").pass_(25)) == ["recovered a", "recovered e"]


def test_what_time_alone_may_tell_is_foreseen() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(20)
    desk.mend("b").pass_(5)
    moments_s, moment_ns = list[float](), desk.herald.next_by_time_boot_ns(desk.stage.now.boot_ns)
    while moment_ns is not None:
        moments_s.append((moment_ns - desk.stage.now.boot_ns) / S)
        moment_ns = desk.herald.next_by_time_boot_ns(moment_ns)
    assert [moment_s for moment_s in moments_s if 50 < moment_s <= 60] != []


def test_a_run_of_one_round_tells_at_once_who_stays_down_for_it_has_no_later_moment() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(8)
    memories = [conversation.memory(desk.stage.now) for conversation in desk.herald.conversations()]
    desk.mend("b c")
    desk.stage.run(3)
    herald, now = Herald(desk.sinks, desk.stage.monitor), desk.stage.now
    for held in desk.stage.monitor.components.values():
        for tracked in held.checks.values():
            tracked.looked_ns = now.mono_ns  # as in a round
    assert herald.recall(memories, now) == ()
    told = herald.review(now, at_once=True) or ()
    assert sorted(desk._line(notify) for notify in told) == ["opened d", "opened e"]


def test_one_whose_restarts_are_exhausted_is_told_by_itself() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(20)
    gave_up = Event(EventName.RESTART_EXHAUSTED, desk.stage.now.wall_ns, "d", message="gave up after 3")
    desk.hear([gave_up])
    assert desk.pass_(3) == ["opened d"]
    desk.hear([Event(EventName.RESTART_EXHAUSTED, desk.stage.now.wall_ns, "a", message="gave up after 3")])
    assert desk.said[-1].words == "gave up after 3; one common cause: 4 went down: a, b, c, e"
    assert desk.pass_(60) == []


def test_one_that_is_taken_out_of_the_config_does_not_end_it() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(8)
    known = len(desk.stage.events)
    spec = desk.stage.monitor.spec
    fewer = MonitorSpec(tuple(c for c in spec.components if c.name != "a"))
    desk.stage.take(desk.stage.monitor.reconfigure(fewer, (), desk.stage.now))
    desk.hear(desk.stage.events[known:])
    assert [notify.stage for notify in desk.said] == [Stage.OPENED, Stage.RECOVERED]
    assert desk.pass_(10) == ["opened b"], "another speaks for those that are left"


@pytest.mark.parametrize("dies_after_s", [0, 10, 20, 25, 28, 33])
def test_a_death_while_one_after_the_other_goes_down_lets_one_speak(dies_after_s: int) -> None:
    """What fails within the grace of our new start is no evidence yet, but who is down already waits for it."""
    slow = check(interval_ns=10 * S, grace_ns=30 * S, failure_threshold=3, success_threshold=2)
    desk = Desk(*plain("a b c d e f", slow))
    desk.pass_(60)
    told = desk.break_("a b c d e f").pass_(dies_after_s)
    desk.die(away_s=1)
    assert told + desk.pass_(100) == ["opened a"]
    assert desk.herald.together == set("abcdef")


def out_of_step() -> list[ComponentSpec]:
    """Six that are down 3 to 8 s after they began to fail."""
    paces = zip("abcdef", (4, 3, 2, 3, 3, 2), (2, 2, 3, 2, 3, 1), strict=True)
    return [
        component(name, check(interval_ns=every_s * S, grace_ns=10 * S, failure_threshold=often, success_threshold=1))
        for name, often, every_s in paces
    ]


@pytest.mark.parametrize("dies_after_s", range(1, 12))
@pytest.mark.parametrize("away_s", [0.5, 30.0])
def test_a_death_between_streaks_that_are_out_of_step_lets_one_speak(dies_after_s: int, away_s: float) -> None:
    """Half of them are down before it and half after the grace of our new start: together they are most."""
    desk = Desk(*out_of_step())
    desk.pass_(20)
    told = desk.break_("a b c d e f").pass_(dies_after_s)
    desk.die(away_s)
    told += desk.pass_(120)
    assert [line.split()[0] for line in told if not line.startswith("updated")] == ["opened"], told
    assert desk.herald.together == set("abcdef")


@pytest.mark.parametrize(("away_s", "together"), [(5.0, "abc"), (120.0, "")])
def test_who_went_down_before_a_long_absence_is_not_the_first_of_those_that_go_down_after_it(
    away_s: float, together: str
) -> None:
    desk = Desk(*plain("a b c d", check(interval_ns=S, grace_ns=5 * S, failure_threshold=2, success_threshold=1)))
    assert desk.break_("a").pass_(3) == ["opened a"]
    desk.die(away_s)
    told = desk.break_("b c").pass_(30)
    assert sorted(line for line in told if "opened" in line) == ["opened b", *([] if together else ["opened c"])]
    assert desk.herald.together == set(together)


def test_who_was_down_before_we_died_and_not_told_of_is_told_as_soon_as_the_others_are_seen_to_be_well() -> None:
    quick = check(interval_ns=S, grace_ns=30 * S, failure_threshold=2, success_threshold=1)
    desk = Desk(*plain("a b c d e", quick), sinks=(SinkSpec("forge", notify_after_ns=3 * S),))
    desk.pass_(40)
    assert desk.break_("a").pass_(4) == []
    desk.die(away_s=1)
    assert desk.pass_(2) == ["opened a"]


def alone(names: str = "a b c d e") -> tuple[SharedCause, dict[str, TrackedComponent], Instant]:
    """A cause of nobody yet; those components, all down but for `e`; and the moment."""
    desk = Desk(*plain(names))
    desk.break_("a b c d").stage.run(5)
    return SharedCause(), dict(desk.stage.monitor.components), desk.stage.now


def test_who_goes_down_within_ten_seconds_of_the_last_joins() -> None:
    cause, held, now = alone()
    assert not cause.went_down("a", now), "there is none"
    cause.begin("bc", held, now)
    assert cause.went_down("d", now.after(10 * S))
    assert cause.went_down("a", now.after(20 * S))
    assert not cause.went_down("x", now.after(30 * S + 1))
    assert cause.together == set("abcd")


def test_who_is_well_or_unknown_has_no_part_in_it() -> None:
    cause, held, now = alone()
    cause.begin(("a", "b", "e", "stranger"), held, now)
    assert cause.together == {"a", "b"}
    assert cause.recovered("e", held, now) is False
    assert cause.together == {"a", "b"}


def test_who_is_taken_out_leaves_and_who_recovers_ends_it() -> None:
    cause, held, now = alone()
    cause.begin("abc", held, now)
    assert cause.recovered("a", {name: one for name, one in held.items() if name != "a"}, now)
    assert cause.together == {"b", "c"}
    assert cause.next_boot_ns() is None
    assert cause.recovered("b", held, now)
    assert (cause.together, cause.next_boot_ns()) == (set(), now.boot_ns + 60 * S)
    assert cause.may_recover_too(held["c"], now.after(60 * S - 1))
    assert not cause.may_recover_too(held["c"], now.after(60 * S))
    assert not cause.may_recover_too(held["b"], now.after(S)), "it has recovered, and may be down anew"
    assert not cause.may_recover_too(held["d"], now.after(S)), "it had no part in it"


def test_the_longest_grace_of_all_checks_is_that_of_our_start() -> None:
    quick, slow = check(grace_ns=2 * S), check("other", grace_ns=7 * S)
    stage = stages.Stage(component("a", quick), component("b", quick, slow))
    assert longest_grace_ns(stage.monitor.components) == 7 * S
    assert longest_grace_ns({}) == 0


def test_forty_are_all_named() -> None:
    names = tuple(f"c{number:03}" for number in range(40))
    told = Notify(Stage.OPENED, Conversation("ops", "c000", "1", 0, shared=True, speaks_for=names))
    assert told.words.endswith(", c038, c039")
    assert Notify(Stage.OPENED, Conversation("ops", "c000", "1", 0)).words == ""


def test_who_went_down_long_before_has_no_part_in_it_though_no_sink_has_heard_of_it() -> None:
    desk = Desk(*plain("a b c d x"), sinks=(SinkSpec("picky", left_out=("x",)),))
    assert desk.break_("x").pass_(60) == []
    assert desk.break_("a b c d").pass_(20) == ["opened a"]
    assert desk.herald.together == set("abcd")
    assert desk.mend("x").pass_(70) == [], "its end is none of theirs"


def test_who_has_recovered_and_goes_down_anew_within_that_minute_is_told_at_once() -> None:
    desk = Desk(*plain("a b c d e"))
    desk.break_("a b c d e").pass_(20)
    assert desk.mend("c").pass_(3) == []
    assert desk.mend("a b d e").pass_(12) == ["recovered a"]
    assert desk.break_("d").pass_(5) == ["opened d"]
