"""The whole life of issues in a real Redmine."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from lifesign.alerts.alert import Alert, Stage
from lifesign.alerts.forge import Marker
from lifesign.alerts.redmine import Redmine
from lifesign.alerts.sink import HeldBackError, Memo, SinkError
from lifesign.alerts.tracker import Tracker, TrackerRules
from lifesign.bootstrap.drill import drill
from lifesign.config import load
from lifesign.text import format_timestamp
from tests.alerts import real_redmine
from tests.alerts.alerts import alert

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not (real_redmine.HOME / "config.ru").exists() and "LIFESIGN_CI" not in os.environ,
        reason="needs redmine redmine-sqlite sqlite3 puma (Debian)",
    ),
]


@pytest.fixture(scope="module")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real_redmine.Redmine]:
    with real_redmine.running(Path(tmp_path_factory.mktemp("redmine"))) as running:
        yield running


class Desk:
    """Our clients to it, and a human's way in."""

    def __init__(self, redmine: real_redmine.Redmine) -> None:
        self.redmine = redmine
        self.told: list[str] = []
        self.opened: list[Redmine] = []

    def client(self, **options: Any) -> Redmine:
        given: dict[str, Any] = {
            "url": self.redmine.url,
            "project": self.redmine.project,
            "token": lambda: self.redmine.key,
            "labels": ["watchdog"],
            "assignees": [self.redmine.member],
            "tell": self.told.append,
        }
        made = Redmine(**{**given, **options})
        self.opened.append(made)
        return made

    def tracker(self, rules: TrackerRules | None = None, **options: Any) -> Tracker:
        return Tracker(self.client(**options), lambda: "prod", rules or TrackerRules())

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"X-Redmine-API-Key": self.redmine.key}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.redmine.url + path, json=body, headers=headers) as answer,
        ):
            assert answer.status < 300, await answer.text()
            return await answer.json() if (await answer.read()).strip() else None

    async def issue(self, number: object) -> dict[str, Any]:
        found = (await self.ask("GET", f"/issues/{number}.json?include=journals"))["issue"]
        assert isinstance(found, dict)
        return found

    async def of(self, component: str) -> list[dict[str, Any]]:
        """The issues of that component in any status, among the newest hundred."""
        path = f"/issues.json?project_id={self.redmine.project}&status_id=*&limit=100&sort=id:desc"
        found = (await self.ask("GET", path))["issues"]
        return [item for item in found if f"lifesign:prod:{component} " in item["description"]]


@pytest.fixture
async def desk(redmine: real_redmine.Redmine) -> AsyncIterator[Desk]:
    made = Desk(redmine)
    yield made
    for client in made.opened:
        await client.close()


def told(stage: Stage, component: str, opened_s: float, lasted_s: float, watcher: str = "a") -> Alert:
    """On the wall clock, which is Redmine's too."""
    at_s = opened_s + lasted_s
    stamps = {"opened_at": format_timestamp(int(opened_s * 1e9)), "at": format_timestamp(int(at_s * 1e9))}
    made = alert(stage, component=component)
    return replace(made, incident=f"{component}-{opened_s:.3f}-{watcher}", down_s=lasted_s, **stamps)


def notes(issue: dict[str, Any]) -> list[str]:
    return [str(item["notes"]) for item in issue["journals"] if item.get("notes")]


async def test_down_is_one_issue_lasting_is_one_note_and_recovery_closes_it_with_the_story(desk: Desk) -> None:
    sink, begun_s = desk.tracker(), time.time()
    memo = await sink.deliver(told("opened", "mind", begun_s, 1), {})
    issue = await desk.issue(memo["number"])
    assert issue["subject"].startswith("[watchdog] ")
    assert issue["assigned_to"]["name"] == desk.redmine.member
    assert "alive and ready, but not working: no new work for 612 s" in issue["description"]
    assert memo["url"] == f"{desk.redmine.url}/issues/{memo['number']}"
    assert (await desk.tracker().deliver(told("opened", "mind", begun_s, 2), {}))["number"] == memo["number"]
    for lasted_s in (400, 800, 1200):
        memo = await sink.deliver(told("updated", "mind", begun_s, lasted_s), memo)
    [note] = notes(await desk.issue(memo["number"]))
    assert format_timestamp(int((begun_s + 1200) * 1e9)) in note
    await sink.deliver(told("recovered", "mind", begun_s, 1500), memo)
    issue = await desk.issue(memo["number"])
    assert issue["status"]["is_closed"] is True
    assert len(notes(issue)) == 2
    assert "**Works again**" in notes(issue)[1]
    marker = Marker.found_in(issue["description"])
    assert marker is not None
    assert marker.end == format_timestamp(int((begun_s + 1500) * 1e9))
    again = await sink.deliver(told("opened", "mind", begun_s + 1600, 1), {})
    assert again["number"] == memo["number"]
    assert (await desk.issue(memo["number"]))["status"]["is_closed"] is False
    await sink.deliver(told("recovered", "mind", begun_s + 1600, 60), again)
    assert len(await desk.of("mind")) == 1


async def test_what_a_human_closed_stays_closed(desk: Desk) -> None:
    sink, begun_s = desk.tracker(), time.time() - 60
    memo = await sink.deliver(told("opened", "closed", begun_s, 1), {})
    closed = (await desk.ask("GET", "/issue_statuses.json"))["issue_statuses"]
    status = next(item["id"] for item in closed if item["is_closed"])
    await desk.ask("PUT", f"/issues/{memo['number']}.json", {"issue": {"status_id": status}})
    memo = await sink.deliver(told("updated", "closed", begun_s, 400), memo)
    assert (await desk.tracker().deliver(told("opened", "closed", begun_s, 9), {}))["closed"] is True
    await sink.deliver(told("recovered", "closed", begun_s, 500), memo)
    [issue] = await desk.of("closed")
    assert notes(await desk.issue(issue["id"])) == []


async def test_an_issue_that_was_deleted_is_let_go_of(desk: Desk) -> None:
    sink, begun_s = desk.tracker(), time.time()
    memo = await sink.deliver(told("opened", "deleted", begun_s, 1), {})
    await desk.ask("DELETE", f"/issues/{memo['number']}.json")
    memo = await sink.deliver(told("updated", "deleted", begun_s, 400), memo)
    await sink.deliver(told("recovered", "deleted", begun_s, 500), memo)
    assert await desk.of("deleted") == []


async def test_an_assignee_who_is_no_member_is_told_once(desk: Desk) -> None:
    sink, begun_s = desk.tracker(assignees=["Nobody Here"]), time.time()
    for component in ("first", "second"):
        await sink.deliver(told("opened", component, begun_s, 1), {})
    assert len(desk.told) == 1
    assert "Nobody Here" in desk.told[0]
    assert all("assigned_to" not in item for item in await desk.of("first"))


async def test_what_it_refuses_is_a_sentence_without_the_key(desk: Desk) -> None:
    begun_s = time.time()
    for options, words in (
        ({"token": lambda: "canary-5ecre7"}, "401: the token is refused"),
        ({"project": "none"}, "404: there is no such thing there"),
        ({"tracker": "Nonsense"}, "there is no tracker 'Nonsense' there"),
    ):
        with pytest.raises(SinkError, match=words) as caught:
            await desk.tracker(**options).deliver(told("opened", "refused", begun_s, 1), {})
        assert "canary" not in str(caught.value)
        assert desk.redmine.key not in str(caught.value)
    assert await desk.of("refused") == []


async def test_it_is_found_among_more_than_a_page_and_max_issues_holds_back(desk: Desk) -> None:
    begun_s = time.time()
    memo = await desk.tracker().deliver(told("opened", "old", begun_s, 1), {})
    for number in range(105):
        body = {"project_id": desk.redmine.project, "subject": f"other {number}", "description": "of a human"}
        await desk.ask("POST", "/issues.json", {"issue": body})
    assert (await desk.tracker().deliver(told("opened", "old", begun_s, 2), {}))["number"] == memo["number"]
    with pytest.raises(HeldBackError):
        await desk.tracker(TrackerRules(max_issues=1)).deliver(told("opened", "one more", begun_s, 1), {})


async def delivered(sink: Tracker, told: Alert, memo: Memo) -> Memo:
    """As the outbox does it: SQLite below Redmine answers two who write at once that it is locked, which is a 500."""
    for attempt in range(20):
        with contextlib.suppress(SinkError):
            return await sink.deliver(told, memo)
        await asyncio.sleep(0.05 * attempt)  # the outbox waits too, and longer
    return await sink.deliver(told, memo)


async def test_two_watchdogs_at_once_come_to_one_issue(desk: Desk) -> None:
    for turn in range(10):
        sinks, begun_s, component = [desk.tracker(), desk.tracker()], time.time(), f"raced{turn}"
        memos: list[Memo] = [{}, {}]
        stages: list[tuple[Stage, float]] = [("opened", 1), ("updated", 400), ("recovered", 500)]
        for stage, lasted_s in stages:
            tellings = (
                delivered(sinks[place], told(stage, component, begun_s, lasted_s, "ab"[place]), memos[place])
                for place in (0, 1)
            )
            memos = await asyncio.gather(*tellings)
            states = [issue["status"]["is_closed"] for issue in await desk.of(component)]
            assert states.count(False) == (0 if stage == "recovered" else 1)


async def test_many_changes_of_one_issue_at_once_all_come_through(desk: Desk) -> None:
    memo = await desk.tracker().deliver(told("opened", "crowded", time.time(), 1), {})
    number = memo["number"]
    assert isinstance(number, int)
    clients = [desk.client() for _ in range(4)]

    async def change(client: Redmine, body: str) -> None:
        for attempt in range(20):
            await asyncio.sleep(0.05 * attempt)
            try:
                return await client.edit(number, body, is_open=True)
            except SinkError as error:
                if "answers 500" not in str(error):  # SQLite is locked; a conflict is 422, and is none of ours to see
                    raise
        raise AssertionError

    for turn in range(5):
        await asyncio.gather(*(change(client, f"{turn} {place}") for place, client in enumerate(clients)))
    assert (await desk.issue(number))["description"].startswith("4 ")


async def test_a_drill_opens_an_issue_and_leaves_none(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDMINE_KEY", desk.redmine.key)
    path = tmp_path / "lifesign.toml"
    path.write_text(
        '[monitor]\nname = "prod"\nstate_dir = "state"\n[components.x.checks.y]\ntype = "tcp"\naddress = "[::1]:9"\n'
        f'[alerts.desk]\ntype = "redmine"\nurl = "{desk.redmine.url}"\nproject = "{desk.redmine.project}"\n'
        'token = { env = "REDMINE_KEY" }\n'
    )
    path.chmod(0o600)
    drilled = await drill(load(path), "desk")
    opened, *rest = drilled.done
    assert (rest, drilled.notes, drilled.trouble) == (["updated", "closed", "deleted"], (), "")
    number = int(opened.rpartition("/")[2])
    everything = await desk.ask("GET", f"/issues.json?project_id={desk.redmine.project}&status_id=*&issue_id={number}")
    assert everything["issues"] == []
