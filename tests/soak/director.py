"""Breaks and mends one component after the other, and edits the config; every fault must be told, and its end too."""

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.running import Daemon
from tests.e2e.tail import Tail
from tests.faults.recipe import HEALTHY, Recipe, component
from tests.soak.population import Population

DIRECTORS = 3
TOLD_WITHIN_S = 60.0
RELOAD_EVERY_S = 60.0
RELOADED_WITHIN_S = 15.0


@dataclass
class Tally:
    """What was done, and what was not answered as it must be."""

    injected: int = 0
    reloads: int = 0
    rejections: int = 0
    wrong: list[str] = field(default_factory=list)


@contextlib.contextmanager
def directing(running: Daemon, people: Population, tail: Tail, *, reloads: bool) -> Iterator[Tally]:
    """Goes on until the block ends; then all is mended."""
    tally, ended = Tally(), threading.Event()
    jobs = [
        threading.Thread(target=_direct, args=(running, people.faults[n::DIRECTORS], tally, ended, random.Random(n)))
        for n in range(DIRECTORS)
    ]
    if reloads:
        jobs.append(threading.Thread(target=_edit, args=(running.config, people, tail, tally, ended)))
    for job in jobs:
        job.start()
    try:
        yield tally
    finally:
        ended.set()
        for job in jobs:
            job.join()


def _direct(running: Daemon, faults: list[Recipe], tally: Tally, ended: threading.Event, chance: random.Random) -> None:
    for fault in itertools.cycle(chance.sample(faults, len(faults))):
        if ended.wait(chance.uniform(0.5, 2)):
            return
        tally.injected += 1
        fault.inject()
        if fault.expect.state != HEALTHY:
            _await(running, fault.name, fault.expect.state, tally)
        ended.wait(chance.uniform(1, 4))
        fault.heal()
        _await(running, fault.name, HEALTHY, tally)


def _await(running: Daemon, name: str, state: str, tally: Tally) -> None:
    until_s = time.monotonic() + TOLD_WITHIN_S
    found: Any = None
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError):
            found = running.request("GET", f"/api/health/status/{name}")[1]
            if found.get("state", _of(found, name).get("state")) == state:
                return
        time.sleep(0.2)
    tally.wrong.append(f"{name} is not {state} within {TOLD_WITHIN_S:.0f} s: {found}")


def _of(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next((one for one in found.get("components", []) if one["name"] == name), {})


def _edit(config: Path, people: Population, tail: Tail, tally: Tally, ended: threading.Event) -> None:
    """A component comes, and goes again; every third file is a bad one."""
    good, number = config.read_text(), 0
    extra = component("extra", f'type = "tcp"\naddress = "127.0.0.1:{people.spare_port}"')
    while not ended.wait(RELOAD_EVERY_S / 3):
        number += 1
        is_bad = number % 3 == 0
        text = good + ("[components.bad\n" if is_bad else extra if number % 3 == 1 else "")
        event = "config.rejected" if is_bad else "config.reloaded"
        before = _count(tail, event)
        fresh = config.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o644)
        fresh.replace(config)
        until_s = time.monotonic() + RELOADED_WITHIN_S
        while _count(tail, event) == before and time.monotonic() < until_s:
            time.sleep(0.1)
        if _count(tail, event) == before:
            tally.wrong.append(f"no {event} within {RELOADED_WITHIN_S:.0f} s of edit {number}")
        tally.rejections += is_bad
        tally.reloads += not is_bad


def _count(tail: Tail, event: str) -> int:
    return sum(f'"{event}"' in line for _, line in tail.lines)
