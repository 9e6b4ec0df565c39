"""A stack like the demo's on a virtual loop, with faults, operators, reloads and deaths, as the daemon records it.

Of the daemon everything is real but the looks, the restarts and the clocks: engine, monitor, alerts, history file.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import async_solipsism

from lifesign.core import commands
from lifesign.core.commands import NotPossibleError
from lifesign.core.conversation import ConversationMemory
from lifesign.core.effects import Restart
from lifesign.core.events import Event
from lifesign.core.heralding import Herald
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import CheckId, Identity
from lifesign.core.restart import Failed, Renewed, Sent, Withheld
from lifesign.core.transcript import RecordedMonitor
from lifesign.engine.clock import SteadyClocks
from lifesign.engine.engine import Engine
from lifesign.engine.looking import Looks
from lifesign.store.history import History, Life, Loaded
from lifesign.store.history_file import HISTORY_FILE, HistoryFile
from lifesign.store.settling import Settling
from tests.replay.stack import SINKS, Clocks, Looker, S, Target, stack


class Living:
    """One monitor after another over one state folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random, self.clocks = Random(seed), Clocks()
        self.steady = SteadyClocks(self.clocks)
        self.spec = stack()
        self.targets = {
            component.name: Target(Random(f"{seed}/{component.name}")) for component in self.spec.components
        }
        self.told: list[Event] = []
        file = HistoryFile(folder / HISTORY_FILE)
        self.history = History(folder, Settling(file, history_s=1e9, now=self._now_ms), file, 1.0)
        self._memory: MonitorMemory | None = None
        self._conversations: tuple[ConversationMemory, ...] = ()

    def _now_ms(self) -> int:
        return self.clocks().wall_ns // 1_000_000

    def run(self, hours: float, *, deaths: int = 1) -> None:
        """So many lives after another, of so many hours together."""
        for _ in range(deaths + 1):
            loop = async_solipsism.EventLoop()
            self.clocks.loop = loop
            try:
                loop.run_until_complete(self._live(hours * 3_600 / (deaths + 1)))
            finally:
                loop.close()
            away_s = self.random.uniform(1, 600)
            self.clocks.base = self.clocks.base.after(round(loop.time() * 1_000_000) * 1_000 + round(away_s) * S)
            for target in self.targets.values():
                target.refuses_s = target.hangs_s = target.hides_s = target.warns_s = 0.0
        self.history._work(last=True)
        self.history._file.close()

    async def _live(self, seconds: float) -> None:
        start = self.steady()
        self.monitor = RecordedMonitor(self.spec, start, self._memory)
        self.herald = Herald(SINKS, self.monitor)
        checks = {CheckId(c.name, check.name): (c.name, check) for c in self.spec.components for check in c.checks}
        looks = Looks(
            {at: lambda n=n, c=c: Looker(self.targets[n], c, self.clocks) for at, (n, c) in checks.items()},  # type: ignore[misc]
            {at: check.timeout_ns for at, (_, check) in checks.items()},
            clocks=self.steady,
        )
        self.history.begin(
            Life(start, self.spec, self._memory or MonitorMemory(), self._conversations), Loaded("", SINKS)
        )
        self.makers = looks._make
        self.engine = Engine(
            self.monitor,
            looks,
            record=self._record,
            after_round=self._after_round,
            restart=self._restart,
            clocks=self.steady,
        )
        for notify in self.herald.recall(self._conversations, start):
            self.monitor.note(notify)
        self.tasks: set[asyncio.Task[None]] = set()
        running = asyncio.create_task(self.engine.run())
        while self.clocks.loop.time() < seconds:
            await asyncio.sleep(self.random.expovariate(1 / 300))
            self._strike()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        running.cancel()
        await asyncio.wait({running})
        now = self.steady()
        self._memory = self.monitor.memory(now)
        self._conversations = tuple(c.memory(now) for c in self.herald.conversations())
        self._hand_over()

    def _record(self, event: Event) -> None:
        self.told.append(event)
        self._decide(self.herald.hear(event, self.monitor.now))

    def _decide(self, notifies: Any) -> None:
        for notify in notifies or ():
            self.monitor.note(notify)

    def _after_round(self) -> None:
        due_ns = self.herald.next_review_ns()
        if due_ns is not None and self.monitor.now.mono_ns >= due_ns:
            self.monitor.reviewed()
            self._decide(self.herald.review(self.monitor.now))
        if len(self.monitor._transcript) > 10_000:
            self._hand_over()

    def _hand_over(self) -> None:
        self.history.take(self.monitor.take())
        self.history._work()

    def _restart(self, wanted: Restart) -> None:
        task = asyncio.create_task(self._carry_out(wanted))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _carry_out(self, wanted: Restart) -> None:
        await asyncio.sleep(self.random.uniform(0.01, 3))
        if wanted.automatic:
            await self.engine.look_now(wanted.component)
        match self.random.randrange(8):
            case 0:
                self.engine.restarted(wanted, Withheld("somebody stopped it"))
                return
            case 1:
                self.engine.restarted(wanted, Failed("exit code 1"))
                return
        self.engine.restarted(wanted, Sent("SIGTERM", wanted.identity))
        target = self.targets[wanted.component]
        await asyncio.sleep(self.random.uniform(0.1, 20))
        target.pid += 1
        if self.random.random() < 0.7:
            target.refuses_s = target.hangs_s = 0.0
        if self.random.random() < 0.5:
            self.engine.restarted(wanted, Renewed(Identity(target.pid, target.pid * 1.5)))

    def _strike(self) -> None:
        random, now_s = self.random, self.clocks.loop.time()
        name, target = random.choice(list(self.targets.items()))
        lasts_s = now_s + random.choice((5, 20, 50, 100, 300, 1_000))
        match random.randrange(16):
            case 0 | 1 | 2:
                target.refuses_s = lasts_s
            case 3 | 4 | 5:
                target.hangs_s = lasts_s
            case 6:
                target.warns_s = lasts_s
            case 7:
                target.hides_s = lasts_s
            case 8:
                target.pid += 1
            case 9:
                for other in self.targets.values():
                    other.refuses_s = lasts_s
            case 10 | 11 | 12:
                self._upset_clocks()
            case _:
                self._operate(name)

    def _upset_clocks(self) -> None:
        """We stall, the machine sleeps, somebody sets the wall clock; or the config is changed, or a file."""
        random = self.random
        match random.randrange(5):
            case 0:
                self.clocks.loop._selector.clock.advance(random.choice((1.2, 3, 8, 40)))
            case 1:
                self.clocks.shift(wall_s=(slept_s := random.choice((5.5, 500.25))), boot_s=slept_s)
            case 2:
                self.clocks.shift(wall_s=random.choice((3_600.1, -3_600.2, 0.4)))
            case 3:
                self._reload()
            case _:
                self.engine.wake(random.choice(list(self.makers)))

    def _operate(self, name: str) -> None:
        random = self.random
        duration_ns = random.choice((30, 200, 900)) * S
        wanted: commands.OperatorCommand = random.choice(
            (
                commands.Silence(name, "me", duration_ns, "a test"),
                commands.Unsilence(name, "me"),
                commands.Hold(random.choice((None, name)), "me", duration_ns, "a test"),
                commands.Release(name, "me"),
                commands.Acknowledge(name, "me"),
                commands.Pause(name, "me"),
                commands.Resume(name, "me"),
                commands.Resume(name, "me"),
                commands.Rearm(name, "me"),
                commands.RestartNow(name, "me", "a test"),
            )
        )
        try:
            self.engine.command(wanted)
        except NotPossibleError:
            return

    def _reload(self) -> None:
        """The thresholds of one component change."""
        at = self.random.randrange(len(self.spec.components))
        held = self.spec.components[at]
        first = replace(held.checks[0], failure_threshold=self.random.choice((1, 2, 3)))
        changed = replace(held, checks=(first, *held.checks[1:]))
        self.spec = replace(
            self.spec, components=(*self.spec.components[:at], changed, *self.spec.components[at + 1 :])
        )
        timeouts_ns = dict.fromkeys(self.makers, 5 * S)
        self.engine.reconfigure(self.spec, self.makers, timeouts_ns, (), {CheckId(held.name, first.name)})
        self._hand_over()
        self.history.configured(Loaded("", SINKS))


def lived(folder: Path, seed: int, hours: float, *, deaths: int = 1) -> Living:
    """A history of so many hours in `folder`."""
    living = Living(folder, seed)
    living.run(hours, deaths=deaths)
    return living
