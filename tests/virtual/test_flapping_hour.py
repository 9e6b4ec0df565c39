"""One hour of a component that flips every second, on the engine's own code: nothing grows, nothing is restarted."""

import asyncio
import gc
import tracemalloc
from random import Random

import async_solipsism
import pytest

from lifesign.core.effects import Restart
from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, CheckId, Layer, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, RestartSpec
from lifesign.engine.engine import Engine
from lifesign.engine.looking import Looks
from tests.figures import Figures
from tests.virtual.scripts import START, Clocks

FLAP_CHANGES = CheckSpec("port", "tcp", Layer.READY).flap_changes
HOUR_S, WARM_S = 3_600, 900
MOST_GROWTH_BYTES = 100_000  # the lists and figures of one component
PORT = CheckId("gateway", "port")


class Flipping:
    """Well in one second, refused in the next; each look takes its time, so that an end finds some under way."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self.flips = 0
        self._was_well = True

    async def look(self, now_wall_ns: int) -> Observation:
        """One look."""
        well = int(self._clocks.loop.time()) % 2 == 0
        self.flips += well is not self._was_well
        self._was_well = well
        await asyncio.sleep(0.05)
        return Observation(Verdict.OK if well else Verdict.FAIL, "" if well else "refused")

    def close(self) -> None:
        """Nothing is held open."""


class Flap:
    """An engine over one flipping component whose restart is automatic."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int = 0) -> None:
        self.clocks = Clocks(loop)
        self.target = Flipping(self.clocks)
        self.told = dict.fromkeys(EventName, 0)
        self.restarts: list[Restart] = []
        self.downs_before_flapping = 0
        second_ns = NS_PER_S
        port = CheckSpec("port", "tcp", Layer.READY, interval_ns=second_ns, timeout_ns=second_ns,
                         failure_threshold=1, success_threshold=1, grace_ns=0)  # fmt: skip
        restart = RestartSpec("command", automatic=True, after_ns=second_ns)
        spec = MonitorSpec((ComponentSpec("gateway", (port,), restart=restart),), seed=seed)
        self.monitor = Monitor(spec, START)
        looks = Looks({PORT: lambda: self.target}, {PORT: second_ns}, clocks=self.clocks)
        self.engine = Engine(self.monitor, looks, record=self._record, restart=self.restarts.append, clocks=self.clocks)

    def _record(self, event: Event) -> None:
        self.told[event.name] += 1
        if event.name is EventName.COMPONENT_FLAPPING:
            self.downs_before_flapping = self.told[EventName.COMPONENT_DOWN]

    async def live(self, seconds: float) -> int:
        """So long; how much memory was taken after the warm-up, in bytes."""
        running = asyncio.create_task(self.engine.run())
        await asyncio.sleep(min(WARM_S, seconds / 2))
        before = _held_bytes()
        await asyncio.sleep(seconds - min(WARM_S, seconds / 2))
        grown = _held_bytes() - before
        running.cancel()
        await asyncio.wait({running})
        return grown


def _held_bytes() -> int:
    if not tracemalloc.is_tracing():
        return 0
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def flap(seconds: float, seed: int = 0) -> tuple[Flap, int]:
    """A flapping component for so long."""
    loop = async_solipsism.EventLoop()
    try:
        one = Flap(loop, seed)
        grown = loop.run_until_complete(one.live(seconds))
        assert asyncio.all_tasks(loop) == set()
        return one, grown
    finally:
        loop.close()


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(900)
def test_an_hour_of_one_flip_a_second_takes_no_memory_leaves_one_incident_and_restarts_nothing(
    figures: Figures,
) -> None:
    tracemalloc.start()
    try:
        one, grown = flap(HOUR_S)
    finally:
        tracemalloc.stop()
    figures("a flapping hour", flips=one.target.flips, grown_bytes=grown)
    assert one.target.flips >= HOUR_S - 2
    assert grown < MOST_GROWTH_BYTES
    assert one.told[EventName.COMPONENT_FLAPPING] == 1
    assert one.told[EventName.COMPONENT_DOWN] - one.told[EventName.COMPONENT_RECOVERED] == 1
    assert one.told[EventName.COMPONENT_DOWN] == one.downs_before_flapping <= FLAP_CHANGES / 2
    assert one.restarts == []
    assert one.monitor.components["gateway"].flapping


def test_a_flapping_component_is_left_at_any_moment_with_nothing_under_way() -> None:
    chance = Random(5)
    for seed in range(12):
        one, _ = flap(chance.uniform(1, 60), seed)
        assert one.restarts == []
        assert one.told[EventName.COMPONENT_DOWN] <= FLAP_CHANGES / 2
