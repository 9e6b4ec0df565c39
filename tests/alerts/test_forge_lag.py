"""Whatever a forge answers, the loop that asks goes on: no step of it takes 50 ms of processor time.

The forges run on a thread of their own. What is measured is the processor time of every single callback on the loop
of the client, so that neither they nor a busy machine count; nor does what the collector would spend on the objects
that other tests have left in this process.
"""

import asyncio
import contextlib
import gc
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lifesign.alerts.forge import Forge
from lifesign.alerts.gitea import Gitea
from lifesign.alerts.github import GitHub
from lifesign.alerts.sink import Memo, SinkError
from lifesign.alerts.tracker import Tracker, TrackerRules
from tests.alerts.alerts import alert
from tests.alerts.strict_forge import MAKES, Fault, StrictForge
from tests.alerts.strict_gitea import StrictForgejo, StrictGitea
from tests.alerts.strict_github import StrictGitHub
from tests.e2e.forges import forge_running

MOST_S = 0.05
LOST = "(POST|PATCH) .*/issues"
ANSWERS: dict[str, list[Fault]] = {
    "401": [Fault(401)],
    "403": [Fault(403)],
    "404": [Fault(404)],
    "422": [Fault(422, MAKES)],
    "429": [Fault(429, headers={"Retry-After": "1234"})],
    "500": [Fault(500, body="x" * 1_000_000)],
    "made, and the answer lost": [Fault(500, LOST, "after", times=1)],
    "made, and the connection dropped": [Fault(0, LOST, "after", times=1)],
    "lies": [Fault(200, body="[" * 100_000)],
    "7 MB of nothing": [Fault(200, body='[{"x": "' + "y" * 7_000_000 + '"}]', times=1)],
    "nothing wrong": [],
}


@dataclass
class Longest:
    """The longest callback so far, in seconds of processor time."""

    s: float = 0.0
    what: str = ""


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> Longest:
    """Of the loop of this thread."""
    found, run, us = Longest(), asyncio.events.Handle._run, threading.get_ident()

    def measured(handle: asyncio.Handle) -> None:
        begun_s = time.thread_time()
        run(handle)
        took_s = time.thread_time() - begun_s
        if threading.get_ident() == us and took_s > found.s:
            found.s, found.what = took_s, repr(handle)[:300]

    monkeypatch.setattr(asyncio.events.Handle, "_run", measured)
    gc.collect()
    gc.freeze()
    return found


@pytest.fixture(params=[StrictGitea, StrictForgejo, StrictGitHub])
def server(request: pytest.FixtureRequest) -> Iterator[StrictForge]:
    made: StrictForge = request.param()
    with forge_running(made):
        yield made


def client(server: StrictForge, url: str | None = None) -> Forge:
    given: dict[str, Any] = {"repo": "team/nexus", "token": lambda: server.token, "labels": ["watchdog"]}
    given |= {"assignees": ["oncall", "nobody"], "tell": lambda words: None}
    root = url or server.url + (server.prefix if isinstance(server, StrictGitHub) else "")
    return GitHub(url=root, **given) if isinstance(server, StrictGitHub) else Gitea(url=root, **given)


async def lived(forge: Forge, component: str) -> int:
    """A whole incident, each alert once; how many of them were refused."""
    sink, memo, refused = Tracker(forge, lambda: "prod", TrackerRules(max_issues=500)), dict[str, Any](), 0
    for stage in ("opened", "updated", "recovered"):
        try:
            kept: Memo = await sink.deliver(alert(stage, component=component), memo)
            memo = dict(kept)
        except SinkError:
            refused += 1
    await sink.close()
    return refused


async def test_no_answer_stops_the_loop(server: StrictForge, longest: Longest) -> None:
    for number, (name, faults) in enumerate(ANSWERS.items()):
        server.faults = [replace(fault) for fault in faults]
        refused = await lived(client(server), f"c{number}")
        assert (refused > 0) is bool(faults) or name.startswith("7 MB"), name
    server.faults = []
    assert longest.s < MOST_S, longest


async def test_a_forge_that_is_down_or_says_nothing_stops_nothing(
    server: StrictForge, longest: Longest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifesign.alerts.web.REQUEST_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert await lived(client(server, url), "silent") == 3
    assert await lived(client(server, url), "down") == 3
    assert longest.s < MOST_S, longest


async def test_hundreds_of_issues_and_bodies_of_a_megabyte_stop_nothing(server: StrictForge, longest: Longest) -> None:
    for number in range(120):
        server.file(f"of a human {number}", "@all #1 `x` \x1b[31m" * 100, labels=("watchdog",))
    for number in range(12):
        server.file(f"a long one {number}", f"{number} <!-- lifesign: " + "z" * 1_000_000, labels=("watchdog",))
    refused = await lived(client(server), "mind")
    with contextlib.suppress(IndexError):
        assert server.issues[-1].closed is not None
    assert refused == 0
    assert longest.s < MOST_S, longest


async def test_two_watchdogs_in_the_same_millisecond_stop_nothing(server: StrictForge, longest: Longest) -> None:
    await asyncio.gather(*(lived(client(server), "mind") for _ in range(2)))
    assert server.open == []
    assert longest.s < MOST_S, longest
