"""What befalls the monitor itself is told, blames nobody, and hides no real failure for longer than promised."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.running import Daemon, daemon, wait_until
from tests.faults import bystander
from tests.faults.families.monitor import MonitorFault
from tests.faults.recipe import HEALTHY, Recipe
from tests.faults.registry import all_recipes, batches
from tests.faults.test_targets import await_a_look, await_all, events_of, prepared, standing
from tests.stopwatch import kept_waiting_s

INTERVAL_S, FAILURE_FOR_S, TIMEOUT_S = 0.5, 1.0, 1.0
DEFAULTS = f"""
[defaults]
interval = {INTERVAL_S}
timeout = {TIMEOUT_S}
grace = {MonitorFault.grace_s}
failure_for = {FAILURE_FOR_S}
failure_threshold = 2
"""
SLACK_S = 1.5  # until the fault is done, and until the log is written and read


@pytest.mark.parametrize("kinds", batches(kind for kind in all_recipes() if issubclass(kind, MonitorFault)))
def test_what_befalls_the_monitor_blames_nobody_and_hides_no_failure(
    tmp_path: Path, kinds: list[type[Recipe]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with bystander.working(tmp_path) as well, prepared(tmp_path, kinds) as (faults, text):
        for fault in faults:
            for key, value in fault.environment(tmp_path).items():
                monkeypatch.setenv(key, value)
        with daemon(tmp_path, DEFAULTS + well.text + text) as running:
            alive = set(standing(running))
            await_all(running, dict.fromkeys(alive, (HEALTHY, "")))
            for name in alive:
                running.wait_for_event("component.healthy", name)
            for fault in faults:
                assert isinstance(fault, MonitorFault)
                await_uptime(running, fault.grace_s)
                before = told_of(running, alive)
                fault.attach(running)
                befall(running, fault)
                assert told_of(running, alive) == before
                fail_in_time(running, fault)
                alive -= {fault.name}
                assert told_of(running, alive) == {name: before[name] for name in alive}
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def befall(running: Daemon, fault: MonitorFault) -> None:
    """The fault comes, stays for some looks where the monitor can look, and goes; the monitor tells it."""
    if fault.tells_at_once:
        step(running, fault, fault.inject)
        for _ in range(2):
            await_a_look(running, [fault])
    else:
        fault.inject()
    step(running, fault, fault.heal)


def step(running: Daemon, fault: MonitorFault, take: Callable[[], None]) -> None:
    """Takes one step and waits until it is told."""
    before = len(running.events(fault.told))
    take()
    wait_until(lambda: told_since(running, fault, before), f"{fault.told} in its size")


def await_uptime(running: Daemon, least_s: float) -> None:
    """Waits until the monitor has run so long, in its own words: then its first grace is over."""

    def uptime_s() -> float:
        return float(running.request("GET", "/api/v1/state")[1]["monitor"]["uptime_s"])

    wait_until(lambda: uptime_s() > least_s, "the end of the first grace")


def told_since(running: Daemon, fault: MonitorFault, before: int) -> bool:
    """Whether it was told after so many events of its name."""
    return any(fault.is_told_by(event) for event in running.events(fault.told)[before:])


def fail_in_time(running: Daemon, fault: MonitorFault) -> None:
    """A target fails right after: that is told, neither in the grace of a stall nor long after it."""
    began_s, kept_s = time.monotonic(), kept_waiting_s(running.process.pid) + kept_waiting_s(os.getpid())
    fault.fail_for_real()
    running.wait_for_event("component.down", fault.name)
    told_s = time.monotonic()
    kept_s = kept_waiting_s(running.process.pid) + kept_waiting_s(os.getpid()) - kept_s
    grace_s = fault.grace_s if fault.blinds else 0.0
    assert told_s - (fault.awake_s if fault.blinds else began_s) > grace_s + FAILURE_FOR_S - 0.1
    assert told_s - began_s - kept_s < grace_s + FAILURE_FOR_S + 2 * INTERVAL_S + SLACK_S


def told_of(running: Daemon, names: set[str]) -> dict[str, list[str]]:
    """What was told of each of them. A busy machine may be slow to their first health; from then on it must rest."""
    return {name: [event["event"] for event in events_of(running, name)] for name in names}
