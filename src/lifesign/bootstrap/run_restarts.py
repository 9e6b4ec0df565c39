"""The restarts of one run of one round: `lifesign check --act`. The deed is the daemon's own (`restarting`).

A run decides, looks once more, writes its record down and acts; then it ends. Whether work has resumed is found by a
later run, from the record. What is told besides is stored with the record, or at the end of the run. Not here: when a
restart is due (`core.round_restarts`).
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

from lifesign.bootstrap.restarting import Restarting
from lifesign.bootstrap.run_memory import RunMemory
from lifesign.config import Config
from lifesign.core.effects import Effect, Look, Record, Restart
from lifesign.core.events import Event
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import CheckId
from lifesign.core.restart import Phase, Renewed, RestartReport
from lifesign.core.round_restarts import RoundRestarts
from lifesign.engine.clock import read_clocks
from lifesign.engine.looking import Looks
from lifesign.store.database import UnusableError

logger = logging.getLogger(__name__)


def restart(
    config: Config,
    held: Mapping[str, TrackedComponent],
    looked_at: Mapping[str, TrackedComponent],
    events: Sequence[Event],
    memory: RunMemory,
    looks: Looks,
) -> list[Event]:
    """Restarts what is due of `looked_at`, which are among `held`; what was told of restarts. Not within an event loop.

    `events`: what the round told.
    """
    if not any(component.governor is not None for component in looked_at.values()):
        return []
    return asyncio.run(_Run(config, held, looked_at, memory, looks).carry_out(events))


class _Run:
    """What `Restarting` needs of an engine, for one round."""

    def __init__(
        self,
        config: Config,
        held: Mapping[str, TrackedComponent],
        looked_at: Mapping[str, TrackedComponent],
        memory: RunMemory,
        looks: Looks,
    ) -> None:
        self._looked_at = looked_at
        self._memory = memory
        self._looks = looks
        self._untold: list[Event] = []
        self._told: list[Event] = []
        self._todo: list[Look] = []
        self._wanted: list[Restart] = []
        self.monitor = RoundRestarts(held, looked_at, memory.of_this_boot(), read_clocks())
        self._restarting = Restarting(config, self, config.monitor.name)
        self._restarting.attach(self)

    async def carry_out(self, events: Sequence[Event]) -> list[Event]:
        """Everything that is due, to its end."""
        try:
            await self._restarting.tell_budgets()
            await self._ask_managers()
            self._take(self.monitor.hear(events, read_clocks()))
            self._take(self.monitor.govern(read_clocks()))
            while self._todo or self._wanted:
                todo, self._todo = self._todo, []
                await asyncio.gather(*(self._look(look) for look in todo))
                wanted, self._wanted = self._wanted, []
                await asyncio.gather(*(self._restarting.carry_out(each) for each in wanted))
            self._write()
        finally:
            await self._restarting.close()
            self._looks.close()
        return [event for event in self._told if event.name.startswith("restart.")]

    async def _ask_managers(self) -> None:
        """Which process a restart of the run before has brought, where no check has seen it."""
        for name, component in self._looked_at.items():
            governor = component.governor
            if governor is None or governor.phase is not Phase.VERIFYING or governor.attempts.last.after is not None:
                continue
            identity = await self._restarting.current(name)
            if identity is not None:
                attempt = governor.attempts.last.number
                self._take(self.monitor.restart_reported(name, attempt, Renewed(identity), read_clocks()))

    def _take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Record():
                    self._untold.append(effect.event)
                    self._told.append(effect.event)
                case Look():
                    self._todo.append(effect)
                case Restart():
                    self._wanted.append(effect)

    async def _look(self, look: Look) -> None:
        found = await self._looks.look(look.check)
        self._take(self.monitor.observe(look, found, read_clocks()))

    async def look_now(self, component: str, names: Collection[str]) -> None:
        """Looks at these checks of `component` once more."""
        begun = [self.monitor.look(CheckId(component, name), read_clocks()) for name in names]
        await asyncio.gather(*(self._look(look) for look in begun if look is not None))

    def restarted(self, wanted: Restart, report: RestartReport) -> None:
        """Takes what came of a restart."""
        self._take(self.monitor.restart_reported(wanted.component, wanted.attempt, report, read_clocks()))

    async def secure(self, component: str) -> bool:  # noqa: ARG002 - all of the run is written in one go
        """Writes the record down, with what was told so far; whether it survives us."""
        return self._write()

    def _write(self) -> bool:
        try:
            with self._memory.ours() as database:
                if database is None:
                    return False
                self._memory.write(database, self._untold, self._looked_at, read_clocks())
        except (OSError, UnusableError) as error:
            logger.warning("lifesign: warning: %s", error)
            return False
        self._untold = []
        return True
