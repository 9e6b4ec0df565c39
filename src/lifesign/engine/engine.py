"""The engine: it carries time and answers to the core, and carries out what the core asks for.

A round is one call of `Monitor.tick` with its effects begun. `last_round_age_s` tells how long ago
one was finished: it is the proof, for the API and for systemd, that the scheduler does its work.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from lifesign.core.effects import Effect, Look, Record
from lifesign.core.events import Event
from lifesign.core.model import NS_PER_S, CheckId
from lifesign.core.monitor import LookNow, Monitor
from lifesign.core.observer import TICK_NS
from lifesign.core.view import MonitorView
from lifesign.engine.clock import read_clocks
from lifesign.engine.files import FileSweep
from lifesign.engine.looking import Looks

logger = logging.getLogger(__name__)


class Engine:
    """Runs one monitor. Everything is called on one event loop."""

    def __init__(
        self,
        monitor: Monitor,
        looks: Looks,
        *,
        record: Callable[[Event], None],
        after_round: Callable[[], None] = lambda: None,
    ) -> None:
        self.monitor = monitor
        self._looks = looks
        self._record = record
        self._after_round = after_round
        self._group = asyncio.TaskGroup()
        self._running: dict[CheckId, asyncio.Task[None]] = {}
        self._waiting: dict[CheckId, list[asyncio.Future[None]]] = {}
        self._nudged = asyncio.Event()
        self._round_ended_ns = read_clocks().mono_ns
        self.loop_lag_ms = 0.0

    async def run(self, sweep: FileSweep | None = None) -> None:
        """Runs until cancelled; then ends every look and closes every check."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._rounds())
                if sweep is not None:
                    group.create_task(sweep.run())
        finally:
            self._forget_waiters()
            self._looks.close()

    async def look_once(self) -> None:
        """One round of every check, each once, then nothing: for `lifesign check`."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._carry_out(self.monitor.command(LookNow(), read_clocks()))
            while self._running:
                await asyncio.wait(self._running.values(), timeout=TICK_NS / NS_PER_S)
                self._carry_out(self.monitor.attend(read_clocks()))
        self._looks.close()

    async def _rounds(self) -> None:
        while True:
            self._carry_out(self.monitor.tick(read_clocks()))
            self._round_ended_ns = read_clocks().mono_ns
            self._after_round()
            await self._sleep_until(self.monitor.deadline())

    async def _sleep_until(self, deadline_ns: int) -> None:
        delay_ns = deadline_ns - read_clocks().mono_ns
        self._nudged.clear()
        if delay_ns <= 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_ns / NS_PER_S):
                await self._nudged.wait()
                return
        self.loop_lag_ms = max(0, read_clocks().mono_ns - deadline_ns) / 1_000_000

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Look():
                    self._begin(effect)
                case Record():
                    self._tell(effect.event)

    def _tell(self, event: Event) -> None:
        try:
            self._record(event)
        except Exception:  # the border to journal and log: neither may stop the watch
            logger.exception("the event %s could not be recorded", event.name)

    def _begin(self, look: Look) -> None:
        stale = self._running.get(look.check)
        if stale is not None:
            stale.cancel()
        self._running[look.check] = self._group.create_task(self._look(look), name=f"look {look.check}")

    async def _look(self, look: Look) -> None:
        try:
            observation = await self._looks.look(look.check)
        finally:
            if self._running.get(look.check) is asyncio.current_task():
                del self._running[look.check]
        self._carry_out(self.monitor.observe(look.check, observation, read_clocks(), look.run))
        if look.check not in self._running:
            for waiter in self._waiting.pop(look.check, []):
                if not waiter.done():
                    waiter.set_result(None)
        self._nudged.set()

    async def look_now(self, component: str) -> None:
        """Looks at every check of `component` now and returns once each has been observed. KeyError: no such one."""
        names = list(self.monitor.components[component].checks)
        waiters = []
        for name in names:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(CheckId(component, name), []).append(waiter)
            waiters.append(waiter)
        self._carry_out(self.monitor.command(LookNow(component), read_clocks()))
        await asyncio.gather(*waiters)

    def wake(self, check: CheckId) -> None:
        """Looks at one check early: its file has changed, or a beat came in."""
        self._carry_out(self.monitor.command(LookNow(check.component, check.check), read_clocks()))
        self._nudged.set()

    def last_round_age_s(self) -> float:
        """Seconds since a round was finished."""
        return (read_clocks().mono_ns - self._round_ended_ns) / NS_PER_S

    def view(self) -> MonitorView:
        """Everything as it stands."""
        return self.monitor.view(read_clocks())

    def _forget_waiters(self) -> None:
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.cancel()
