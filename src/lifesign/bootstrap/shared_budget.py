"""The budget that this monitor shares with others (reliability.md, R14): spent before a deed, told to the governors.

One ledger a target, whatever each monitor calls its component. Not here: the ledger's file (`restarts.ledger`), and
what its figures lead to (`core.budget`).
"""

import asyncio
import logging
from collections.abc import Mapping

from lifesign.bootstrap.restarters import ledger_folder, ledger_key
from lifesign.config import ComponentConfig
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import NS_PER_S
from lifesign.engine.clock import read_clocks
from lifesign.restarts.ledger import Ledger, LedgerError
from lifesign.restarts.restarter import HandsOffError

READ_EVERY_S = 5.0

logger = logging.getLogger(__name__)


class SharedBudget:
    """The ledgers of the components that may be restarted. Called on the event loop; files are read beside it."""

    def __init__(self, monitor_name: str) -> None:
        self._monitor_name = monitor_name
        self._ledgers: dict[str, tuple[str, Ledger]] = {}
        self._troubled: set[str] = set()

    def follow(self, components: Mapping[str, ComponentConfig]) -> None:
        """The ledgers of these from now on."""
        keys = {name: ledger_key(c) for name, c in components.items() if c.restart is not None}
        known = {name: held for name, held in self._ledgers.items() if keys.get(name) == held[0]}
        made = {name: (key, self._ledger(key)) for name, key in keys.items() if name not in known}
        self._ledgers = known | made

    def _ledger(self, key: str) -> Ledger:
        return Ledger(key, monitor=self._monitor_name, folder=ledger_folder())

    async def tell(self, components: Mapping[str, TrackedComponent]) -> None:
        """Tells them what has changed since it was told last."""
        ledgers = {name: ledger for name, (_, ledger) in self._ledgers.items()}
        for name, moments_ns in (await asyncio.to_thread(self._read, ledgers)).items():
            tracked = components.get(name)
            if tracked is not None and tracked.governor is not None:
                tracked.governor.budget.share(moments_ns)
                tracked.revision += 1

    def _read(self, ledgers: Mapping[str, Ledger]) -> dict[str, tuple[int, ...]]:
        found, now_boot_ns = {}, read_clocks().boot_ns
        for name, ledger in ledgers.items():
            try:
                moments_ns = ledger.moments(now_boot_ns)
            except LedgerError as error:  # no restart is made while it is so
                if name not in self._troubled:
                    logger.warning("lifesign: warning: %s", error)
                self._troubled.add(name)
                continue
            self._troubled.discard(name)
            if moments_ns is not None:
                found[name] = moments_ns
        return found

    async def spend(self, component: ComponentConfig) -> int | None:
        """Writes one restart down; when, on the clock that counts a suspend. Raises HandsOffError; None: needs none."""
        spec = component.spec.restart
        if spec is None:
            return None
        ledger, now_boot_ns = self._ledger(ledger_key(component)), read_clocks().boot_ns
        try:
            done = await asyncio.to_thread(ledger.spend, spec.max_restarts, spec.window_ns / NS_PER_S, now_boot_ns)
        except LedgerError as error:
            raise HandsOffError(str(error)) from error
        if not done:
            raise HandsOffError("the monitors of this host have spent the budget of its restarts together")
        return now_boot_ns

    async def withdraw(self, component: ComponentConfig, spent_boot_ns: int) -> None:
        """The restart that was written for then was not made."""
        ledger = self._ledger(ledger_key(component))
        try:
            await asyncio.to_thread(ledger.withdraw, spent_boot_ns, read_clocks().boot_ns)
        except LedgerError as error:  # it stays spent
            logger.warning("lifesign: warning: %s", error)
