"""The show tells a recovery where there is one, whatever else is not well: a restart loop, what is paused."""

from lifesign.api.documents import Layers, State
from lifesign.core.model import Layer
from lifesign.demo.director import Director, Tempo
from lifesign.demo.scenario import Scenario
from tests.tui.documents import check, component, state

QUICK = Tempo(0.0, 0.0, 0.0, 0.5, 0.0)
LOOPS = component("worker", "degraded", diagnosis="crash loop: restarted 5 times within 10m")


class World:
    """What the watcher tells: mind as it is, and what else there is."""

    def __init__(self, *others: object, optional: bool = False, heals: bool = True) -> None:
        self.broken = False
        self._others, self._optional, self._heals = others, optional, heals

    def told(self) -> State:
        """Down while any that is not optional is."""
        failed = Layers(startable=None, alive=None, ready=None, working="failed")
        down = {"layers": failed, "checks": [check(state="failed")]} if self.broken else {}
        mind = component("mind", "down" if self.broken else "healthy", optional=self._optional, **down)
        whole = [mind, *self._others]
        is_down = any(one.state == "down" and not one.optional for one in whole)  # type: ignore[attr-defined]
        return state(whole, overall="down" if is_down else "degraded")  # type: ignore[arg-type]

    def scenario(self) -> Scenario:
        """It breaks, and is healed unless nothing heals it."""
        return Scenario(
            "it hangs", "it lives", "mind", Layer.WORKING, lambda: self._set(True), lambda: self._set(False)
        )

    def _set(self, broken: bool) -> None:
        self.broken = broken or not self._heals


async def played(world: World) -> tuple[bool, list[str]]:
    """Whether break and recovery were told, and the narration without its times."""
    lines: list[str] = []
    director = Director(None, world.told, lines.append, QUICK)  # type: ignore[arg-type]  # it has the scenario from us
    outcome = await director._play(world.scenario())
    return outcome.is_complete, [line.partition(" ")[2] for line in lines]


async def test_a_recovery_is_told_beside_a_restart_loop_which_is_told_too() -> None:
    complete, lines = await played(World(LOOPS, component("tools", "paused", checks=[check(state="pending")])))
    assert complete
    assert lines[-1].startswith("recovery told after ")
    assert lines[-1].endswith(", and worker is degraded: crash loop: restarted 5 times within 10m")


async def test_what_is_not_healed_has_not_recovered() -> None:
    complete, lines = await played(World(LOOPS, heals=False))
    assert not complete
    assert lines[-1] == "the recovery was not told"


async def test_what_is_not_well_before_it_is_broken_is_left_out() -> None:
    world = World()
    world.broken = True
    complete, lines = await played(world)
    assert not complete
    assert lines == ["it hangs: left out, for mind is not well before it is broken"]


async def test_an_optional_component_may_go_down_beside_another_that_is_down() -> None:
    down = component("orders", "down", checks=[check(state="failed")])
    assert (await played(World(down, optional=True)))[0]
