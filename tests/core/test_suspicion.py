"""What fails alone is told at once; what fails with its cause waits until the cause can be told of instead."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifesign.core.alerting import SinkSpec
from lifesign.core.heralding import Herald
from lifesign.core.model import Instant, Layer, Observation, WorkSignal
from lifesign.core.spec import CheckSpec, ComponentSpec, SignalPolicy
from tests.core.stage import FAIL, OK, START, S, Stage, check, component, seconds

STEP_S = 0.5
SETTLED_S = 60.0  # by then every check has been looked at
BEAT = check("beat", Layer.WORKING, "heartbeat", signal=SignalPolicy(30 * S), failure_threshold=1, success_threshold=1)


class Watch:
    """Components under one sink, reviewed every half second. One that breaks answers no more, and works no more.

    `down`, `told`: when each went down, and when it was told of. Seconds since the start.
    """

    def __init__(self, *specs: ComponentSpec, beats_every_s: float = 5.0) -> None:
        self.stage = Stage(*specs)
        self.herald = Herald([SinkSpec("forge")], self.stage.monitor)
        self.breaks_s: dict[str, tuple[float, float]] = {}
        self.down: dict[str, float] = {}
        self.told: dict[str, float] = {}
        self._beats_every_s = beats_every_s
        for spec in specs:
            for one in spec.checks:
                self.stage.world[spec.name, one.name] = self._answer(spec.name, one)
        self.pass_(SETTLED_S)

    def _answer(self, name: str, one: CheckSpec) -> Callable[[Instant], Observation]:
        def answer(now: Instant) -> Observation:
            now_s = (now.mono_ns - START.mono_ns) / S
            begins_s, ends_s = self.breaks_s.get(name, (1e9, 0.0))
            broken = begins_s <= now_s < ends_s
            if one.signal is None:
                return Observation(FAIL, "refused") if broken else Observation(OK, "fine")
            worked_s = (begins_s if broken else now_s) // self._beats_every_s * self._beats_every_s
            return Observation(OK, "", signal=WorkSignal(START.wall_ns + seconds(worked_s)))

        return answer

    def break_(self, name: str, after_s: float = 0.0, for_s: float = 1e6) -> None:
        """It breaks so long from now."""
        begins_s = self.stage.elapsed_s + after_s
        self.breaks_s[name] = begins_s, begins_s + for_s

    def pass_(self, duration_s: float) -> "Watch":
        """Lets time pass."""
        for _ in range(round(duration_s / STEP_S)):
            known = len(self.stage.events)
            self.stage.run(STEP_S)
            for event in self.stage.events[known:]:
                if event.name == "component.down":
                    self.down.setdefault(event.component or "", self.stage.elapsed_s)
                self.herald.hear(event, self.stage.now)
            for notify in self.herald.review(self.stage.now, at_once=True) or ():
                if notify.stage == "opened":
                    self.told.setdefault(notify.conversation.component, self.stage.elapsed_s)
        return self

    def waited_s(self, name: str) -> float:
        """How long after it went down it was told of."""
        return round(self.told[name] - self.down[name], 1)


def family(*child: CheckSpec, parent: CheckSpec | None = None) -> Watch:
    """A child, its parent, and two that have nothing to do with either."""
    plain = check(interval_ns=10 * S, failure_threshold=3)
    others = [component(name, plain) for name in ("other", "another")]
    return Watch(
        component("child", *(child or (plain,)), depends_on=("parent",)),
        component("parent", parent or plain),
        *others,
    )


def test_a_child_that_fails_an_instant_before_its_parent_is_not_told_of() -> None:
    watch = family()
    watch.break_("child")
    watch.break_("parent", 4.0)
    watch.pass_(120)
    assert list(watch.told) == ["parent"]
    assert watch.waited_s("parent") == 0


def test_a_child_whose_parent_is_seen_to_be_well_is_told_of_at_once() -> None:
    watch = family()
    watch.break_("child")
    watch.pass_(60)
    assert (list(watch.told), watch.waited_s("child")) == (["child"], 0)


def test_a_parent_that_only_blips_keeps_the_child_back_until_it_is_seen_well() -> None:
    watch = family()
    watch.break_("child")
    watch.break_("parent", 18.0, for_s=9.0)  # seen once, around the time at which the child goes down
    watch.pass_(120)
    assert list(watch.told) == ["child"]
    assert watch.waited_s("child") <= 10 + STEP_S


def test_what_fails_by_one_look_waits_for_the_next_look_at_its_parent() -> None:
    watch = family(check(interval_ns=S, failure_threshold=1))
    watch.break_("child")
    watch.pass_(60)
    assert list(watch.told) == ["child"]
    assert watch.waited_s("child") <= 10 + STEP_S
    watch = family(check(interval_ns=S, failure_threshold=1))
    watch.break_("child")
    watch.break_("parent")
    watch.pass_(60)
    assert list(watch.told) == ["parent"]


def test_nobody_waits_for_a_parent_that_is_not_looked_at_in_time_nor_for_one_that_is_paused() -> None:
    from lifesign.core.commands import Pause

    watch = family(check(interval_ns=S, failure_threshold=1), parent=check(interval_ns=300 * S))
    watch.break_("child")
    assert watch.pass_(5).waited_s("child") == 0
    watch = family()
    watch.break_("parent", for_s=25.0)
    watch.pass_(9)
    watch.break_("child")
    watch.stage.take(watch.stage.monitor.command(Pause("parent", "op"), watch.stage.now))
    assert watch.pass_(60).waited_s("child") == 0


def test_a_child_that_has_waited_a_minute_is_told_of_whatever_its_parent_does() -> None:
    watch = family(parent=check(interval_ns=10 * S, failure_for_ns=600 * S))
    watch.break_("child")
    watch.break_("parent")
    watch.pass_(150)
    assert list(watch.told) == ["child"]
    assert 60 <= watch.waited_s("child") <= 60 + STEP_S


def test_a_parent_whose_work_is_about_to_be_stale_is_suspected_and_one_that_works_is_not() -> None:
    watch = family(BEAT, parent=BEAT)
    watch.break_("child")
    watch.break_("parent", 6.0)
    assert list(watch.pass_(120).told) == ["parent"]
    watch = family(BEAT, parent=BEAT)
    watch.break_("child")
    assert watch.pass_(60).waited_s("child") == 0


def fleet(count: int, failure_threshold: int) -> Watch:
    plain = check(interval_ns=10 * S, failure_threshold=failure_threshold)
    return Watch(*(component(f"c{number}", plain) for number in range(count)))


def test_of_a_mass_outage_one_is_told() -> None:
    watch = fleet(20, 3)
    for number in range(16):
        watch.break_(f"c{number}", 0.5 * number)
    watch.pass_(90)
    assert len(watch.down) == 16
    assert len(watch.told) == 1
    watch.pass_(300)  # some went down after it was told: they are named in an update
    [spoken_for] = [c.speaks_for for c in watch.herald.conversations() if c.told]
    assert sorted(spoken_for) == sorted(watch.down), "the one that speaks names them all"


def test_of_a_mass_outage_that_is_seen_look_by_look_two_go_ahead_at_most() -> None:
    watch = fleet(20, 1)
    for number in range(16):
        watch.break_(f"c{number}")
    watch.pass_(60)
    assert len(watch.down) == 16
    assert len(watch.told) <= 3


def test_three_of_many_are_told_each_without_delay_once_the_others_are_seen() -> None:
    watch = fleet(20, 3)
    for number in range(3):
        watch.break_(f"c{number}")
    watch.pass_(60)
    assert sorted(watch.told) == ["c0", "c1", "c2"]
    assert [watch.waited_s(name) for name in watch.told] == [0, 0, 0]


def test_most_that_fail_together_and_recover_by_themselves_keep_the_one_that_stays_down_ten_seconds_at_most() -> None:
    watch = fleet(5, 3)
    for number in range(5):
        watch.break_(f"c{number}", for_s=1e6 if number == 0 else 15.0)
    watch.pass_(90)
    assert list(watch.told) == ["c0"]
    assert watch.waited_s("c0") <= 10 + STEP_S


_OFFSETS = st.tuples(st.floats(0, 9), st.floats(0, 9))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([2.0, 5.0, 10.0, 30.0]),
    st.sampled_from([2.0, 5.0, 10.0]),
    st.sampled_from([None, 3.0, 20.0, 1e6]),
    _OFFSETS,
)
def test_whatever_the_looks_each_that_stays_down_is_told_of_in_time_or_its_parent_is(
    child_threshold: int,
    parent_threshold: int,
    child_interval_s: float,
    parent_interval_s: float,
    parent_for_s: float | None,
    offsets_s: tuple[float, float],
) -> None:
    watch = family(
        check(interval_ns=seconds(child_interval_s), failure_threshold=child_threshold),
        parent=check(interval_ns=seconds(parent_interval_s), failure_threshold=parent_threshold),
    )
    watch.break_("child", offsets_s[0])
    if parent_for_s is not None:
        watch.break_("parent", offsets_s[1], for_s=parent_for_s)
    watch.pass_(250)
    assert "child" in watch.down
    if parent_for_s == 1e6:
        assert watch.waited_s("parent") == 0
        if offsets_s[1] <= offsets_s[0]:  # else the parent may have been seen well after the child had failed
            in_time = watch.down["parent"] - watch.down["child"] < 60
            assert ("child" in watch.told) is not in_time
        return
    if "parent" in watch.down:
        assert watch.told["child"] >= watch.down["child"]
        return
    condemned_in_s = child_interval_s * (child_threshold - 1)
    looks = (condemned_in_s < parent_interval_s) + (parent_for_s is not None)  # at its parent, that it waits for
    assert watch.waited_s("child") <= looks * (parent_interval_s + STEP_S) + (parent_for_s or 0.0)


def test_of_writers_that_all_stop_one_is_told_though_each_goes_stale_by_itself() -> None:
    watch = Watch(*(component(f"c{number}", BEAT) for number in range(6)), beats_every_s=1.0)
    for number in range(6):
        watch.break_(f"c{number}", 1.0 * number)
    watch.pass_(100)
    assert len(watch.down) == 6
    assert len(watch.told) == 1


def test_one_writer_that_stops_among_writers_in_time_is_told_without_delay() -> None:
    watch = Watch(*(component(f"c{number}", BEAT) for number in range(6)), beats_every_s=20.0)
    watch.break_("c3")
    watch.pass_(60)
    assert (list(watch.told), watch.waited_s("c3")) == (["c3"], 0)
