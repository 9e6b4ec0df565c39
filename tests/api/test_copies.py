"""What is kept of each component is what would be made anew, at every moment of whatever life."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifesign.core.commands import (
    Acknowledge,
    Hold,
    NotPossibleError,
    OperatorCommand,
    Pause,
    Rearm,
    Release,
    RestartNow,
    Resume,
    Silence,
    Unsilence,
)
from lifesign.core.effects import Effect, Look
from lifesign.core.known import Known
from lifesign.core.model import ComponentState, Identity, Instant, Layer, Observation, Verdict, WorkSignal
from lifesign.core.monitor import Monitor
from lifesign.core.restart import Sent
from lifesign.core.spec import ComponentSpec, MonitorSpec, RestartSpec, SignalPolicy
from lifesign.core.view import Fresh, Looked
from tests.api.asked import Asked
from tests.core.stage import START, S, Stage, check, component
from tests.simulation.governor_world import NAMES, Life
from tests.simulation.simulator import Simulator

Deed: TypeAlias = Callable[[Stage, int], object]

_BEAT: dict[str, Any] = {"kind": "heartbeat", "layer": Layer.WORKING, "failure_threshold": 1, "success_threshold": 1}
_RESTART = RestartSpec("signal", automatic=True, after_ns=20 * S, grace_ns=40 * S, max_restarts=2, window_ns=900 * S)
_MIND = component(
    "mind",
    check("process", Layer.ALIVE, "process"),
    check("beat", signal=SignalPolicy(90 * S, 50 * S), **_BEAT),
    check("slow", signal=SignalPolicy(400 * S), **_BEAT),
    depends_on=("gateway",),
    restart=_RESTART,
)
_FEED = component("feed", check("beat", signal=SignalPolicy(300 * S, 300 * S), **_BEAT), check(), restart=_RESTART)
_SPECS: tuple[tuple[ComponentSpec, ...], ...] = (
    (component("gateway", check(timeout_ns=3 * S)), _MIND, _FEED, component("empty")),
    (component("gateway", check(interval_ns=7 * S), optional=True), replace(_MIND, title="Mind"), component("empty")),
    (component("gateway", check(timeout_ns=3 * S)),),
)
_FOUND = (
    Observation(Verdict.OK, "fine", 0.25, {"queue": 7.0}, {"100 %b": "50 % \0 of 'all'", "n": 2**70}),
    Observation(Verdict.WARN, "slow \x1b[31m"),
    Observation(Verdict.FAIL, "refused"),
    Observation(Verdict.UNKNOWN, "no permission"),
    None,
)


class AskedLife(Life):
    """A life of restarts, in which somebody asks after each call, and between two of them."""

    asker: Asked | None = None
    asks = calls = 0
    every = 1

    def _take(self, effects: tuple[Effect, ...]) -> None:
        super()._take(effects)
        self._ask(self.now)

    def _step(self) -> None:
        todo_ns = self._todo[0][0] if self._todo else 2**63
        gap_ns = min(todo_ns, self.monitor.quiet_until()) - self.now.mono_ns
        if gap_ns > 1:
            self._ask(self.now.after(gap_ns // 2))
            self._ask(self.now.after(gap_ns - 1))
        super()._step()

    def _ask(self, now: Instant) -> None:
        self.calls += 1
        if self.calls % self.every:
            return
        self.asks += 1
        if self.asker is None or self.asker.monitor is not self.monitor:
            self.asker = Asked(self.monitor)
        self.asker.ask(now)


class AskedSimulator(Simulator):
    """Likewise a life of states."""

    asker: Asked | None = None
    asks = calls = 0
    every = 1

    def _take(self, effects: tuple[Effect, ...]) -> None:
        super()._take(effects)
        self._ask(self.now)

    def _pass(self, moment_ns: int) -> None:
        gap_ns = moment_ns - self.now.mono_ns
        if gap_ns > 1:
            self._ask(self.now.after(gap_ns // 3))
            self._ask(self.now.after(gap_ns - 1))
        super()._pass(moment_ns)

    def _ask(self, now: Instant) -> None:
        self.calls += 1
        if self.calls % self.every:
            return
        self.asks += 1
        if self.asker is None or self.asker.monitor is not self._monitor:
            self.asker = Asked(self._monitor)
        self.asker.ask(now)


def test_it_is_so_in_lives_of_states() -> None:
    assert sum(_states(seed, count=5, every=7) for seed in range(2)) > 300


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(600)
def test_it_is_so_in_long_lives_of_states() -> None:
    assert sum(_states(seed, count=40, every=1) for seed in range(100, 104)) > 40_000


def _states(seed: int, count: int, every: int) -> int:
    life = AskedSimulator(seed, count=count)
    life.every = every
    assert life.run().violations == []
    return life.asks


def test_it_is_so_in_lives_of_restarts() -> None:
    assert _restarts(1, every=31) > 200


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(600)
def test_it_is_so_in_long_lives_of_restarts() -> None:
    assert sum(_restarts(seed, every=1) for seed in range(100, 104)) > 10_000


def _restarts(seed: int, every: int) -> int:
    life = AskedLife(seed)
    life.every = every
    for fault in ("for good", "all", "replaced", "step", "blind", "stall"):
        life.strike(fault, life.random.choice(NAMES))
        life.live_for(600)
        life.operate(life.random.choice(("hold", "restart", "rearm", "kill")), life.random.choice(NAMES))
    assert life.judge.violations == []
    return life.asks


def _script(deeds: Sequence[Deed]) -> st.SearchStrategy[list[tuple[Deed, int]]]:
    return st.lists(st.tuples(st.sampled_from(deeds), st.integers(0, 10**6)), min_size=5, max_size=25)


def _lived(stage: Stage, deeds: list[tuple[Deed, int]]) -> None:
    """Somebody asks after each of the deeds, and then again before anything else happens."""
    stage.shell = lambda: Sent("done", Identity(4_000))
    asker = Asked(stage.monitor)
    for deed, number in deeds:
        with suppress(NotPossibleError, KeyError):
            deed(stage, number)
        asker.ask(stage.now)
        _let_time_pass(stage, number)
        asker.ask(stage.now)
    assert stage.monitor is asker.monitor


def test_it_is_so_whatever_operators_clocks_and_configs_do() -> None:
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_script(_DEEDS))
    def lived(deeds: list[tuple[Deed, int]]) -> None:
        _lived(Stage(*_SPECS[0]), deeds)

    lived()


@pytest.mark.parametrize("stuck_after_s", [None, 20, 40])
def test_it_is_so_whatever_a_writer_says(stuck_after_s: int | None) -> None:
    policy = SignalPolicy(40 * S, None if stuck_after_s is None else stuck_after_s * S)
    feed = component("feed", check("beat", signal=policy, grace_ns=S, **_BEAT), check("first"))

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_script(_WRITERS))
    def lived(deeds: list[tuple[Deed, int]]) -> None:
        stage = Stage(feed)
        _say(stage, 0)
        _lived(stage.run(15), deeds)

    lived()


def _say(stage: Stage, number: int) -> None:
    words = ("", "at it", "last work 5s ago, 50 % \ue000 \t", "long " * 300, "longer " * 400)[number % 5]
    written_ns = stage.now.wall_ns - number % 7 * S
    stage.world["feed", ("beat", "first")[number % 13 == 12]] = Observation(
        Verdict.OK, words, signal=WorkSignal(written_ns, number % 2) if number % 13 != 12 else None
    )


def _order(stage: Stage, number: int) -> None:
    orders = Silence("feed", "root", 20 * S, "deploy"), Hold("feed", "root", 20 * S, "deploy"), Pause("feed", "root")
    stage.take(stage.monitor.command((*orders, Resume("feed", "root"))[number % 4], stage.now))


_WRITERS: tuple[Deed, ...] = (
    _say,
    _say,
    _order,
    lambda stage, number: stage.run(number % 12),
    lambda stage, number: stage.run(number % 12),
    lambda stage, number: stage.run(number % 60),
)


def _find(stage: Stage, number: int) -> None:
    answer = _FOUND[number % len(_FOUND)]
    stage.world[("gateway", "port") if number % 2 else ("mind", "process")] = answer


def _work(stage: Stage, number: int) -> None:
    written_ns, busy = stage.now.wall_ns - number % 60 * S, (True, False, None)[number % 3]
    answer = Observation(Verdict.OK, "at it" * (number % 2), signal=WorkSignal(written_ns, number % 2, busy))
    stage.world[(("mind", "beat"), ("mind", "slow"), ("feed", "beat"))[number % 3]] = answer


def _live_again(stage: Stage, number: int) -> None:
    stage.world["mind", "process"] = Observation(Verdict.OK, "one", identity=Identity(5_000 + number))


def _let_time_pass(stage: Stage, number: int) -> None:
    """Nobody calls the monitor, for shorter than a stall."""
    stage.now = stage.now.after(number * 500)


def _command(stage: Stage, number: int) -> None:
    name, duration_ns = ("gateway", "mind")[number % 2], (number % 90 + 1) * S
    commands: tuple[OperatorCommand, ...] = (
        Silence(name, "root", duration_ns, "deploy"),
        Unsilence(name, "root"),
        Hold(name, "root", duration_ns, "deploy"),
        Hold(None, "root", duration_ns, "deploy"),
        Release(None, "root"),
        Acknowledge(name, "root"),
        Pause(name, "root"),
        Resume(name, "root"),
        Rearm(name, "root"),
        RestartNow(name, "root"),
    )
    stage.take(stage.monitor.command(commands[number % len(commands)], stage.now))


def _share(stage: Stage, number: int) -> None:
    mind = stage.monitor.components["mind"]
    if mind.governor is not None:
        mind.governor.budget.share([stage.now.boot_ns - number % 880 * S] * (number % 3))
        mind.revision += 1  # as the shell does


def _reconfigure(stage: Stage, number: int) -> None:
    components = _SPECS[number % len(_SPECS)]
    stage.take(stage.monitor.reconfigure(MonitorSpec(components), (), stage.now))
    if number % 2:  # and at once again: what was removed is back, and nobody has asked between
        stage.take(stage.monitor.reconfigure(MonitorSpec(_SPECS[0]), (), stage.now))


_DEEDS: tuple[Deed, ...] = (
    _find,
    _work,
    _live_again,
    _let_time_pass,
    _command,
    _command,
    _share,
    _reconfigure,
    lambda stage, number: stage.run(number % 40),
    lambda stage, number: stage.run(number % 700),
    lambda stage, number: stage.look_now(("gateway", "mind")[number % 2]),
    lambda stage, number: stage.step((number - 500_000) / 100),
    lambda stage, number: stage.stall(number % 60),
    lambda stage, number: stage.suspend(number % 4_000),
)  # fmt: skip


def test_what_nothing_happened_to_is_not_looked_at_again() -> None:
    specs = tuple(component(f"c{number}", check(grace_ns=S)) for number in range(50))
    beat = check("beat", signal=SignalPolicy(90 * S), **_BEAT)
    stage = Stage(*specs, component("beat", beat), component("beats", beat, replace(beat, name="other")))
    found = Observation(Verdict.OK, signal=WorkSignal(stage.now.wall_ns))
    stage.world = {("beat", "beat"): found, ("beats", "beat"): found, ("beats", "other"): found}
    stage.run(60)
    assert stage.monitor.overall(stage.now) is ComponentState.HEALTHY
    first = stage.monitor.changes(stage.now, Known()).components
    assert len(first) == 52
    known = {name: change.standing for name, change in first.items() if isinstance(change, Fresh)}
    later = stage.now.after(1_000_000)
    assert list(stage.monitor.changes(later, Known(known)).components) == ["beats"]  # of which two ages go on
    assert [name for name, standing in known.items() if standing.beat is not None] == ["beat"]  # of which one does
    assert list(stage.monitor.changes(later, Known(known), ages=False).components) == []
    stage.looks.clear()
    stage.run(2)
    seen = {look.check.component for _, look in stage.looks if isinstance(look, Look)}
    told = stage.monitor.changes(stage.now, Known(known)).components
    assert {name for name, change in told.items() if isinstance(change, Looked)} == seen
    assert 0 < len(seen) < 25


def test_the_copy_of_a_component_that_is_replaced_by_one_of_its_name_is_not_taken_for_it() -> None:
    asker = Asked(Monitor(MonitorSpec((component("mind", check()),)), START))
    asker.ask(START)
    asker.monitor.reconfigure(MonitorSpec(()), (), START.after(S))
    asker.monitor.reconfigure(MonitorSpec((component("mind", check("page")),)), (), START.after(S))
    asker.ask(START.after(S))


def test_an_excuse_that_runs_out_is_counted_down() -> None:
    stage = Stage(component("gateway", check(grace_ns=20 * S)), component("mind", check(grace_ns=20 * S)))
    asker = Asked(stage.run(60).monitor)
    stage.world["gateway", "port"] = Observation(Verdict.FAIL, "refused")
    stage.stall(6)
    asker.ask(stage.run(11).now)
    assert stage.view("gateway").next_step.startswith("grace ends in ")
    for _ in range(5):
        stage.now = stage.now.after(S - 1)
        asker.ask(stage.now)
        stage.tick()
