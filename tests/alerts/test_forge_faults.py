"""What Gitea, Forgejo and GitHub do to who asks: each refusal, loss and lie is a sentence, and no second issue."""

import re
import socket
from typing import Any

import pytest

from lifesign.alerts.sink import Memo, SinkError
from tests.alerts.dialects import World, world_of
from tests.alerts.strict_forge import MAKES, Fault


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "127.0.0.1 answers 401: the token is refused"),
        (403, "127.0.0.1 answers 403: the token may not do this"),
        (404, "127.0.0.1 answers 404: there is no such thing there, or the token may not see it"),
        (422, "127.0.0.1 answers 422: it does not accept what it was sent"),
        (423, "127.0.0.1 answers 423: it is archived or locked"),
        (429, "127.0.0.1 answers 429: too many requests"),
        (500, "127.0.0.1 answers 500: it is in trouble itself"),
        (503, "127.0.0.1 answers 503: it is in trouble itself"),
    ],
)
async def test_every_refusal_is_a_clear_sentence_at_every_step(world: World, status: int, words: str) -> None:
    sink, server = world.tracker(assignees=[]), world.server
    memo: Memo = {}
    for stage, moment in (("opened", 1), ("updated", 400), ("recovered", 800)):
        made = world.alert(stage, 0, moment)  # type: ignore[arg-type]
        step = {"opened": MAKES, "updated": "POST .*/comments", "recovered": "PATCH"}[stage]
        server.faults = [Fault(status, step, body=f'{{"message":"{server.token}"}}')]
        with pytest.raises(SinkError) as caught:
            await sink.deliver(made, memo)
        assert str(caught.value) == words
        server.faults = []
        memo = await sink.deliver(made, memo)
    assert (len(server.issues), server.open, len(server.tickets[1].notes)) == (1, [], 2)


async def test_what_the_real_ones_refuse_is_told_as_what_it_is(world: World) -> None:
    server = world.server

    async def trouble(**options: Any) -> str:
        with pytest.raises(SinkError) as caught:
            await world.tracker(**options).deliver(world.alert("opened", 0, 1), {})
        return str(caught.value)

    assert "the token is refused" in await trouble(token=lambda: "another")
    assert "404: there is no such thing there" in await trouble(repo="team/none")
    assert "write the final address into the config" in await trouble(repo="team/old")
    server.archived = True
    assert await trouble() in {
        "127.0.0.1 answers 423: it is archived or locked",
        "127.0.0.1 answers 403: the token may not do this",
    }
    server.archived, server.has_issues = False, False
    assert re.search("answers 4(04|10): ", await trouble())


async def test_the_wait_that_is_asked_for_is_passed_on(world: World) -> None:
    server = world.server
    date = {"Date": "Sat, 21 Nov 2026 14:03:22 GMT"}
    for headers, wait_s in (
        ({"Retry-After": "1234"}, 1234.0),
        ({**date, "Retry-After": "Sat, 21 Nov 2026 14:04:22 GMT"}, 60.0),
        ({"Retry-After": "soon"}, None),
    ):
        server.faults = [Fault(429, headers=headers)]
        with pytest.raises(SinkError) as caught:
            await world.tracker().deliver(world.alert("opened", 0, 1), {})
        assert caught.value.retry_after_s == wait_s


async def test_github_tells_of_its_limits_with_403_too() -> None:
    async with world_of("github") as world:
        reset = {
            "Date": "Sat, 21 Nov 2026 14:03:22 GMT",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": f"{1_795_269_802 + 300}",
        }
        for status in (403, 429):
            for headers, wait_s in (
                ({"Retry-After": "7"}, 7.0),
                (reset, 300.0),
                ({"x-ratelimit-remaining": "0"}, 60.0),
            ):
                world.server.faults = [Fault(status, headers=headers)]
                with pytest.raises(SinkError, match=f"{status}: too many requests") as caught:
                    await world.tracker().deliver(world.alert("opened", 0, 1), {})
                assert caught.value.retry_after_s == wait_s


@pytest.mark.parametrize("status", [0, 500, 502, 504])
async def test_an_issue_made_and_the_answer_lost_is_no_second_issue_comment_or_story(world: World, status: int) -> None:
    sink, server = world.tracker(), world.server
    memo: Memo = {}
    for stage, moment in (("opened", 1), ("updated", 400), ("recovered", 800)):
        made = world.alert(stage, 0, moment)  # type: ignore[arg-type]
        server.faults = [Fault(status, "(POST|PATCH) .*/issues", "after", times=1)]
        with pytest.raises(SinkError):
            await sink.deliver(made, memo)
        memo = await sink.deliver(made, memo)
    assert (len(server.issues), server.open, len(server.tickets[1].notes)) == (1, [], 2)


async def test_an_address_that_is_not_the_forge_is_a_sentence_too(world: World) -> None:
    lies = (
        "",
        "null",
        "[]",
        "{}",
        "[null]",
        "[{}]",
        '{"id":"x"}',
        '{"number":null,"state":"open"}',
        "<html>log in</html>",
    )
    for lie in lies:
        for pattern in ("GET", "POST .*/labels", MAKES, "POST .*/comments", "PATCH"):
            server, sink = world.server, world.tracker()
            server.tickets.clear()
            server.labels.clear()
            server.faults = [Fault(200, pattern, body=lie)]
            memo: Memo = {}
            for stage, moment in (("opened", 1), ("updated", 400), ("recovered", 800)):
                try:
                    memo = await sink.deliver(world.alert(stage, 0, moment), memo)  # type: ignore[arg-type]
                except SinkError:
                    break  # anything else would be a sink that died


async def test_a_forge_that_says_nothing_is_given_up_and_one_that_is_not_there_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifesign.alerts.web.REQUEST_S", 0.2)
    kept = world.server.url
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.server.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SinkError, match=r"did not answer within 0\.2 s"):
            await world.tracker().deliver(world.alert("opened", 0, 1), {})
    with pytest.raises(SinkError, match="cannot be reached"):
        await world.tracker().deliver(world.alert("opened", 0, 1), {})
    world.server.url = kept


async def test_the_token_occurs_in_no_message_and_in_no_body(world: World) -> None:
    server, said = world.server, list[str]()
    for fault in (*(Fault(status) for status in (0, 301, 401, 403, 404, 410, 418, 422, 423, 429, 500)), None):
        server.faults = [fault] if fault else []
        if fault:
            fault.headers["Location"] = f"http://x/?t={server.token}"
            fault.body = f'"{server.token}"'
        memo: Memo = {}
        for stage, moment in (("opened", 1), ("updated", 400), ("recovered", 800)):
            try:
                memo = await world.tracker().deliver(world.alert(stage, 0, moment), memo)  # type: ignore[arg-type]
            except SinkError as error:
                said += [str(error), repr(error.__cause__), repr(error.args)]
    assert len(said) > 20
    assert not any(server.token in text for text in (*said, *world.told, *server.requests))
