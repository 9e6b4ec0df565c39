"""Two watchdogs on one forge over HTTP, with requests and answers lost and deaths between: one issue an incident."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from lifesign.alerts.alert import Alert, Stage
from lifesign.alerts.forge import Marker
from lifesign.alerts.sink import Memo, SinkError
from lifesign.alerts.tracker import Tracker, TrackerRules
from tests.alerts.dialects import World
from tests.alerts.strict_forge import Fault, StrictForge

COMPONENTS = 3
LOSES = 0.15  # of the requests, and as many of the answers: 28 % of all goes wrong


@dataclass(slots=True)
class Mishap(Fault):
    """A fault that strikes now and then."""

    luck: random.Random = field(default_factory=random.Random)

    def meets(self, request: web.Request, when: str) -> bool:
        return self.when == when and self.luck.random() < LOSES and bool(request.method)


@dataclass
class Watchdog:
    """One of two, with what it has written down; of the rest it knows nothing after a death."""

    sink: Tracker
    queue: list[Alert] = field(default_factory=list)
    memos: dict[str, Memo] = field(default_factory=dict)

    async def work(self, luck: random.Random, *, dies: float = 0.1) -> None:
        while self.queue:
            told = self.queue[0]
            try:
                memo = await self.sink.deliver(told, self.memos.get(told.component, {}))
            except SinkError:
                return
            if luck.random() < dies:
                return  # it had arrived, and nobody wrote that down
            self.memos[told.component] = memo
            self.queue.pop(0)


def mishaps(luck: random.Random) -> list[Fault]:
    ways: list[dict[str, Any]] = [{"status": status} for status in (0, 502)]
    return [Mishap(**way, when=when, luck=luck) for way in ways for when in ("before", "after")]


async def play(world: World, seed: int, incidents: int) -> Counter[str]:
    """How many incidents each component has had; all of them are over and told at the end."""
    luck, server, happened = random.Random(seed), world.server, Counter[str]()
    dogs = [Watchdog(world.tracker(TrackerRules(reopen_within_s=60))) for _ in range(2)]
    server.faults, now_s = mishaps(luck), 0.0
    for _ in range(incidents):
        component, began_s = f"c{luck.randrange(COMPONENTS)}", now_s + luck.uniform(1000, 2000)
        lasts_s, happened[component] = luck.uniform(10, 2000), happened[component] + 1
        stages: list[tuple[Stage, float]] = [("opened", 1), ("updated", 1 + lasts_s / 2), ("recovered", 1 + lasts_s)]
        for stage, after_s in stages:
            for watcher, dog in enumerate(dogs):
                sees_s = round(began_s + watcher * luck.uniform(0, 0.9), 3)
                told = world.alert(stage, sees_s, round(began_s + after_s, 3), component, str(watcher))
                dog.queue.append(told)
            for dog in luck.sample(dogs * 2, luck.randrange(1, 4)):
                await dog.work(luck)
        now_s = began_s + lasts_s
    server.faults = []
    while any(dog.queue for dog in dogs):
        for dog in dogs:
            await dog.work(luck)
    return happened


def judge(server: StrictForge, happened: Counter[str]) -> None:
    assert server.open == []
    stay = Counter[str]()
    for ticket in server.issues:
        marker = Marker.found_in(ticket.body)
        assert marker is not None
        assert marker.end is not None
        if not any("The same as issue" in note.body for note in ticket.notes):
            stay[marker.component] += 1
    assert stay == happened, "an incident with two issues, or with none"


async def test_a_few_incidents_have_one_issue_each_whatever_is_lost(world: World) -> None:
    judge(world.server, await play(world, seed=1, incidents=4))


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(4))
async def test_a_hundred_incidents_have_one_issue_each_whatever_is_lost(world: World, seed: int) -> None:
    judge(world.server, await play(world, seed, incidents=100))
