"""One incident, one issue: whatever is lost, whoever dies, however many watch, and whatever a human does meanwhile."""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from lifesign.alerts.alert import Alert, Stage
from lifesign.alerts.forge import Marker
from lifesign.alerts.sink import HeldBackError, Memo, SinkError
from lifesign.alerts.tracker import Tracker, TrackerRules
from lifesign.text import format_timestamp
from tests.alerts.alerts import alert
from tests.alerts.memory_forge import MemoryForge, Project

START_NS = 1_795_269_802 * 1_000_000_000


def stamp(seconds: float) -> str:
    return format_timestamp(START_NS + int(seconds * 1e9))


def at(stage: Stage, opened_s: float, now_s: float, component: str = "mind", watcher: str = "a") -> Alert:
    told = alert(stage, component=component)
    incident = f"{component}-{opened_s:g}-{watcher}"
    return replace(told, incident=incident, opened_at=stamp(opened_s), at=stamp(now_s), down_s=now_s - opened_s)


def tracker(forge: MemoryForge, **rules: float) -> Tracker:
    return Tracker(forge, lambda: "prod", TrackerRules(**rules))  # type: ignore[arg-type]


def test_a_marker_is_found_and_changed_in_its_place() -> None:
    marker = Marker("prod", "a.b-c", stamp(0))
    body = f"text\n\n{marker.text}\n"
    ended = Marker("prod", "a.b-c", stamp(0), stamp(9))
    assert Marker.found_in(body) == marker
    assert ended.put_into(body) == f"text\n\n{ended.text}\n"
    assert Marker.found_in(ended.put_into(body)) == ended
    assert Marker.found_in("lifesign:prod:mind start=x") is None


async def test_down_is_one_issue_lasting_is_one_comment_and_recovery_closes_it_with_the_story() -> None:
    project = Project()
    sink = tracker(MemoryForge(project))
    memo = await sink.deliver(at("opened", 0, 1), {})
    assert memo == {"incident": "mind-0-a", "number": 1, "url": "https://forge.example/1"}
    assert Marker.found_in(project.issues[1].body) == Marker("prod", "mind", stamp(0))
    for moment in (400, 800, 1200):
        memo = await sink.deliver(at("updated", 0, moment), memo)
    assert len(project.comments[1]) == 1
    assert stamp(1200) in project.comments[1][0].body
    assert await sink.deliver(at("recovered", 0, 1500), memo) == {}
    assert project.open == []
    assert "**Works again**" in project.comments[1][1].body
    assert Marker.found_in(project.issues[1].body) == Marker("prod", "mind", stamp(0), stamp(1500))


async def test_a_lost_answer_makes_no_second_issue_and_no_second_story() -> None:
    project = Project()
    forge = MemoryForge(project)
    sink = tracker(forge)

    class Lost(MemoryForge):
        def _answer(self) -> None:
            raise SinkError("the answer was lost")

    with pytest.raises(SinkError):
        await tracker(Lost(project)).deliver(at("opened", 0, 1), {})
    assert (await sink.deliver(at("opened", 0, 1), {}))["number"] == 1
    with pytest.raises(SinkError):
        await tracker(Lost(project)).deliver(at("recovered", 0, 9), {})
    await sink.deliver(at("recovered", 0, 9), {})
    assert (list(project.issues), project.open, len(project.comments[1])) == ([1], [], 1)


async def test_what_a_human_closed_stays_closed_for_that_incident_and_the_next_one_is_a_new_issue() -> None:
    project = Project()
    sink = tracker(MemoryForge(project), reopen_within_s=0)
    memo = await sink.deliver(at("opened", 0, 1), {})
    project.human(1, closes=True)
    memo = await sink.deliver(at("updated", 0, 400), memo)
    assert (project.open, project.comments[1]) == ([], [])
    assert (await sink.deliver(at("opened", 0, 500), {}))["closed"] is True
    await sink.deliver(at("recovered", 0, 600), memo)
    assert project.comments[1] == []
    await sink.deliver(at("opened", 700, 701), {})
    assert project.open == [2]


async def test_what_a_human_does_not_want_is_left_alone() -> None:
    project = Project()
    sink = tracker(MemoryForge(project))
    memo = await sink.deliver(at("opened", 0, 1), {})
    project.human(1, labels=("wontfix",))
    memo = await sink.deliver(at("updated", 0, 400), memo)
    await sink.deliver(at("recovered", 0, 500), memo)
    assert (project.open, project.comments[1]) == ([1], [])


async def test_a_new_incident_soon_after_reopens_and_a_late_one_does_not() -> None:
    project = Project()
    sink = tracker(MemoryForge(project), reopen_within_s=3600)
    memo = await sink.deliver(at("opened", 0, 1), {})
    await sink.deliver(at("recovered", 0, 100), memo)
    memo = await sink.deliver(at("opened", 3000, 3001), {})
    assert (project.open, memo["number"]) == ([1], 1)
    memo = await sink.deliver(at("updated", 3000, 3400), memo)
    await sink.deliver(at("recovered", 3000, 4000), memo)
    assert len(project.comments[1]) == 3  # a story, one comment for the second time, its story
    await sink.deliver(at("opened", 4000 + 3601, 4000 + 3602), {})
    assert project.open == [2]


async def test_past_max_issues_it_is_held_back_and_issues_of_others_do_not_count() -> None:
    project = Project()
    sink = tracker(MemoryForge(project), max_issues=2)
    other = Tracker(MemoryForge(project), lambda: "staging", TrackerRules(max_issues=1))
    await other.deliver(at("opened", 0, 1, "x"), {})
    memo = await sink.deliver(at("opened", 0, 1, "a"), {})
    await sink.deliver(at("opened", 0, 1, "b"), {})
    with pytest.raises(HeldBackError, match="2 issues are open"):
        await sink.deliver(at("opened", 0, 1, "c"), {})
    await sink.deliver(at("recovered", 0, 2, "a"), memo)
    await sink.deliver(at("opened", 0, 3, "c"), {})
    assert len(project.open) == 3


async def test_of_two_that_were_made_at_once_the_lowest_number_stays() -> None:
    project = Project()
    first, second = MemoryForge(project), MemoryForge(project)
    made = await first.create("mind", Marker("prod", "mind", stamp(0)).text)

    class Blind(MemoryForge):
        """Sees nothing before it has made one of its own: both asked in the same millisecond."""

        async def issues(self, closed_since: str) -> list:  # type: ignore[type-arg]
            return [] if len(self.project.issues) < 2 else await super().issues(closed_since)

    memo = await tracker(Blind(project)).deliver(at("opened", 2, 3, watcher="b"), {})
    assert (memo["number"], project.open) == (made.number, [1])
    assert "issue 1" in project.comments[2][0].body
    assert (await tracker(second).deliver(at("opened", 0, 3), {}))["number"] == 1


@dataclass
class Watchdog:
    """One of two, with its memory on disk, that may die at any moment and deliver again what it had not ticked off."""

    forge: MemoryForge
    name: str
    memos: dict[str, Memo] = field(default_factory=dict)
    queue: list[Alert] = field(default_factory=list)

    async def work(self, luck: random.Random) -> None:
        """Delivers what it can; dies before it remembers now and then."""
        sink = tracker(self.forge, reopen_within_s=60)
        while self.queue:
            told = self.queue[0]
            try:
                memo = await sink.deliver(told, self.memos.get(told.component, {}))
            except SinkError:
                return
            if luck.random() < 0.05:
                return  # killed: it had arrived, and nobody wrote it down
            self.memos[told.component] = memo
            self.queue.pop(0)


async def play(seed: int, incidents: int, loses: float) -> tuple[Project, set[int], Counter[str]]:
    luck, project = random.Random(seed), Project()
    dogs = [Watchdog(MemoryForge(project, loses, seed + n), name) for n, name in enumerate("ab")]
    closed_by_humans: set[int] = set()
    happened: Counter[str] = Counter()
    now_s = 0.0
    for number in range(incidents):
        component, began_s = f"c{luck.randrange(5)}", now_s + luck.uniform(100, 200)
        lasts_s = luck.uniform(10, 2000)
        happened[component] += 1
        stages: list[tuple[Stage, float]] = [("opened", 0), ("updated", lasts_s / 2)]
        for stage, after_s in [*stages, ("recovered", lasts_s)]:
            for dog in dogs:
                sees_s = began_s + (0 if dog.name == "a" else luck.uniform(0, 3))
                dog.queue.append(at(stage, round(sees_s, 3), round(began_s + after_s + 5, 3), component, dog.name))
        for _ in range(luck.randrange(4)):
            for dog in luck.sample(dogs, 2):
                await dog.work(luck)
        if number % 7 == 0 and project.open and luck.random() < 0.3:
            victim = luck.choice(project.open)
            project.now = stamp(began_s + lasts_s)
            project.human(victim, closes=True)
            closed_by_humans.add(victim)
        now_s = began_s + lasts_s
    for dog in dogs:
        dog.forge.loses = 0.0
    while any(dog.queue for dog in dogs):
        for dog in dogs:
            await dog.work(luck)
    return project, closed_by_humans, happened


def judge(project: Project, closed_by_humans: set[int], happened: Counter[str]) -> None:
    """After quiet none is open, each that no human closed was ended by us, and no incident has two issues that stay."""
    assert project.open == []
    stay: Counter[str] = Counter()
    for issue in project.issues.values():
        marker = Marker.found_in(issue.body)
        assert marker is not None
        assert (marker.end is not None) or issue.number in closed_by_humans
        if not any("The same as issue" in comment.body for comment in project.comments[issue.number]):
            stay[marker.component] += 1
    for component, count in stay.items():
        assert count <= happened[component], [
            (issue.number, Marker.found_in(issue.body), issue.closed_at)
            for issue in project.issues.values()
            if f":{component} " in issue.body
        ]


@pytest.mark.parametrize("seed", range(4))
async def test_after_quiet_nothing_is_left_open_whatever_was_lost(seed: int) -> None:
    judge(*await play(seed, 60, 0.3))


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(900)
async def test_ten_thousand_incidents_come_to_one_issue_each() -> None:
    for seed in range(1000, 1040):
        judge(*await play(seed, 250, 0.3))


async def test_with_nothing_lost_and_one_watchdog_there_is_one_issue_for_each_incident() -> None:
    project = Project()
    dog = Watchdog(MemoryForge(project), "a")
    luck = random.Random(1)
    for number in range(50):
        dog.queue += [
            at("opened", number * 1000, number * 1000 + 1),
            at("recovered", number * 1000, number * 1000 + 500),
        ]
        await dog.work(luck)
        await dog.work(luck)
    while dog.queue:
        await dog.work(luck)
    assert len(project.issues) == 50
    assert project.open == []
