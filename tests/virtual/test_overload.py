"""More looks than the machine can do: each is late, none is lost.

A queue that holds the look that was given up beside the one that took its place does work that nobody wants, falls
back further by it, and never recovers, however idle the machine is by then.
"""

import asyncio

import async_solipsism
import pytest

from lifesign.core.model import NS_PER_S, CheckId, Layer, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from lifesign.engine.engine import Engine
from lifesign.engine.looking import Looks
from tests.virtual.scripts import START, Clocks

CHECKS = 100
SPEC = CheckSpec(name="look", type="tcp", layer=Layer.READY, interval_ns=NS_PER_S, timeout_ns=NS_PER_S // 2)


class Laborious:
    """A look that keeps the loop for `costs_s`."""

    costs_s = 0.05  # five seconds of work in every second

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    def look_at_once(self, now_wall_ns: int) -> Observation:
        self._clocks.block(self.costs_s)
        return Observation(Verdict.OK, "")

    async def look(self, now_wall_ns: int) -> Observation:
        return self.look_at_once(now_wall_ns)

    def close(self) -> None:
        """Nothing is held."""


def unseen_for_s(engine: Engine, clocks: Clocks) -> float:
    """For how long the check that waits longest has had no answer that counts, in seconds."""
    seen = [component.checks[0].last_at_wall_ns or START.wall_ns for component in engine.view().components]
    return (clocks().wall_ns - min(seen)) / NS_PER_S


async def overloaded(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> tuple[float, float]:
    """How long a check is unseen at most, after a minute of five times too much work and a minute of little."""
    ids = [CheckId(f"c{number}", "look") for number in range(CHECKS)]
    components = tuple(ComponentSpec(check.component, (SPEC,)) for check in ids)
    monitor = Monitor(MonitorSpec(components, seed=1), START)
    looks = Looks(
        {check: lambda: Laborious(clocks) for check in ids}, dict.fromkeys(ids, SPEC.timeout_ns), clocks=clocks
    )
    engine = Engine(monitor, looks, record=lambda _: None, clocks=clocks)
    running = asyncio.create_task(engine.run())
    await asyncio.sleep(60)
    busy_s = unseen_for_s(engine, clocks)
    monkeypatch.setattr(Laborious, "costs_s", 0.001)
    await asyncio.sleep(60)
    idle_s = unseen_for_s(engine, clocks)
    running.cancel()
    await asyncio.wait([running])
    return busy_s, idle_s


def test_with_five_times_too_much_to_do_every_look_is_late_none_is_lost_and_all_is_well_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = async_solipsism.EventLoop()
    try:
        busy_s, idle_s = loop.run_until_complete(overloaded(Clocks(loop), monkeypatch))
    finally:
        loop.close()
    assert busy_s < 3 * CHECKS * 0.05
    assert idle_s < 2
