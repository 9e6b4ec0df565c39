"""Two change one issue of Redmine at once: one of them is answered 422 without an error, and nothing of his is kept.

The server here knows what a change of one issue needs and no more, and refuses all else.
"""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from lifesign.alerts import redmine
from lifesign.alerts.sink import SinkError

NEW, CLOSED = 1, 5
CONFLICT: tuple[int, object] = (422, {"errors": []})


@dataclass
class OneIssue:
    """Issue 7. Each answer in `conflicts` is given to a change that is then not made, and `meanwhile` happens."""

    conflicts: list[tuple[int, object]] = field(default_factory=list)
    meanwhile: Callable[["OneIssue"], None] = lambda issue: None
    description: str = "as it was"
    status: int = NEW
    notes: list[str] = field(default_factory=list)
    changes: int = 0
    complaints: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        asked = f"{request.method} {request.path}"
        if asked == "GET /issue_statuses.json":
            statuses = [{"id": NEW, "name": "New", "is_closed": False}, {"id": CLOSED, "name": "Closed"}]
            statuses[1]["is_closed"] = True
            return web.json_response({"issue_statuses": statuses})
        if asked == "GET /issues/7.json":
            return web.json_response({"issue": self._issue(request.query.get("include"))})
        if asked == "PUT /issues/7.json":
            return self._change(await request.json())
        self.complaints.append(asked)
        return web.Response(status=404)

    def _issue(self, include: str | None) -> dict[str, Any]:
        status = {"id": self.status, "is_closed": self.status == CLOSED}
        found: dict[str, Any] = {"id": 7, "description": self.description, "status": status}
        if include == "journals":
            found["journals"] = [{"id": place, "notes": note} for place, note in enumerate(self.notes, 1)]
        return found

    def _change(self, body: Any) -> web.Response:
        wanted = body["issue"]
        if unknown := wanted.keys() - {"description", "status_id", "notes"}:
            self.complaints.append(f"PUT with {sorted(unknown)}")
            return web.json_response({"errors": ["unknown"]}, status=422)
        if self.conflicts:
            status, said = self.conflicts.pop(0)
            self.meanwhile(self)
            return web.Response(status=status, text=json.dumps(said), content_type="application/json")
        self.changes += 1
        self.description = wanted.get("description", self.description).replace("\n", "\r\n")
        self.status = wanted.get("status_id", self.status)
        self.notes += [wanted["notes"]] if "notes" in wanted else []
        return web.Response(status=204)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redmine, "CONFLICT_S", 0.001)


@pytest.fixture
async def issue() -> AsyncIterator[OneIssue]:
    made = OneIssue()
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
    assert made.complaints == []


@pytest.fixture
async def client(issue: OneIssue) -> AsyncIterator[redmine.Redmine]:
    made = redmine.Redmine(url=issue.url, project="nexus", token=lambda: "key", tell=lambda words: None)
    yield made
    await made.close()


@pytest.mark.parametrize("answer", [CONFLICT, (409, {})], ids=["422 without an error", "409"])
async def test_a_change_that_met_another_one_is_made_again(
    issue: OneIssue, client: redmine.Redmine, answer: tuple[int, object]
) -> None:
    issue.conflicts = [answer, answer]
    await client.edit(7, "ours\nnow", is_open=False)
    assert (issue.description, issue.status, issue.changes) == ("ours\r\nnow", CLOSED, 1)


async def test_a_change_that_the_other_one_has_made_is_not_made_again(issue: OneIssue, client: redmine.Redmine) -> None:
    def the_same(there: OneIssue) -> None:
        there.description, there.status = "ours\r\nnow", CLOSED

    issue.conflicts, issue.meanwhile = [CONFLICT], the_same
    await client.edit(7, "ours\nnow\n", is_open=False)
    assert issue.changes == 0


async def test_a_note_that_met_a_change_is_written_once(issue: OneIssue, client: redmine.Redmine) -> None:
    issue.conflicts = [CONFLICT]
    assert await client.comment(7, "a note") == 1
    assert issue.notes == ["a note"]


async def test_a_conflict_without_end_is_left_to_the_outbox(issue: OneIssue, client: redmine.Redmine) -> None:
    issue.conflicts = [CONFLICT] * 50
    with pytest.raises(SinkError, match="answers 422"):
        await client.edit(7, "ours", is_open=False)
    assert len(issue.conflicts) == 50 - redmine.MOST_CONFLICTS


async def test_what_it_says_is_wrong_is_no_conflict(issue: OneIssue, client: redmine.Redmine) -> None:
    issue.conflicts = [(422, {"errors": ["Status is invalid"]}), (422, "no object"), (422, {"errors": "?"})]
    for left in (2, 1, 0):
        with pytest.raises(SinkError, match="answers 422"):
            await client.edit(7, "ours", is_open=False)
        assert len(issue.conflicts) == left
