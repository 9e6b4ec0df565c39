"""When a timestamp was taken, though the wall clock has been stepped since: transcripts, and a property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.dating import Era, WallClock
from lifesign.core.model import CheckState, Instant, Layer, Observation, WorkSignal
from lifesign.core.observer import Observer
from lifesign.core.signal import SignalJudge
from lifesign.core.spec import SignalPolicy
from tests.core.stage import FAIL, OK, START, UNKNOWN, S, Stage, check, component

STALE, SKEW = 300 * S, 60 * S
STEPS_S = (3_600, -3_600, -START.wall_ns // S, 2_340_000_000, 1_000, -1_000)


class Host:
    """Clocks that somebody sets, a writer and a judge of it upon them."""

    def __init__(self) -> None:
        self.now = START
        self.observer = Observer(START)
        self.judge = SignalJudge(SignalPolicy(STALE, None, SKEW))
        self.beat = WorkSignal(0)
        self.beat_ns = 0

    def wait(self, seconds: float) -> "Host":
        """Time passes, and the clocks are read at both its ends: no step lies within."""
        before, self.now = self.now, self.now.after(round(seconds * S))
        self.observer.rest(before.after(round(seconds * S)))
        return self

    def step(self, seconds: float) -> "Host":
        """Somebody sets the wall clock."""
        self.now = Instant(self.now.mono_ns, self.now.wall_ns + round(seconds * S), self.now.boot_ns)
        self.observer.read(self.now)
        return self

    def write(self, ago_s: float = 0.0) -> "Host":
        """The writer finishes work."""
        self.beat_ns = self.now.mono_ns - round(ago_s * S)
        self.beat = WorkSignal(self.now.wall_ns - round(ago_s * S))
        return self

    def read(self) -> object:
        """The verdict on the heartbeat as it is read now."""
        return self.judge.read(self.beat, self.now, self.observer.wall_clock).verdict

    @property
    def age_s(self) -> float:
        """How old the judge takes the work to be."""
        return self.judge.staleness_ns(self.now.mono_ns) / S


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_beat_from_before_a_step_is_dated_though_none_was_read_before(step_s: float) -> None:
    host = Host().wait(10).write().wait(20).step(step_s).wait(5)
    assert host.read() is OK
    assert host.age_s == 25
    assert host.wait(274.9).read() is OK
    assert host.wait(0.1).read() is FAIL


@pytest.mark.parametrize("there_s", STEPS_S)
@pytest.mark.parametrize("and_s", STEPS_S)
def test_a_beat_written_between_two_steps_is_dated_by_the_clock_of_its_time(there_s: float, and_s: float) -> None:
    host = Host().write().wait(1)
    assert host.read() is OK
    host.wait(10).step(there_s).wait(10).write().wait(10).step(and_s).wait(10)
    assert host.read() is OK
    assert host.age_s == 20


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_beat_long_before_the_steps_is_as_old_as_it_is(step_s: float) -> None:
    host = Host().write().wait(400).step(step_s).wait(1).step(-step_s / 2).wait(1)
    assert host.read() is FAIL
    assert host.age_s == 402


def test_a_clock_set_back_makes_no_beat_of_before_it_younger() -> None:
    host = Host().wait(100).write().wait(200).step(-150).wait(100)
    assert host.read() is FAIL
    assert host.age_s == 300


def test_a_small_step_back_makes_no_beat_of_before_it_as_young_as_the_skew_allows() -> None:
    host = Host().wait(100).write().wait(10).step(-50).wait(2)
    assert host.read() is OK
    assert host.age_s == 12


def test_a_beat_in_whole_seconds_falls_into_the_time_it_was_written_in() -> None:
    host = Host().wait(0.9).step(3_600).wait(0.05)
    host.beat = WorkSignal(host.now.wall_ns // S * S)
    assert host.wait(5).read() is OK
    assert host.age_s < 6


def test_an_age_that_two_times_would_explain_is_the_lesser_and_grows_from_there() -> None:
    """Unread for longer than the clock was set back: nobody can tell, and a step condemns nobody."""
    host = Host().wait(1_000).write().wait(1).step(-300).wait(310)
    assert host.read() is OK
    assert host.age_s == 11
    assert host.wait(289).read() is FAIL


def test_a_time_that_was_over_when_the_last_beat_was_read_dates_no_later_one() -> None:
    host = Host().wait(500).step(-300).wait(10).write().wait(10)
    assert host.read() is OK
    host.wait(50).write(ago_s=40)
    assert host.read() is OK
    assert host.age_s == 40


def test_a_beat_that_no_time_explains_is_from_the_future_still() -> None:
    host = Host().wait(10).step(1_000).wait(10)
    host.beat = WorkSignal(host.now.wall_ns + 61 * S)
    assert host.read() is UNKNOWN


def test_only_the_newest_eight_times_are_kept() -> None:
    host = Host().wait(10).write()
    for _ in range(8):
        host.wait(5).step(1_000)
    assert host.read() is OK
    for _ in range(9):
        host.wait(5).step(1_000)
    host.judge = SignalJudge(SignalPolicy(STALE, None, SKEW))
    assert host.read() is FAIL


turns = st.lists(st.tuples(st.integers(0, 15), st.sampled_from(["read", "write", "step"]), st.integers(-3, 3)))


@given(turns)
def test_t1_the_age_of_work_is_its_true_age_whatever_is_done_to_the_wall_clock(
    script: list[tuple[int, str, int]],
) -> None:
    """Read every minute at the latest: every step is longer than that, so each beat falls into one time only."""
    host, unread_s, steps = Host().write(), 0, 0
    host.read()
    for pause_s, what, thousands in script:
        host.wait(pause_s)
        unread_s += pause_s
        if what == "step":
            host.step(1_000 * thousands)
            steps += 1
        elif what == "write":
            host.write()
        if what == "read" or unread_s > 45 or steps == 6:
            host.read()
            unread_s = steps = 0
            assert host.age_s == (host.now.mono_ns - host.beat_ns) / S


def test_t1_the_monitor_tells_nothing_of_a_writer_between_two_steps() -> None:
    beat = check("beat", Layer.WORKING, "heartbeat", interval_ns=60 * S, signal=SignalPolicy(STALE, None, SKEW))
    stage = Stage(component("mind", beat))
    stamps = [stage.now.wall_ns]
    stage.world["mind", "beat"] = lambda _: Observation(OK, signal=WorkSignal(stamps[-1]))
    stage.run(130)
    stage.step(-86_400).run(5)
    stamps.append(stage.now.wall_ns)
    stage.run(5).step(86_400).run(100)
    assert stage.check_state("mind", "beat") is CheckState.PASSING
    assert [event.check for event in stage.events if event.check] == []
    stage.run(300)
    assert stage.check_state("mind", "beat") is CheckState.FAILED


@pytest.mark.parametrize(
    ("moment_s", "named"),
    [(98, True), (97.999_999_999, False), (150, True), (202, True), (202.000_000_001, False)],
)
def test_an_era_dates_what_was_written_in_it_or_two_seconds_beside_it(moment_s: float, named: bool) -> None:
    era = Era(ahead_ns=1_000 * S, from_boot_ns=100 * S, until_boot_ns=200 * S)
    moment_ns = round(moment_s * S)
    assert era.moment_ns(moment_ns + 1_000 * S) == (moment_ns if named else None)


def test_the_first_era_goes_as_far_back_as_anybody_knows() -> None:
    assert Era(1_000 * S, None, 200 * S).moment_ns(1_001 * S) == S


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**11), st.one_of(st.none(), st.integers(-(10**12), 10**12)))
def test_while_no_clock_was_stepped_the_freshest_that_is_not_ahead_of_us_by_more_than_the_skew_holds(
    ago_ns: int, skew_ns: int, linked_ago_ns: int | None
) -> None:
    agos_ns = [ago for ago in (ago_ns, linked_ago_ns) if ago is not None and ago >= -skew_ns]
    expected_ns = None if not agos_ns else START.boot_ns - max(0, min(agos_ns))
    linked_ns = None if linked_ago_ns is None else START.boot_ns - linked_ago_ns
    dated_ns = WallClock().date(START.wall_ns - ago_ns, START, skew_ns, linked_ns=linked_ns, unread_ns=None)
    assert dated_ns == expected_ns
