"""Runs one case: one target, three programs that look on, one fault; what each of them told of it."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.comparison.cases import Case
from tests.comparison.watchers import Lifesign, Monit, Supervisor, Watcher
from tests.e2e.running import Daemon, wait_until
from tests.faults.families.monitor import MonitorFault
from tests.faults.recipe import Recipe

SETTLE_S = 5.0  # some rounds of each before anything happens, and past every grace
QUIET_S = 14.0  # how long an alarm may yet come after what is no failure


@dataclass(frozen=True, slots=True)
class Seen:
    """What one program made of one case. `after_s`: from the fault to its alarm, None where there was none."""

    after_s: float | None
    false_alarms: tuple[str, ...]
    is_blind: bool = False


class _Together:
    """Several processes that get the same signal."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    @property
    def process(self) -> "_Together":
        return self

    def send_signal(self, number: int) -> None:
        for watcher in self._watchers:
            watcher.process.send_signal(number)


def run(case: Case, folder: Path) -> dict[str, Seen]:
    """Each program's name, and what it has seen."""
    fault = case.fault()
    target = folder / "target"
    target.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        stack.callback(fault.close)
        text = fault.config(target)
        environment = fault.environment(folder)
        supervisor = Supervisor(folder / "supervisor", environment)
        watchers = [
            Lifesign(folder / "lifesign", environment, text),
            Monit(folder / "monit", environment, case.monit(fault)),
            supervisor,
        ]
        for watcher in watchers:
            stack.callback(watcher.end)
        for watcher in watchers:
            wait_until(watcher.is_ready, f"{watcher.program} watches: {case.title}", timeout_s=120)
        time.sleep(SETTLE_S)
        began_s = time.monotonic()
        _befall(case, fault, watchers)
        if case.supervised is not None:
            getattr(supervisor, case.supervised)()
        _await(case, watchers, began_s)
        return {watcher.program: _seen(case, watcher, began_s) for watcher in watchers}


def _befall(case: Case, fault: Recipe, watchers: Sequence[Watcher]) -> None:
    if isinstance(fault, MonitorFault):
        fault.attach(cast("Daemon", _Together(watchers)))
    fault.inject()
    if isinstance(fault, MonitorFault) and not fault.tells_at_once:
        fault.heal()


def _await(case: Case, watchers: Sequence[Watcher], began_s: float) -> None:
    """Until all have told it or nobody will any more."""

    def told(watcher: Watcher) -> bool:
        return any(alarm.at_s >= began_s for alarm in watcher.alarms())

    seeing = [watcher for watcher in watchers if not _is_blind(case, watcher)]
    until_s = time.monotonic() + (case.patience_s if case.must_tell else QUIET_S)
    while time.monotonic() < until_s and not (case.must_tell and all(map(told, seeing))):
        time.sleep(0.05)


def _is_blind(case: Case, watcher: Watcher) -> bool:
    return isinstance(watcher, Supervisor) and case.must_tell and case.supervised in (None, "stop")


def _seen(case: Case, watcher: Watcher, began_s: float) -> Seen:
    alarms = watcher.alarms()
    before = [alarm for alarm in alarms if alarm.at_s < began_s]
    after = [alarm for alarm in alarms if alarm.at_s >= began_s]
    false = before if case.must_tell else alarms
    first_s = after[0].at_s - began_s if case.must_tell and after else None
    return Seen(first_s, tuple(alarm.words for alarm in false), _is_blind(case, watcher))
