"""The engine's own code over simulated months: looks, timeouts, dying checks, stalls, suspends, steps of the clock."""

import asyncio
import logging
from random import Random

import async_solipsism
import pytest

from lifesign.core.commands import Hold, Release, Silence, Unsilence
from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, CheckId, CheckState, ComponentState, Layer
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from lifesign.engine.engine import Engine
from lifesign.engine.looking import Looks
from tests.figures import Figures
from tests.virtual.scripts import START, Clocks, Looker, Script

HOUR_S = 3_600


class Life:
    """One engine over so many hours, and its judge."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.random = Random(seed)
        self.clocks = Clocks(loop)
        specs = tuple(self._component(f"c{number}") for number in range(3))
        self.scripts = {
            c.name: Script(CheckId(c.name, "look"), c.checks[0], Random(f"{seed}/{c.name}"), self.clocks) for c in specs
        }
        self.open: dict[str, str] = {}
        self.told = dict.fromkeys(EventName, 0)
        self.broken: list[str] = []
        self.monitor = Monitor(MonitorSpec(specs, seed=seed), START)
        looks = Looks(
            {script.at: lambda script=script: Looker(script) for script in self.scripts.values()},  # type: ignore[misc]
            {script.at: script.spec.timeout_ns for script in self.scripts.values()},
            clocks=self.clocks,
        )
        self.engine = Engine(self.monitor, looks, record=self._judge, clocks=self.clocks)

    def _component(self, name: str) -> ComponentSpec:
        spec = CheckSpec(
            name="look",
            type="tcp",
            layer=Layer.READY,
            interval_ns=self.random.choice((10, 30, 60)) * NS_PER_S,
            timeout_ns=self.random.choice((2, 5)) * NS_PER_S,
            failure_threshold=self.random.choice((1, 2, 3)),
            success_threshold=self.random.choice((1, 2, 3)),
            grace_ns=self.random.choice((0, 10, 30)) * NS_PER_S,
            flap_changes=1_000,
        )
        return ComponentSpec(name, (spec,))

    def _judge(self, event: Event) -> None:
        self.told[event.name] += 1
        script = self.scripts.get(event.component or "")
        if script is None:
            return
        if event.name is EventName.COMPONENT_DOWN:
            if script.at.component in self.open:
                script.breaks("S7", "down twice")
            self.open[script.at.component] = event.incident or ""
            if script.fails < script.spec.failure_threshold:
                script.breaks("S1", f"down after {script.fails} failures")
        elif event.name is EventName.COMPONENT_RECOVERED:
            if self.open.pop(script.at.component, None) != event.incident:
                script.breaks("S7", "recovered from what was not open")
            if script.successes < script.spec.success_threshold:
                script.breaks("S3", f"recovered after {script.successes} successes")

    async def live(self, hours: float) -> None:
        running = asyncio.create_task(self.engine.run())
        loop, ends_s = self.clocks.loop, hours * HOUR_S
        while loop.time() < ends_s:
            await asyncio.sleep(self.random.expovariate(1 / 1_200))
            self._strike()
            await asyncio.sleep(1)
            self._expect_states()
            if self.random.random() < 0.2:
                await self._look_now()
        running.cancel()
        await asyncio.wait({running})

    def _strike(self) -> None:
        since_s = self.clocks.loop.time()
        match self.random.randrange(8):
            case 0 | 1:
                self.clocks.block(seconds := self.random.choice((1.5, 8, 40, 600)))
                self._excuse(since_s, seconds)
            case 2:
                self.clocks.sleep(self.random.choice((5, 500, 50_000)))
                self._excuse(since_s, None)
            case 3:
                self.clocks.step(self.random.choice((3_600.1, -3_600.2, -86_400.3)))
            case 4:
                self.engine.command(Silence("c0", "me", 60 * NS_PER_S, "a test"))
                self.engine.command(Unsilence("c0", "me"))
            case 5:
                self.engine.command(Hold(None, "me", 60 * NS_PER_S, "a test"))
                self.engine.command(Release(None, "me"))
            case _:
                self.engine.wake(self.random.choice(list(self.scripts.values())).at)

    def _excuse(self, since_s: float, seconds: float | None) -> None:
        for script in self.scripts.values():
            long = seconds is None or seconds > max(1, script.spec.interval_ns / NS_PER_S / 2)
            script.stalled(since_s, long=long)

    def _expect_states(self) -> None:
        """S2, S4: what the looks have found is what is shown, for as long as it is not too old to be known."""
        for name, script in self.scripts.items():
            state = self.monitor.components[name].checks["look"].state
            lost = script.is_lost(self.clocks.loop.time())
            if lost and state is not CheckState.UNKNOWN:
                script.breaks("S4", f"{state}, and nothing has been found out since {script.known_s:.3f} s")
            condemned = script.fails >= script.spec.failure_threshold and lost is False
            if condemned and state is not CheckState.FAILED:
                script.breaks("S2", f"{state} after {script.fails} failures")
            if state is CheckState.FAILED and self.monitor.components[name].state is not ComponentState.DOWN:
                script.breaks("roll-up", "failed, and not down")
        if self.engine.last_round_age_s() > 1:
            self.broken.append(f"P1: no round for {self.engine.last_round_age_s():.3f} s")

    async def _look_now(self) -> None:
        """An operator's look comes back by the timeout of the slowest one, and one that was under way."""
        script = self.random.choice(list(self.scripts.values()))
        began_s, before = self.clocks.loop.time(), script.looks
        await self.engine.look_now(script.at.component)
        took_s = self.clocks.loop.time() - began_s
        if script.looks == before or took_s > 2 * (script.spec.timeout_ns / NS_PER_S + 1):
            script.breaks("probe", f"{script.looks - before} looks in {took_s:.1f} s")


def live(seed: int, hours: float) -> Life:
    """Lives so long; every broken promise is told."""
    loop = async_solipsism.EventLoop()
    try:
        life = Life(loop, seed)
        loop.run_until_complete(life.live(hours))
        assert asyncio.all_tasks(loop) == set()
    finally:
        loop.close()
    broken = life.broken + [words for script in life.scripts.values() for words in script.broken]
    assert broken == [], f"seed {seed}: {broken[:5]}"
    assert all(script.open_lookers == 0 for script in life.scripts.values())
    return life


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Checks that die are told in the log, thousands of times here."""
    caplog.set_level(logging.CRITICAL)


def run(seeds: range, hours: float, figures: Figures) -> None:
    lives = [live(seed, hours) for seed in seeds]
    for name in (EventName.COMPONENT_DOWN, EventName.COMPONENT_RECOVERED, EventName.MONITOR_STALLED):
        assert sum(life.told[name] for life in lives) > hours / 10
    looks = sum(script.looks for life in lives for script in life.scripts.values())
    figures("the engine on a virtual loop", hours=hours * len(lives), looks=looks)


def test_the_engine_keeps_its_promises_for_some_simulated_hours(figures: Figures) -> None:
    run(range(2), 3, figures)


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(8))
def test_the_engine_keeps_its_promises_for_a_thousand_simulated_hours(part: int, figures: Figures) -> None:
    run(range(100 + 5 * part, 105 + 5 * part), 26, figures)
