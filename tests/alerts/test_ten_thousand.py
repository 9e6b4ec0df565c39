"""Exactly one issue for each of ten thousand incidents, told by two watchdogs that are killed in the midst of it.

Each watchdog is the real outbox over the real tracker, with nothing but its store between two lives. A kill strikes
at any request, before or after it has taken effect; a third of the requests and of the answers is lost besides, and
now and then the forge is down for a whole incident.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from lifesign.alerts.alert import Stage
from lifesign.alerts.entry import Outcome
from lifesign.alerts.forge import Issue, Marker
from lifesign.alerts.outbox import Outbox
from lifesign.alerts.tracker import Tracker, TrackerRules
from tests.alerts.memory_forge import MemoryForge, Project
from tests.alerts.test_tracker import at, stamp

LOSES, DIES, IS_DOWN = 0.3, 0.02, 0.1
BACKOFF_S = 800.0  # longer than the outbox ever waits


class Killed(BaseException):
    """kill -9: nothing in the program catches it."""


class Deadly(MemoryForge):
    """At any of its calls the one who asks may be killed."""

    dies = DIES

    def _arrive(self) -> None:
        if self.luck.random() < self.dies:
            raise Killed
        super()._arrive()

    def _answer(self) -> None:
        if self.luck.random() < self.dies:
            raise Killed
        super()._answer()


@dataclass
class Watchdog:
    """One of two. `store` is all that survives."""

    forge: Deadly
    store: dict[str, str] = field(default_factory=dict)
    now_s: float = 1_795_269_802.0
    lives: int = 0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        sink = Tracker(self.forge, lambda: "prod", TrackerRules(reopen_within_s=60))
        self.outbox = Outbox({"forge": sink}, keep=self.keep, tell=self.told, now_s=lambda: self.now_s)
        self.outbox.recall(self.store)
        self.lives += 1

    def keep(self, changes: Mapping[str, str | None]) -> None:
        for key, text in changes.items():
            if text is None:
                self.store.pop(key, None)
            else:
                self.store[key] = text

    def told(self, outcome: Outcome) -> None:
        assert "died" not in outcome.trouble

    def tell(self, stage: Stage, opened_s: float, now_s: float, component: str, name: str) -> None:
        changes = self.outbox.put("forge", at(stage, opened_s, now_s, component, name))
        self.keep(changes)
        self.outbox.release(changes)

    async def work(self) -> None:
        self.now_s += BACKOFF_S
        try:
            await self.outbox.flush(60)
        except Killed:
            self.begin()


def _of_humans(project: Project) -> dict[int, Issue]:
    """Some of them speak of lifesign, and quote a marker of another monitor."""
    for number in range(1, 11):
        marker = Marker("staging", "c1", stamp(0)).text if number % 3 == 0 else "lifesign:prod:c1"
        project.issues[number] = Issue(number, f"of a human {marker}", number % 2 == 0, frozenset({"watchdog"}))
        project.titles[number], project.comments[number] = "c1 is down", []
    return dict(project.issues)


async def play(seed: int, incidents: int) -> tuple[Project, Counter[str], dict[int, Issue], int]:
    luck, project = random.Random(seed), Project()
    humans = _of_humans(project)
    dogs = [Watchdog(Deadly(project, LOSES, seed * 2 + number)) for number in range(2)]
    happened, now_s = Counter[str](), 0.0
    for _ in range(incidents):
        component, began_s = f"c{luck.randrange(5)}", round(now_s + luck.uniform(100, 200), 3)
        lasts_s, is_down = luck.uniform(10, 2000), luck.random() < IS_DOWN
        happened[component] += 1
        sees_s = {"a": began_s, "b": round(began_s + luck.uniform(0, 3), 3)}
        stages: list[tuple[Stage, float]] = [("opened", 5), ("updated", 5 + lasts_s / 2), ("recovered", 5 + lasts_s)]
        for stage, after_s in stages:
            for dog, name in zip(dogs, "ab", strict=True):
                dog.forge.loses = 1.0 if is_down else LOSES
                dog.tell(stage, sees_s[name], round(began_s + after_s, 3), component, name)
            for dog in luck.sample(dogs * 2, luck.randrange(4)):
                await dog.work()
        now_s = began_s + lasts_s
    for dog in dogs:
        dog.forge.loses = dog.forge.dies = 0.0
    for _ in range(1000):
        for dog in dogs:
            await dog.work()
    assert [dog.outbox.depth for dog in dogs] == [0, 0]
    return project, happened, humans, sum(dog.lives for dog in dogs)


def judge(project: Project, happened: Counter[str], humans: dict[int, Issue]) -> None:
    """After quiet."""
    assert {number: project.issues[number] for number in humans} == humans, "a human's was touched"
    assert [project.comments[number] for number in humans] == [[]] * len(humans)
    stay = Counter[str]()
    for issue in project.issues.values():
        if issue.number in humans:
            continue
        marker = Marker.found_in(issue.body)
        assert marker is not None
        assert (issue.is_open, marker.end is None) == (False, False), "left open"
        if not any("The same as issue" in comment.body for comment in project.comments[issue.number]):
            stay[marker.component] += 1
    assert stay == happened, "an incident with two issues, or with none"


@pytest.mark.parametrize("seed", range(2))
async def test_each_incident_has_one_issue_whatever_is_lost_and_whoever_is_killed(seed: int) -> None:
    project, happened, humans, _ = await play(seed, 25)
    judge(project, happened, humans)


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(1800)
async def test_ten_thousand_incidents_have_one_issue_each() -> None:
    incidents = lives = 0
    for seed in range(100, 150):
        project, happened, humans, lived = await play(seed, 200)
        judge(project, happened, humans)
        incidents, lives = incidents + happened.total(), lives + lived
    assert incidents == 10_000
    assert lives > 1_000
