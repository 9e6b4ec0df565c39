"""Silence, hold, dependency, flapping, pause, reload and death in every order: no alert that should not be, none lost.

The real core and the real alerter live on hand-set clocks; what they put into the outbox is judged by a ledger that
knows the operator's commands, the config's words and the incidents, and calls nothing of the alerting it judges.
"""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifesign.alerts.entry import Entry
from lifesign.bootstrap.alerting import Alerter
from lifesign.bootstrap.difference import Difference
from lifesign.bootstrap.plan import Plan
from lifesign.config import Config, load
from lifesign.core import commands
from lifesign.core.commands import NotPossibleError, OperatorCommand
from lifesign.core.effects import Effect, Record
from lifesign.core.events import Event, EventName
from lifesign.core.model import Instant, Observation
from lifesign.core.monitor import Monitor
from tests.core.stage import FAIL, OK, S, Stage, seconds

ACTORS = ("parent", "child", "lone")
SINKS = {"prompt": 0.0, "patient": 30.0}
MIN_UPDATE_S = 20.0
_FOLDER = tempfile.TemporaryDirectory(prefix="lifesign-orders-")


_QUIET: dict[str, tuple[Callable[..., OperatorCommand], Callable[..., OperatorCommand]]] = {
    "silence": (commands.Silence, commands.Unsilence),
    "hold": (commands.Hold, commands.Release),
}


@dataclass(frozen=True)
class Knobs:
    """What a reload may turn."""

    child: bool = True
    depends: bool = True
    picky: bool = False  # the patient sink leaves the child out
    patient: bool = True  # there is a patient sink at all


@lru_cache
def config_of(knobs: Knobs) -> Config:
    """Four that are always well keep three that are down from being one common cause."""
    text = ['[monitor]\nname = "orders"\nstate_dir = "state"\n[defaults]\ninterval = "1s"\nfailure_threshold = 2']
    text.append('success_threshold = 2\ngrace = "1s"\nflap_changes = 6\nflap_window = "1m"')
    names = [name for name in ACTORS if name != "child" or knobs.child] + [f"well{number}" for number in range(4)]
    for name in names:
        if name == "child" and knobs.depends:
            text.append('[components.child]\ndepends_on = ["parent"]')
        text.append(f'[components.{name}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:9"')
    for sink, after_s in SINKS.items():
        if sink == "prompt" or knobs.patient:
            text.append(f'[alerts.{sink}]\ntype = "command"\nargv = ["true"]\nnotify_after = "{after_s:g}s"')
            text.append(f'min_update = "{MIN_UPDATE_S:g}s"\nremind_every = "2m"')
        if sink == "patient" and knobs.patient and knobs.picky and knobs.child:
            text.append('except = ["child"]')
    path = Path(_FOLDER.name) / f"{hash(knobs)}.toml"
    path.write_text("\n".join(text) + "\n")
    path.chmod(0o600)
    return load(path)


@dataclass
class Ledger:
    """What has happened, and by that alone what may be told. Times in seconds of the stage."""

    knobs: Knobs = Knobs()
    down: dict[str, tuple[str, float]] = field(default_factory=dict)
    quiet_until: dict[tuple[str, str], float] = field(default_factory=dict)
    opened: set[tuple[str, str]] = field(default_factory=set)
    owed: set[tuple[str, str]] = field(default_factory=set)
    updated: dict[tuple[str, str], float] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)

    def happened(self, event: Event, now_s: float) -> None:
        name = event.component or ""
        if event.name is EventName.COMPONENT_DOWN:
            assert name not in self.down
            self.down[name] = (event.incident or "", now_s)
        elif event.name is EventName.COMPONENT_RECOVERED:
            incident, _ = self.down.pop(name)
            self.owed |= {key for key in self.opened if key[1] == incident}

    def is_quiet(self, name: str, now_s: float) -> bool:
        return any(self.quiet_until.get((kind, name), -1.0) > now_s for kind in ("silence", "hold"))

    def waits_for_parent(self, name: str) -> bool:
        return name == "child" and self.knobs.depends and "parent" in self.down.keys() - self.paused

    def wants(self, sink: str, name: str) -> bool:
        return sink == "prompt" or (self.knobs.patient and not (self.knobs.picky and name == "child"))

    def told(self, entry: Entry, now_s: float) -> None:
        """Judges one alert at the moment at which it is put into the outbox."""
        alert = entry.alert
        key, name = (entry.sink, alert.incident), alert.component
        what = f"{alert.stage} of {key} at {now_s}"
        if alert.stage == "recovered":
            assert key in self.owed, f"an end that nobody waits for: {what}"
            self.owed.discard(key)
            self.opened.discard(key)
            return
        incident, since_s = self.down.get(name, ("", 0.0))
        assert incident == alert.incident, f"an incident that is over: {what}"
        assert not self.is_quiet(name, now_s), f"in spite of a silence or hold: {what}"
        if alert.stage == "opened":
            assert key not in self.opened, f"twice: {what}"
            assert not self.waits_for_parent(name), f"in spite of a dependency: {what}"
            assert self.wants(entry.sink, name), f"not for that sink: {what}"
            assert now_s - since_s >= SINKS[entry.sink] - 0.001, f"too early: {what}"
            self.opened.add(key)
        else:
            assert key in self.opened, f"of what was never told: {what}"
        if alert.stage == "updated":
            assert now_s - self.updated.get(key, -1e9) >= MIN_UPDATE_S - 0.001, f"too soon after another: {what}"
        self.updated[key] = now_s


class Watch(Stage):
    """The stage with an alerter beside it, as the daemon has one."""

    def __init__(self) -> None:
        self.config, self.ledger = config_of(Knobs()), Ledger()
        self.texts: dict[str, str] = {}
        super().__init__(*Plan.of(self.config).spec.components)
        self.alerter = self._begun()

    def _begun(self) -> Alerter:
        return Alerter(self.config, self.monitor, keep=self.keep, tell=lambda *words: None, works=lambda: True)

    def keep(self, changes: Mapping[str, str | None], then: Callable[[], None] | None = None) -> None:
        for key, text in changes.items():
            is_new = key not in self.texts
            if text is None:
                self.texts.pop(key, None)
                continue
            self.texts[key] = text
            if is_new and key.startswith("outbox/"):
                self.ledger.told(msgspec.json.decode(text, type=Entry), self.elapsed_s)
        if then is not None:
            then()

    def take(self, effects: tuple[Effect, ...]) -> None:
        super().take(effects)
        for effect in effects:
            if isinstance(effect, Record):
                self.ledger.happened(effect.event, self.elapsed_s)
                self.alerter.hear(effect.event, self.now)
        self.alerter.review(self.now)
        assert not self.ledger.owed, f"an end that was not told: {self.ledger.owed}"

    def command(self, command: OperatorCommand) -> bool:
        with suppress(NotPossibleError, KeyError):
            self.take(self.monitor.command(command, self.now))
            return True
        return False

    def pause(self, name: str, *, ends: bool = False) -> None:
        """Its checks rest, or do no more."""
        ask = commands.Resume(name, "op") if ends else commands.Pause(name, "op")
        before = set(self.ledger.paused)
        self.ledger.paused = before - {name} if ends else before | {name}
        if not self.command(ask):
            self.ledger.paused = before

    def quiet(self, kind: str, name: str, duration_s: float) -> None:
        """A silence or hold of so long; of none: its end."""
        ask: OperatorCommand
        if kind == "silence":
            ask = (
                commands.Silence(name, "op", seconds(duration_s), "x") if duration_s else commands.Unsilence(name, "op")
            )
        else:
            ask = commands.Hold(name, "op", seconds(duration_s), "x") if duration_s else commands.Release(name, "op")
        before = self.ledger.quiet_until.get((kind, name))
        self.ledger.quiet_until[kind, name] = self.elapsed_s + duration_s  # judged as of the command, not after it
        if not self.command(ask):
            self.ledger.quiet_until.pop((kind, name))
            if before is not None:
                self.ledger.quiet_until[kind, name] = before

    def reload(self, knobs: Knobs) -> None:
        """As the daemon does it: first the core, then the alerts."""
        wanted = config_of(knobs)
        changed, before = Difference.between(self.config, wanted).checks, self.ledger.knobs
        self.take(self.monitor.reconfigure(Plan.of(wanted).spec, changed, self.now))
        self.config, self.ledger.knobs = wanted, knobs
        if not knobs.patient:
            self.ledger.opened = {key for key in self.ledger.opened if key[0] != "patient"}
        if before.child and not knobs.child:
            self.ledger.paused.discard("child")
            self.ledger.quiet_until = {key: s for key, s in self.ledger.quiet_until.items() if key[1] != "child"}
        self.alerter.follow(wanted, self.now)
        self.alerter.review(self.now)

    def killed(self, away_s: float) -> None:
        """kill -9, and another start so much later."""
        memory = self.monitor.memory(self.now)
        self.now = self.now.after(seconds(away_s))
        self._answers.clear()
        self.monitor = Monitor(Plan.of(self.config).spec, self.now, memory)
        self.alerter = self._begun()
        self.alerter.recall(dict(self.texts), self.now)


def _world(how: str) -> Observation | Callable[[Instant], Observation]:
    if how == "flapping":
        return lambda now: Observation(OK if now.mono_ns // S % 2 else FAIL, "now and then")
    return Observation(OK if how == "well" else FAIL, how)


_ACTOR = st.sampled_from(ACTORS)
_KNOBS = st.builds(Knobs, st.booleans(), st.booleans(), st.booleans(), st.booleans())
_WORLD = st.tuples(st.just("world"), _ACTOR, st.sampled_from(["down", "refused", "flapping", "well"]))
_LONG = st.sampled_from([100.0, 30.0, 5.0, 0.0])
_STILL = st.tuples(st.just("quiet"), st.sampled_from(["silence", "hold"]), _ACTOR, _LONG)
_STEP = st.one_of(
    _WORLD,
    _WORLD,
    _STILL,
    _STILL,
    st.tuples(st.just("pause"), _ACTOR),
    st.tuples(st.just("resume"), _ACTOR),
    st.tuples(st.just("ack"), _ACTOR),
    st.tuples(st.just("reload"), _KNOBS),
    st.tuples(st.just("killed"), st.sampled_from([1.0, 40.0])),
)
_STEPS = st.lists(st.tuples(_STEP, st.sampled_from([5, 1, 35, 0, 12])), min_size=6, max_size=25)
Steps = list[tuple[tuple[object, ...], int]]


def down(name: str, wait_s: int = 5, how: str = "down") -> tuple[tuple[object, ...], int]:
    return ("world", name, how), wait_s


def still(kind: str, name: str, duration_s: float, wait_s: int) -> tuple[tuple[object, ...], int]:
    return ("quiet", kind, name, duration_s), wait_s


WRITTEN: dict[str, Steps] = {
    "silenced before": [still("silence", "lone", 100.0, 1), down("lone", 50), down("lone", 10, "well")],
    "silenced between": [down("lone"), still("silence", "lone", 30.0, 5), down("lone", 50, "refused")],
    "held before": [still("hold", "lone", 100.0, 1), down("lone", 130)],
    "held, and it recovers": [down("lone", 40), still("hold", "lone", 100.0, 1), down("lone", 9, "well")],
    "parent first": [down("parent"), down("child", 40), down("parent", 10, "well")],
    "child first": [down("child", 40), down("parent", 10), down("child", 10, "well")],
    "flapping": [down("lone", 90, "flapping"), down("lone", 5), down("lone", 70, "flapping")],
    "left out before it was told": [down("child", 8), (("reload", Knobs(picky=True)), 40)],
    "left out after it was told": [down("child", 40), (("reload", Knobs(picky=True)), 40), down("child", 9, "well")],
    "gone, and back": [down("child", 40), (("reload", Knobs(child=False)), 5), (("reload", Knobs()), 40)],
    "sink gone, and back": [down("lone", 40), (("reload", Knobs(patient=False)), 5), (("reload", Knobs()), 40)],
    "reloaded while silenced": [
        down("lone"),
        still("silence", "lone", 100.0, 1),
        (("reload", Knobs(picky=True)), 40),
        down("lone", 9, "well"),
    ],
    "killed while it waits": [down("lone", 8), (("killed", 40.0), 40)],
    "killed, silenced": [still("silence", "lone", 100.0, 1), down("lone", 9), (("killed", 40.0), 30), down("lone", 9)],
    "parent paused, and back": [
        down("child", 1),
        down("parent", 5),
        (("pause", "parent"), 40),
        (("resume", "parent"), 1),
    ],
    "paused while told": [down("lone", 40), (("pause", "lone"), 40), (("resume", "lone"), 9), down("lone", 9, "well")],
}


def play(steps: Steps) -> None:
    watch = Watch()
    watch.run(5)
    for (what, *given_), wait_s in steps:
        match what, given_:
            case "world", [str(name), str(how)]:
                watch.world[name, "port"] = _world(how)
            case "quiet", [str(kind), str(name), float(duration_s)]:
                watch.quiet(kind, name, duration_s)
            case "reload", [Knobs() as knobs]:
                watch.reload(knobs)
            case "killed", [float(away_s)]:
                watch.killed(away_s)
            case "ack", [str(name)]:
                watch.command(commands.Acknowledge(name, "op"))
            case _, [str(name)]:
                watch.pause(name, ends=what == "resume")
        watch.run(wait_s)
    _judge_the_end(watch)


def _judge_the_end(watch: Watch) -> None:
    """Everything is let go and down: who is to hear hears. Then all is well: every end is told, and nothing is left."""
    ledger = watch.ledger
    for name in ACTORS:
        watch.pause(name, ends=True)
        watch.quiet("silence", name, 0.0)
        watch.quiet("hold", name, 0.0)
        watch.world[name, "port"] = Observation(FAIL, "down for good")
    watch.run(200)
    there = [name for name in ACTORS if name != "child" or ledger.knobs.child]
    assert sorted(ledger.down) == sorted(there)
    for name in there:
        for sink in SINKS:
            if ledger.wants(sink, name) and not ledger.waits_for_parent(name):
                assert (sink, ledger.down[name][0]) in ledger.opened, f"{sink} was never told of {name}"
    watch.world.clear()
    watch.run(200)
    assert (ledger.down, ledger.owed, ledger.opened) == ({}, set(), set())
    assert [key for key in watch.texts if key.startswith("alerting/")] == []


@pytest.mark.parametrize("steps", WRITTEN.values(), ids=WRITTEN)
def test_an_order_that_somebody_thought_of(steps: Steps) -> None:
    play(steps)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS)
def test_in_whatever_order_nothing_is_told_that_should_not_be_and_no_end_is_lost(
    steps: Steps,
) -> None:
    play(steps)


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(1200)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS)
def test_the_same_over_many_more_orders(steps: Steps) -> None:
    play(steps)
