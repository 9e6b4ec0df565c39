"""Answers that many ask for: made seldom, in slices, and never at odds with themselves."""

import asyncio

from lifesign.api.journal import Journal
from lifesign.api.service import Service
from lifesign.core.model import ComponentState as S
from tests.api.fakes import FakeBackend, component, monitor


async def test_a_hundred_health_checks_at_once_cost_one_glance() -> None:
    backend = FakeBackend()
    service = Service(backend, Journal())
    for _ in range(100):
        overall, components = service.status()
    assert (overall, [c.name for c in components], backend.glances) == (S.HEALTHY, ["gateway"], 1)


async def test_a_health_check_never_tells_an_old_state() -> None:
    backend = FakeBackend()
    service = Service(backend, Journal())
    service.status()
    backend.shown = monitor(component("gateway", S.DOWN), overall=S.DOWN)
    overall, components = service.status()
    assert (overall, components[0].state) == (S.DOWN, "down")


async def test_what_changes_while_the_state_is_made_stands_in_it_as_it_is_at_the_end() -> None:
    names = [f"c{number}" for number in range(400)]
    backend = FakeBackend(shown=monitor(*(component(name) for name in names)))
    making = asyncio.create_task(Service(backend, Journal()).state())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not making.done()
    down = [component(name, S.DOWN) if name in ("c0", "c399") else component(name) for name in names[:-1]]
    backend.shown = monitor(*down, component("new"), overall=S.DOWN)
    state = await making
    assert state.overall == "down"
    assert [c.name for c in state.components] == [*names[:-1], "new"]
    assert [c.name for c in state.components if c.state == "down"] == ["c0"]
    assert (state.counts.down, state.counts.healthy) == (1, 399)
