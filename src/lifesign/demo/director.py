"""The show: breaks one thing after the other, waits until the watcher tells it, heals it, waits for the recovery.

It judges nothing itself: what it reports is what the state document says and when it began to say so. Not here:
where that document comes from, and how a line of narration is shown.
"""

import asyncio
import time
from collections.abc import Callable

from lifesign.api.documents import Component, State
from lifesign.demo.scenario import Scenario
from lifesign.demo.stack import DemoStack
from lifesign.records import dataclass
from lifesign.tui.words import standing

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario as it was told. Seconds since the break and since the heal; None where it was not told."""

    title: str
    component: str
    told_s: float | None
    words: str
    recovered_s: float | None

    @property
    def is_complete(self) -> bool:
        """Whether both were told."""
        return self.told_s is not None and self.recovered_s is not None


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds: how long a broken thing stays so once told, the rest between two scenarios, the longest wait."""

    hold_s: float = 0.5
    rest_s: float = 0.2
    round_rest_s: float = (
        5.0  # so that the end of one round and the start of the next do not look like one common cause
    )
    patience_s: float = 20.0
    expected_s: float = 9.0  # what one scenario takes at most, as a rule: a further one is begun only if it fits


class Director:
    """Directs one stack. `read_state` may block for seconds; `narrate` gets whole lines."""

    def __init__(
        self,
        stack: DemoStack,
        read_state: Callable[[], State | None],
        narrate: Callable[[str], None],
        tempo: Tempo | None = None,
    ) -> None:
        self._stack = stack
        self._read_state = read_state
        self._narrate = narrate
        self._tempo = tempo or Tempo()
        self._began = time.monotonic()
        self.outcomes: list[Outcome] = []

    async def run(self, duration_s: float | None) -> bool:
        """Plays every scenario once, or again and again for `duration_s`; whether the stack was seen healthy at first.

        A scenario that would not end in time is not begun.
        """
        ends = self._began + duration_s if duration_s is not None else None
        self._say("the stack starts")
        if await self._until(lambda state: state.overall == "healthy", self._tempo.patience_s) is None:
            self._say("the stack was never seen healthy")
            return False
        self._say("everything works")
        while True:
            for scenario in self._stack.scenarios():
                if ends is not None and time.monotonic() + self._tempo.expected_s > ends:
                    return True
                self.outcomes.append(await self._play(scenario))
            if ends is None:
                return True
            await asyncio.sleep(self._tempo.round_rest_s)

    async def _play(self, scenario: Scenario) -> Outcome:
        before = await self._until(lambda state: _is_well(_component(state, scenario)), self._tempo.patience_s)
        if before is None:
            self._say(f"{scenario.title}: left out, for {scenario.component} is not well before it is broken")
            return Outcome(scenario.title, scenario.component, None, "", None)
        self._say(f"{scenario.title}: {scenario.expect}")
        broke = time.monotonic()
        await asyncio.to_thread(scenario.break_it)
        patience_s = max(self._tempo.patience_s, scenario.patience_s or 0.0)
        told = await self._until(lambda state: _tells(state, scenario), patience_s)
        told_s = time.monotonic() - broke if told else None
        words = _words(_component(told, scenario)) if told else ""
        self._say(f"told after {told_s:.1f} s: {scenario.component} is {words}" if told else "it was not told")
        await asyncio.sleep(self._tempo.hold_s)
        healed = time.monotonic()
        await asyncio.to_thread(scenario.heal_it)
        self._say("left to lifesign" if scenario.cured else "healed")
        well = await self._until(lambda state: _is_as_well_as(before, state), self._tempo.patience_s)
        recovered_s = time.monotonic() - healed if well else None
        self._say(f"recovery told after {recovered_s:.1f} s{_yet(well)}" if well else "the recovery was not told")
        await asyncio.sleep(self._tempo.rest_s)
        return Outcome(scenario.title, scenario.component, told_s, words, recovered_s)

    async def _until(self, holds: Callable[[State], bool], patience_s: float) -> State | None:
        """The first state for which `holds`, None once patience is over."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            state = await asyncio.to_thread(self._read_state)
            if state is not None and holds(state):
                return state
            await asyncio.sleep(_POLL_S)
        return None

    def _say(self, words: str) -> None:
        elapsed = int(time.monotonic() - self._began)
        self._narrate(f"{elapsed // 60}:{elapsed % 60:02} {words}")


def _component(state: State, scenario: Scenario) -> Component:
    return next(component for component in state.components if component.name == scenario.component)


def _is_well(component: Component) -> bool:
    """Whether it works by every check. It may be degraded all the same: who restarts time and again is in a loop."""
    return component.state in {"healthy", "degraded"} and all(check.state == "passing" for check in component.checks)


def _is_as_well_as(before: State, state: State) -> bool:
    """Whether all are well again that were so before. What an operator has paused or broken meanwhile is theirs."""
    were_well = {component.name for component in before.components if _is_well(component)}
    return all(_is_well(component) for component in state.components if component.name in were_well)


def _yet(state: State) -> str:
    """What is still to be said of those that are well: `, and mind is degraded: it restarts time and again`."""
    still = [one for one in state.components if _is_well(one) and one.state == "degraded"]
    return "".join(f", and {one.name} is {standing(one.state, one.diagnosis)}" for one in still)


def _words(component: Component) -> str:
    """Why, and of what lifesign may restart also what comes next."""
    return component.diagnosis if component.restart is None else f"{component.diagnosis} → {component.next}"


def _tells(state: State, scenario: Scenario) -> bool:
    """Down by the right layer; and an optional component must not turn the whole down."""
    component = _component(state, scenario)
    is_told = component.state == "down" and getattr(component.layers, scenario.layer) == "failed"
    others_are_down = any(one.state == "down" and not one.optional for one in state.components)
    is_overrated = component.optional and state.overall == "down" and not others_are_down
    return is_told and scenario.tells(component) and not is_overrated
