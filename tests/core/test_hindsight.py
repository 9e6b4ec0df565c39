"""Hindsight against the truth: what it says of a moment is how the monitor itself stood then, or nothing."""

import contextlib
from dataclasses import dataclass
from random import Random

import pytest

from lifesign.core.commands import NotPossibleError, Pause, Resume, Silence
from lifesign.core.effects import Effect, Record
from lifesign.core.hindsight import Hindsight, PastLook, hindsight
from lifesign.core.model import (
    NS_PER_S,
    Identity,
    Instant,
    Layer,
    Observation,
    Verdict,
    WorkSignal,
)
from lifesign.core.restart import RestartReport, Sent
from lifesign.core.spec import RestartSpec, SignalPolicy
from lifesign.core.view import ComponentView
from tests.core.stage import FAIL, OK, START, UNKNOWN, WARN, Stage, check, component, seconds

SPEC = component(
    "mind",
    check("port", grace_ns=0, failure_threshold=2, success_threshold=2),
    check("disk", Layer.ALIVE, grace_ns=0, optional=True),
    check("process", Layer.ALIVE, "process", grace_ns=seconds(5)),
    check("beat", Layer.WORKING, "heartbeat", signal=SignalPolicy(seconds(40)), failure_threshold=1),
    restart=RestartSpec("signal", automatic=True, after_ns=seconds(60), grace_ns=seconds(30), max_restarts=50),
)


@dataclass(frozen=True)
class Seen:
    at_ns: int
    check: str
    found: Observation


class Watched(Stage):
    """Keeps how the component stood whenever something was told, and every look."""

    def __init__(self, seed: int) -> None:
        super().__init__(SPEC, seed=seed)
        self.random = Random(seed)
        self.seen: list[Seen] = []
        self.stood: dict[int, list[ComponentView]] = {}
        self.beats_ns = self.now.wall_ns
        self.moods = {one.name: OK for one in SPEC.checks}
        self.pid = 100
        self.shell = self._restart
        for one in SPEC.checks:
            self.world["mind", one.name] = self._looker(one.name)

    def take(self, effects: tuple[Effect, ...]) -> None:
        super().take(effects)
        views = self.stood.get(self.now.wall_ns, [])
        if views or any(isinstance(effect, Record) for effect in effects):
            [view] = self.monitor.view(self.now).components
            self.stood[self.now.wall_ns] = [*views, view]

    def _restart(self) -> RestartReport:
        self.pid += 1
        return Sent("SIGTERM")

    def _looker(self, name: str):  # type: ignore[no-untyped-def]
        def look(now: Instant) -> Observation:
            verdict = self.moods[name]
            words = f"{name} {verdict}"
            if name == "beat" and verdict is not UNKNOWN:
                if verdict is OK:
                    self.beats_ns = now.wall_ns - seconds(1)
                written = WARN if verdict is WARN else OK
                found = Observation(written, words, signal=WorkSignal(self.beats_ns))
            elif name == "process" and verdict is OK:
                found = Observation(OK, words, identity=Identity(self.pid, None))
            else:
                found = Observation(verdict, words)
            self.seen.append(Seen(now.wall_ns, name, found))
            return found

        return look

    def live(self, steps: int) -> None:
        for _ in range(steps):
            name = self.random.choice(list(self.moods))
            self.moods[name] = self.random.choice((OK, OK, OK, WARN, FAIL, FAIL, UNKNOWN))
            if self.random.random() < 0.3:
                self.moods = dict.fromkeys(self.moods, OK)
            if self.random.random() < 0.05:
                self.pid += 1
            if self.random.random() < 0.15:
                command = self.random.choice(
                    (Pause("mind", "me"), Resume("mind", "me"), Silence("mind", "me", seconds(50), "why"))
                )
                with contextlib.suppress(NotPossibleError):
                    self.take(self.monitor.command(command, self.now))
            self.run(self.random.choice((3, 11, 35, 90)))

    def looks_until(self, at_ns: int) -> dict[str, PastLook]:
        found = {}
        for name in self.moods:
            mine = [one for one in self.seen if one.check == name and one.at_ns <= at_ns]
            if mine:
                found[name] = counted(mine)
        return found

    def hindsight(self, at_ns: int) -> Hindsight:
        told = [event for event in self.events if event.at_wall_ns <= at_ns]
        return hindsight(told, self.looks_until(at_ns), SPEC, at_ns)


def counted(seen: list[Seen]) -> PastLook:
    """Of one check's looks, the last, and how many in a row."""
    verdicts = [one.found.verdict for one in seen if one.found.verdict is not UNKNOWN]

    def in_a_row(*wanted: Verdict) -> int:
        backwards = [verdict in wanted for verdict in reversed(verdicts)]
        return backwards.index(False) if False in backwards else len(backwards)

    last = seen[-1]
    signal = last.found.signal
    return PastLook(
        last.at_ns,
        last.found.verdict,
        last.found.message,
        0.0,
        in_a_row(FAIL),
        in_a_row(OK),
        in_a_row(OK, WARN),
        signal.timestamp_ns if signal else None,
    )


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_said_of_a_moment_is_how_it_was(seed: int) -> None:
    is_true_of(seed, 60)


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(900)
def test_whatever_is_said_of_many_lives_is_how_it_was() -> None:
    for seed in range(100, 300):
        is_true_of(seed, 120)


def is_true_of(seed: int, steps: int) -> None:
    watched = Watched(seed)
    watched.live(steps)
    known = 0
    for at_ns, views in watched.stood.items():  # several of one instant: it went through all of them
        said = watched.hindsight(at_ns)
        where = f"{(at_ns - START.wall_ns) / NS_PER_S:g} s, seed {seed}"
        known += said.state is not None
        assert said.state in {None, *(view.state for view in views)}, where
        assert said.since_ns is None or said.since_ns in {view.since_wall_ns for view in views}, where
        for one in said.checks:
            states = {check.state for view in views for check in view.checks if check.spec.name == one.name}
            assert one.state in {None, *states}, f"{one.name} at {where}"
        for layer, worst in said.layers.items():
            assert worst in {None, *(view.layers[layer] for view in views)}, f"{layer} at {where}"
        assert said.incident in {view.incident.id if view.incident else None for view in views}, where
        assert len(said.notices) in {
            sum(notice is not None for notice in (view.silence, view.hold, view.acknowledged)) for view in views
        }, where
    assert known >= 0.5 * len(watched.stood), "it can tell of hardly any moment"
