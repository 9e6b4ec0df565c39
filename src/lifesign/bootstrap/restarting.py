"""Carrying out restarts: the core has decided, here it is done, and what came of it is reported back.

The order is the promise (reliability.md, R4, R10, R11, R12, R14): the manager is asked and the process proven; the
record is written down; the checks that failed are looked at once more; the budget that all monitors share is spent;
then the restarter proves the process again and acts. Whatever goes wrong before the deed means hands off. Not here:
whether and when (`core.governor`), and how each method acts (`restarts`).
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from lifesign.bootstrap.restarters import matcher_for, restarter_for
from lifesign.bootstrap.shared_budget import READ_EVERY_S, SharedBudget
from lifesign.config import ComponentConfig, Config
from lifesign.core.effects import Restart
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import CheckState, Identity, Instant
from lifesign.core.restart import Failed, Phase, Renewed, RestartReport, Sent, Withheld
from lifesign.engine.clock import read_clocks
from lifesign.restarts.restarter import HandsOffError, Hint, Restarter, RestartFailedError, Target
from lifesign.text import clean

ASK_TIMEOUT_S = 30.0  # a manager that does not answer
DEED_TIMEOUT_S = 600.0  # a stop may take minutes; each method has shorter deadlines of its own
CURRENT_EVERY_S = 1.0

logger = logging.getLogger(__name__)


class Record(Protocol):
    """Where it is written down before it is done."""

    async def secure(self, component: str) -> bool:
        """Writes down what is held of `component` now; whether that survives us."""
        ...


class Deciding(Protocol):
    """Who holds the governors."""

    @property
    def components(self) -> Mapping[str, TrackedComponent]:
        """Every component, by its name."""
        ...

    def doubt(self, component: str, attempt: int, now: Instant) -> str:
        """Why the restart `attempt` should not be made after all; empty if it should."""
        ...


class Watching(Protocol):
    """Who looks, and takes what came of a restart: an engine, or a run of one round."""

    @property
    def monitor(self) -> Deciding:
        """Who has decided."""
        ...

    async def look_now(self, component: str, names: Collection[str]) -> None:
        """Looks at these checks of `component` once more."""
        ...

    def restarted(self, wanted: Restart, report: RestartReport) -> None:
        """Takes what came of `wanted`."""
        ...


class Restarting:
    """The restarts of one monitor, at most one of a component at a time. Everything is called on its event loop."""

    def __init__(self, config: Config, record: Record, monitor_name: str) -> None:
        self._record = record
        self._budget = SharedBudget(monitor_name)
        self._engine: Watching | None = None
        self._components: dict[str, ComponentConfig] = {}
        self._restarters: dict[str, Restarter] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._outdated: set[str] = set()
        self.follow(config)

    def attach(self, engine: Watching) -> None:
        """Reports to `engine` from now on."""
        self._engine = engine

    def follow(self, config: Config) -> None:
        """Restarts as `config` says. One that is under way ends as it began."""
        before = self._components
        self._components = {component.spec.name: component for component in config.components}
        self._budget.follow(self._components)
        for name in [*self._restarters]:
            held, wanted = before.get(name), self._components.get(name)
            if held is None or wanted is None or held.restart != wanted.restart:
                self._outdated.add(name)
                self._drop_outdated(name)

    def _drop_outdated(self, name: str) -> None:
        """The next restart of it is made by a restarter of the present config; one under way keeps its own."""
        if name in self._outdated and name not in self._tasks:
            self._outdated.discard(name)
            restarter = self._restarters.pop(name, None)
            if restarter is not None:
                restarter.close()

    def begin(self, wanted: Restart) -> None:
        """Carries out what the core asks for, beside everything else."""
        task = asyncio.create_task(self._carry_out(wanted), name=f"restart {wanted.component}")
        self._tasks[wanted.component] = task
        task.add_done_callback(lambda done: self._ended(wanted.component, done))

    def _ended(self, component: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(component) is task:
            del self._tasks[component]
            self._drop_outdated(component)

    async def close(self) -> None:
        """Ends what is under way: the next monitor takes it for sent, and verifies it."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for restarter in self._restarters.values():
            restarter.close()

    async def run(self) -> None:
        """Keeps the governors told of the budget that they share with others, until cancelled."""
        assert self._engine is not None
        while True:
            await self.tell_budgets()
            await asyncio.sleep(READ_EVERY_S)

    async def carry_out(self, wanted: Restart) -> None:
        """One restart up to its deed; nobody waits for the new process."""
        assert self._engine is not None
        self._engine.restarted(wanted, await self._report(wanted))

    async def tell_budgets(self) -> None:
        """Tells the governors once what is spent of the budget that they share with others."""
        assert self._engine is not None
        await self._budget.tell(self._engine.monitor.components)

    async def current(self, name: str) -> Identity | None:
        """The process behind the component as its manager sees it now, where the method can tell."""
        component = self._components.get(name)
        restarter = self._restarter(component) if component is not None else None
        if restarter is None:
            return None
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                return await restarter.current()
        except Exception:  # the adapter's border: the checks still see the process
            logger.exception("the manager of %s cannot be asked for its process", name)
            return None

    async def _carry_out(self, wanted: Restart) -> None:
        assert self._engine is not None
        report = await self._report(wanted)
        self._engine.restarted(wanted, report)
        if isinstance(report, Sent):
            await self._await_renewal(wanted, report.identity)

    async def _report(self, wanted: Restart) -> RestartReport:
        try:
            target = await self._find(wanted)
            await self._write_down(wanted)
            await self._look_again(wanted)
            spent_boot_ns = await self._spend(wanted)
        except HandsOffError as error:
            return Withheld(clean(str(error), 300))
        except TimeoutError:
            return Withheld(f"whom it would hit was not found out within {ASK_TIMEOUT_S:g} s")
        except Exception as error:  # the adapter's border: nothing was done yet, and nothing will be
            logger.exception("a restart of %s could not be prepared", wanted.component)
            return Withheld(clean(f"lifesign itself failed: {type(error).__name__}: {error}", 300))
        report = await self._send(wanted, target)
        await self._withdraw(wanted, spent_boot_ns, report)
        return report

    async def _find(self, wanted: Restart) -> Target:
        component = self._components.get(wanted.component)
        restarter = self._restarter(component) if component is not None else None
        if component is None or restarter is None:
            raise HandsOffError("its config has no restart any more")
        async with asyncio.timeout(ASK_TIMEOUT_S):
            heartbeat = _heartbeat_of(component, wanted.identity)
            hint = Hint(wanted.identity, heartbeat, await matcher_for(component))
            return await restarter.target(hint)

    def _restarter(self, component: ComponentConfig) -> Restarter | None:
        name = component.spec.name
        if name in self._outdated:  # one before it is still followed, by a restarter of the config before
            self._outdated.discard(name)
            del self._restarters[name]
        if name not in self._restarters:
            made = restarter_for(component)
            if made is None:
                return None
            self._restarters[name] = made
        return self._restarters[name]

    async def _write_down(self, wanted: Restart) -> None:
        """R4, R12. An operator's restart does without, where the disk is full."""
        if not await self._record.secure(wanted.component) and wanted.automatic:
            raise HandsOffError("it cannot be written down first, so it is not done")

    async def _look_again(self, wanted: Restart) -> None:
        assert self._engine is not None
        tracked = self._engine.monitor.components.get(wanted.component)
        if wanted.automatic and tracked is not None:
            names = [name for name, check in tracked.checks.items() if check.state is CheckState.FAILED]
            await self._engine.look_now(wanted.component, names)
        doubt = self._engine.monitor.doubt(wanted.component, wanted.attempt, read_clocks())
        if doubt:
            raise HandsOffError(doubt)

    async def _spend(self, wanted: Restart) -> int | None:
        """R14: the budget of all monitors of this user on this host. When it was spent; None for an operator's."""
        component = self._components.get(wanted.component)
        return await self._budget.spend(component) if wanted.automatic and component is not None else None

    async def _withdraw(self, wanted: Restart, spent_boot_ns: int | None, report: RestartReport) -> None:
        """What was spent for nothing is given back, and the governor is told what is left."""
        assert self._engine is not None
        component = self._components.get(wanted.component)
        if isinstance(report, Withheld) and spent_boot_ns is not None and component is not None:
            await self._budget.withdraw(component, spent_boot_ns)
        await self._budget.tell(self._engine.monitor.components)

    async def _send(self, wanted: Restart, target: Target) -> RestartReport:
        restarter = self._restarters[wanted.component]
        try:
            async with asyncio.timeout(DEED_TIMEOUT_S):
                words = await restarter.send(target)
        except HandsOffError as error:
            return Withheld(clean(str(error), 300))
        except RestartFailedError as error:
            return Failed(clean(str(error), 300))
        except TimeoutError:
            return Failed(f"it did not end within {DEED_TIMEOUT_S:g} s")
        except Exception as error:  # the adapter's border: nobody knows what was done
            logger.exception("the restart of %s failed", wanted.component)
            return Failed(clean(f"lifesign itself failed: {type(error).__name__}: {error}", 300))
        return Sent(clean(words, 300), target.identity)

    async def _await_renewal(self, wanted: Restart, before: Identity | None) -> None:
        """Asks the manager for the new process, until somebody has seen it or it is too late."""
        assert self._engine is not None
        restarter = self._restarters[wanted.component]
        while self._is_awaited(wanted):
            try:
                async with asyncio.timeout(ASK_TIMEOUT_S):
                    identity = await restarter.current()
            except Exception:  # the adapter's border: the checks still see the process
                logger.exception("the manager of %s cannot be asked for its process", wanted.component)
                return
            if identity is not None and identity != before:
                self._engine.restarted(wanted, Renewed(identity))
            await asyncio.sleep(CURRENT_EVERY_S)

    def _is_awaited(self, wanted: Restart) -> bool:
        assert self._engine is not None
        tracked = self._engine.monitor.components.get(wanted.component)
        governor = tracked.governor if tracked is not None else None
        if governor is None or governor.phase is not Phase.VERIFYING:
            return False
        attempt = governor.attempts.last
        return attempt.number == wanted.attempt and attempt.after is None


def _heartbeat_of(component: ComponentConfig, identity: Identity | None) -> Path | None:
    """The file that the pid came from, or must come from, where no process check tells it."""
    if identity is not None and any(check.spec.type == "process" for check in component.checks):
        return None
    for check in component.checks:
        if check.spec.type == "heartbeat":
            return getattr(check.options, "path", None)
    return None
