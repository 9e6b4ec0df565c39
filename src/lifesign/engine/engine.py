"""The engine: it carries time and answers to the core, and carries out what the core asks for.

A round is one call of `Monitor.tick` with its effects begun. `last_round_age_s` tells how long ago
one was finished: it is the proof, for the API and for systemd, that the scheduler does its work.

Most looks at this machine (a port of the loopback, a file, a pid) have their answer without waiting: those are made
within the round, one after the other, and cost no task. A question to a port that is answered in one piece is called
back. All others get a task each. What is due within one pause is one round: that is the whole timer wheel. A round is
a callback, for a task that sleeps takes two turns of the loop.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from lifesign.core.commands import LookNow, OperatorCommand
from lifesign.core.effects import Effect, Look, Record, Restart
from lifesign.core.events import Event
from lifesign.core.model import NS_PER_S, CheckId, Instant, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.observer import TICK_NS
from lifesign.core.restart import RestartReport
from lifesign.core.showing import component_glance
from lifesign.core.spec import MonitorSpec
from lifesign.core.view import ComponentGlance, MonitorView
from lifesign.engine.clock import monotonic_of, read_clocks
from lifesign.engine.files import FileSweep
from lifesign.engine.looking import Looker, Looks, Rest, close_looker

SLICE_NS = 5_000_000  # how long looks that need no waiting may keep everything else on the loop
PAUSE_NS = 20_000_000  # rounds are at least so far apart, but for what cannot wait: waking up costs as ten looks do
FRESH_NS = 1_000_000  # a good answer may be taken with a reading of the clocks that is so old

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
        restart: Callable[[Restart], None] = lambda _: None,
        seen: Callable[[CheckId, Observation], None] = lambda _check, _found: None,
        clocks: Callable[[], Instant] = read_clocks,
    ) -> None:
        """`seen` gets what each look found; `clocks`: what reads them; `Looks` has the same."""
        self.monitor = monitor
        self._looks = looks
        self._record, self._after_round = record, after_round
        self._restart, self._seen = restart, seen
        self._read_clocks, self._newest = clocks, clocks()
        self._monotonic_ns = monotonic_of(clocks)
        self._group = asyncio.TaskGroup()
        self._running: dict[CheckId, asyncio.Task[None]] = {}
        self._flying: dict[CheckId, Look] = {}  # without a task
        self._is_running = False
        self._waiting: dict[CheckId, list[asyncio.Future[None]]] = {}
        self._due: OrderedDict[CheckId, Look] = OrderedDict()  # none given up beside its heir
        self._next: asyncio.Handle | None = None
        self._is_pausing, self._pause_ends_ns = False, 0
        self._broken: asyncio.Future[None] | None = None
        self._round_ended_ns = self._monotonic_ns()
        self.loop_lag_ms = 0.0

    def _clocks(self) -> Instant:
        self._newest = self._read_clocks()
        return self._newest

    async def run(self, sweep: FileSweep[Any] | None = None) -> None:
        """Runs until cancelled; then ends every look and closes every check."""
        self._looks.listen(self.wake)
        self._is_running = True
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._rounds())
                if sweep is not None:
                    group.create_task(sweep.run())
        finally:
            for waiter in [waiter for waiters in self._waiting.values() for waiter in waiters]:
                waiter.cancel()
            self._looks.close()

    async def await_looks(self, looks: Iterable[Look]) -> None:
        """Carries out `looks`, each once, then nothing: for `lifesign check`."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._due.update((look.check, look) for look in looks)
            while self._due or self._running:
                self._begin_looks(self._clocks())
                if self._running:
                    await asyncio.wait(self._running.values(), timeout=0 if self._due else TICK_NS / NS_PER_S)
                self._carry_out(self.monitor.attend(self._clocks()))

    async def _rounds(self) -> None:
        """Until cancelled, or until a round breaks."""
        self._broken = asyncio.get_running_loop().create_future()
        self._round(self._broken)
        try:
            await self._broken
        finally:
            self._is_pausing = False
            if self._next is not None:
                self._next.cancel()

    def _round(self, broken: "asyncio.Future[None]") -> None:
        now = self._clocks()
        if now.mono_ns >= self._pause_ends_ns > 0:
            self.loop_lag_ms = (now.mono_ns - self._pause_ends_ns) / 1_000_000
        try:
            self._carry_out(self.monitor.tick(now))
            self._begin_looks(now)
            self._round_ended_ns = self._monotonic_ns()
            self._after_round()
            self._pause(broken)
        except Exception as error:  # noqa: BLE001  a callback: it is raised where it is waited for
            if not broken.done():
                broken.set_exception(error)

    def _pause(self, broken: "asyncio.Future[None]") -> None:
        """Until the next round: at once where looks are left over, else when the core wants it, or by a nudge."""
        loop, now_ns = asyncio.get_running_loop(), self._monotonic_ns()
        self._is_pausing = not self._due
        if self._due:
            self._pause_ends_ns = now_ns
            self._next = loop.call_soon(self._round, broken)
        else:
            self._pause_ends_ns = max(self.monitor.deadline(), now_ns + PAUSE_NS)
            self._next = loop.call_later((self._pause_ends_ns - now_ns) / NS_PER_S, self._round, broken)

    def _nudge(self) -> None:
        """Ends the pause."""
        if self._is_pausing and self._next is not None and self._broken is not None:
            self._is_pausing = False
            self._next.cancel()
            self._next = asyncio.get_running_loop().call_soon(self._round, self._broken)

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Look():
                    self._due[effect.check] = effect
                case Record():
                    self._tell(effect.event)
                case Restart():
                    self._restart(effect)

    def _tell(self, event: Event) -> None:
        try:
            self._record(event)
        except Exception:  # the border to journal and log: neither may stop the watch
            logger.exception("the event %s could not be recorded", event.name)

    def _begin_looks(self, now: Instant) -> None:
        """Begins what is due, for `SLICE_NS` at most; an answer that is there at once is observed at once.

        An answer that is not good is observed with fresh clocks, which tell whether we were stopped while we looked.
        """
        due, running, ok = self._due, self._running, Verdict.OK
        until_ns = self._monotonic_ns() + SLICE_NS
        while due:
            look = due.popitem(last=False)[1]
            found = None if look.check in running else self._looks.look_at_once(look.check, now.wall_ns)
            now_ns = self._monotonic_ns()
            if now_ns - now.mono_ns > FRESH_NS or (found is not None and found.verdict is not ok):
                now = self._clocks()
            if found is None:
                self._begin(look, now)
            else:
                self._observe(look, found, now)
            if now_ns >= until_ns:
                return

    def _begin(self, look: Look, now: Instant) -> None:
        stale = self._running.pop(look.check, None)
        if stale is not None:
            stale.cancel()
        if self._is_running and self._looks.begin(look.check, now, partial(self._landed, look)):
            self._flying[look.check] = look
        else:
            self._flying.pop(look.check, None)
            self._await(look, self._looks.look(look.check))

    def _await(self, look: Look, answer: Rest) -> None:
        self._running[look.check] = self._group.create_task(self._look(look, answer), name=f"look {look.check}")

    def _landed(self, look: Look, found: Observation | Rest) -> None:
        """Takes what came of a look that was begun without a task."""
        if self._flying.get(look.check) is not look:
            if not isinstance(found, Observation):
                found.close()
            return
        del self._flying[look.check]
        if isinstance(found, Observation):
            self._take(look, found)
        else:
            self._await(look, found)

    async def _look(self, look: Look, answer: Rest) -> None:
        try:
            observation = await answer
        finally:
            if self._running.get(look.check) is asyncio.current_task():
                del self._running[look.check]
        self._take(look, observation)

    def _take(self, look: Look, observation: Observation) -> None:
        is_fresh = self._monotonic_ns() - self._newest.mono_ns <= FRESH_NS and observation.verdict is Verdict.OK
        self._observe(look, observation, self._newest if is_fresh else self._clocks())
        if self._due or self.monitor.deadline() < self._pause_ends_ns:
            self._nudge()

    def _observe(self, look: Look, observation: Observation, now: Instant) -> None:
        self._seen(look.check, observation)
        effects = self.monitor.observe(look.check, observation, now, look.run)
        if effects:
            self._carry_out(effects)
        if self._waiting and look.check not in self._running and not any(isinstance(e, Look) for e in effects):
            self._release(look.check)

    def _release(self, check: CheckId) -> None:
        for waiter in self._waiting.pop(check, []):
            if not waiter.done():
                waiter.set_result(None)

    async def look_now(self, component: str, checks: Collection[str] | None = None) -> None:
        """Looks at every check of `component`, or at `checks`, now; ends when all are seen. KeyError: no such one."""
        waiters = []
        for name in list(self.monitor.components[component].checks) if checks is None else checks:
            waiters.append(asyncio.get_running_loop().create_future())
            self._waiting.setdefault(CheckId(component, name), []).append(waiters[-1])
            self._carry_out(self.monitor.command(LookNow(component, name), self._clocks()))
        self._nudge()
        await asyncio.gather(*waiters)

    def restarted(self, wanted: Restart, report: RestartReport) -> None:
        """What came of a restart that the core asked for."""
        self._carry_out(self.monitor.restart_reported(wanted.component, wanted.attempt, report, self._clocks()))
        self._nudge()

    def command(self, command: OperatorCommand) -> None:
        """What an operator asks for. KeyError: no such component; NotPossibleError: not now, and why."""
        self._carry_out(self.monitor.command(command, self._clocks()))
        self._nudge()

    def reconfigure(
        self,
        spec: MonitorSpec,
        make: Mapping[CheckId, Callable[[], Looker]],
        timeouts_ns: Mapping[CheckId, int],
        secrets: Sequence[str],
        changed: Collection[CheckId],
    ) -> None:
        """Watches `spec` from now on. Looks under way of checks that are `changed` or gone are given up."""
        left = self._looks.follow(make, timeouts_ns, secrets, changed)
        for check in [check for check in self._running if check in changed or check not in make]:
            task, looker = self._running.pop(check), left.pop(check, None)
            if looker is not None:
                task.add_done_callback(partial(_close_after, looker))
            task.cancel()
        for check, looker in left.items():
            self._flying.pop(check, None)
            close_looker(looker)
        self._due = OrderedDict((at, look) for at, look in self._due.items() if at in make and at not in changed)
        for check in [check for check in self._waiting if check in changed or check not in make]:
            self._release(check)
        self._carry_out(self.monitor.reconfigure(spec, changed, self._clocks()))
        self._nudge()

    def wake(self, *checks: CheckId) -> None:
        """Looks at some checks early: their files have changed, or beats came in."""
        self._carry_out(self.monitor.wake(checks, self._clocks()))
        self._nudge()

    def last_round_age_s(self) -> float:
        """Seconds since a round was finished."""
        return (self._monotonic_ns() - self._round_ended_ns) / NS_PER_S

    def view(self, names: Iterable[str] | None = None) -> MonitorView:
        """Everything as it stands; with `names`, of the components only these."""
        return self.monitor.view(self._clocks(), names)

    def glance(self) -> tuple[ComponentGlance, ...]:
        """A glance at every component, for a tenth of what a view costs."""
        now = self._clocks()
        return tuple(component_glance(component, now) for component in self.monitor.components.values())


def _close_after(looker: Looker, task: asyncio.Task[None]) -> None:
    """Its last look has ended."""
    del task
    close_looker(looker)
