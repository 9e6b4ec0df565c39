"""The restarts of one round: the governors of all components, which only the memory ties to the run before.

They decide as in a daemon, by what the round has found and one last look; a restart is asked for and reported in the
same run, and verified by a later one. Everything is called with readings of the clocks in order. Not here: the looks
of the round (`rounds`), and the deed.
"""

from collections.abc import Collection, Iterable, Mapping

from lifesign.core.common_cause import CommonCause
from lifesign.core.effects import Effect, Look, Record
from lifesign.core.events import Event, EventName
from lifesign.core.governing import Governing
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import ComponentMemory
from lifesign.core.model import NS_PER_S, CheckId, Instant, Observation
from lifesign.core.restart import RestartReport

_SLEW = 1000  # a wall clock that is put right gently gains or loses less than this part of the time


class RoundRestarts:
    """`components`: every one of the config; `looked_at`: the names of those that the round was about."""

    def __init__(
        self, components: Mapping[str, TrackedComponent], looked_at: Collection[str], known: Iterable[ComponentMemory],
        now: Instant,
    ) -> None:  # fmt: skip
        self.components = components
        self._looked_at = [name for name in components if name in looked_at]
        self._common = CommonCause(now.mono_ns)
        self._governing = Governing(components, self._common, now)
        for memory in known:
            slept, stepped = _since(memory, now)
            self._governing.distrust(now, stalled=slept, jumped=stepped)

    def hear(self, events: Iterable[Event], now: Instant) -> list[Effect]:
        """What the round told of; what follows of so many going down at once."""
        told: list[Event] = []
        for event in events:
            if event.component is not None and event.name is EventName.COMPONENT_DOWN:
                told += self._common.went_down(event.component, len(self.components), now)
            elif event.component is not None and event.name is EventName.COMPONENT_RECOVERED:
                self._common.recovered(event.component, now.mono_ns)
        return [Record(event) for event in told]

    def govern(self, now: Instant) -> list[Effect]:
        """Shows every component of the round to its governor: what is to be done."""
        effects: list[Effect] = []
        for name in self._looked_at:
            effects += self._govern(self.components[name], now)
        return effects

    def _govern(self, component: TrackedComponent, now: Instant) -> list[Effect]:
        """Once more where a last look is wanted that was made just now: no later moment comes in this run."""
        effects = self._governing.govern(component, now)
        governor = component.governor
        if governor is not None and governor.asked_ns is not None:
            effects += self._governing.govern(component, now)
        return effects

    def look(self, check: CheckId, now: Instant) -> Look | None:
        """Begins a look; None while one is under way."""
        schedule = self.components[check.component].checks[check.check].schedule
        return Look(check, schedule.run) if schedule.wake(now.mono_ns) else None

    def observe(self, look: Look, observation: Observation, now: Instant) -> list[Effect]:
        """Takes what a look found that was asked for."""
        component = self.components[look.check.component]
        check = component.checks[look.check.check]
        began_ns = check.schedule.begun(look.run, now.mono_ns)
        if began_ns is None:
            return []
        events: list[Event] = []
        if observation.identity is not None:
            events += component.see_identity(check, observation.identity, now)
        check.observe(observation, now, began_ns)
        again = [Look(check.id, check.schedule.run)] if check.schedule.finish(look.run, now.mono_ns) else []
        return [*map(Record, events), *again, *self._refresh(component, now)]

    def restart_reported(self, name: str, attempt: int, report: RestartReport, now: Instant) -> list[Effect]:
        """Takes what came of a restart that was asked for, now or by the run before."""
        component = self.components[name]
        return [*self._governing.report(component, attempt, report, now), *self._refresh(component, now)]

    def doubt(self, component: str, attempt: int, now: Instant) -> str:
        """Why the restart that is about to be made should not be made after all; empty if it should."""
        return self._governing.doubt(self.components[component], attempt, now)

    def suppressed_by(self, component: TrackedComponent) -> str | None:
        """The dependency that is down, if one is."""
        return self._governing.suppressed_by(component)

    def _refresh(self, component: TrackedComponent, now: Instant) -> list[Effect]:
        events = component.refresh(now)
        return [*map(Record, events), *self.hear(events, now), *self._govern(component, now)]


def _since(memory: ComponentMemory, now: Instant) -> tuple[bool, bool]:
    """Whether the machine slept since `memory` was taken in this boot, and whether its wall clock was stepped."""
    mono_ns, boot_ns = now.mono_ns - memory.taken_mono_ns, now.boot_ns - memory.taken_boot_ns
    if mono_ns < 0 or boot_ns < 0:
        return False, False
    step_ns = now.wall_ns - memory.taken_wall_ns - boot_ns
    return boot_ns - mono_ns > NS_PER_S, abs(step_ns) > max(NS_PER_S, boot_ns // _SLEW)
