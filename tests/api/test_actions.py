"""The operator's actions over HTTP: what reaches the core, who is written beside it, and every way to be refused."""

import asyncio
import os
import pwd
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifesign.api.client import ProblemAnswer
from lifesign.api.security import signed
from lifesign.core import commands
from lifesign.core.commands import NotPossibleError
from lifesign.core.model import Identity
from lifesign.core.restart import Outcome, Phase, RestartRecord
from lifesign.core.spec import RestartSpec
from lifesign.core.view import NoticeView, RestartView
from tests.api.fakes import AT_WALL_NS, component, monitor
from tests.api.serving import TOKEN, serving

US = pwd.getpwuid(os.getuid()).pw_name
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HOUR_NS = 3600 * 10**9
ACTIONS = ["restart", "silence", "unsilence", "hold", "release", "ack", "pause", "resume", "rearm"]


def words_for(action: str) -> dict[str, Any]:
    return {"reason": "deploy"} | ({"duration_s": 3600} if action in {"silence", "hold"} else {})


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ("restart", commands.RestartNow("gateway", US, "deploy")),
        ("silence", commands.Silence("gateway", US, HOUR_NS, "deploy")),
        ("unsilence", commands.Unsilence("gateway", US, "deploy")),
        ("hold", commands.Hold("gateway", US, HOUR_NS, "deploy")),
        ("release", commands.Release("gateway", US, "deploy")),
        ("ack", commands.Acknowledge("gateway", US, "deploy")),
        ("pause", commands.Pause("gateway", US, "deploy")),
        ("resume", commands.Resume("gateway", US, "deploy")),
        ("rearm", commands.Rearm("gateway", US, "deploy")),
    ],
)
async def test_an_action_reaches_the_core_as_its_command_and_answers_with_the_component(
    tmp_path: Path, action: str, command: commands.OperatorCommand
) -> None:
    async with serving(tmp_path) as served:
        status, body = await served.unix("POST", f"/api/v1/components/gateway/{action}", words_for(action))
        assert (status, body["name"]) == (202 if action == "restart" else 200, "gateway")
        assert served.backend.acted == [command]


async def test_everything_is_held_and_released_as_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await asyncio.to_thread(lambda: served.client.act_on_all("hold", reason="deploy", duration_s=3600))
        status = await asyncio.to_thread(served.client.act_on_all, "release")
        assert [one.name for one in status.components] == ["gateway"]
        assert served.backend.acted == [commands.Hold(None, US, HOUR_NS, "deploy"), commands.Release(None, US)]
        for action in sorted({*ACTIONS} - {"hold", "release"}):
            assert (await served.unix("POST", f"/api/v1/components/*/{action}", words_for(action)))[0] == 404


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_name_that_does_not_exist_is_404_with_the_nearest_and_nothing_is_done(
    tmp_path: Path, action: str
) -> None:
    async with serving(tmp_path) as served:
        status, body = await served.unix("POST", f"/api/v1/components/gatewy/{action}", words_for(action))
        assert (status, body["detail"]) == (404, 'no component "gatewy"; did you mean gateway?')
        served.backend.refusal = KeyError("gateway")  # it went away while the body came
        status, _ = await served.unix("POST", f"/api/v1/components/gateway/{action}", words_for(action))
        assert (status, served.backend.acted) == (404, [])


@pytest.mark.parametrize("action", ACTIONS)
async def test_what_is_not_possible_now_is_409_with_the_reason(tmp_path: Path, action: str) -> None:
    async with serving(tmp_path) as served:
        served.backend.refusal = NotPossibleError("a restart is under way; wait for it")
        status, body = await served.unix("POST", f"/api/v1/components/gateway/{action}", words_for(action))
        assert (status, body["detail"]) == (409, "a restart is under way; wait for it")


@pytest.mark.parametrize("action", ["silence", "hold"])
@pytest.mark.parametrize(
    "body",
    [
        {"reason": "deploy"},
        {"duration_s": 60},
        {"reason": " \n", "duration_s": 60},
        {"reason": "deploy", "duration_s": 0},
        {"reason": "deploy", "duration_s": -1},
        {"reason": "deploy", "duration_s": 367 * 86400},
        {"reason": "deploy", "duration_s": "1h"},
        {"reason": "deploy", "duration_s": True},
        {"reason": 7, "duration_s": 60},
        {"reason": "deploy", "duration_s": 60, "surprise": 1},
        b'{"reason": "deploy", "duration_s": NaN}',
        b'{"reason": "deploy", "duration_s": 1e400}',
        b"[]",
        b"{",
    ],
    ids=str,
)
async def test_a_silence_or_hold_that_says_less_or_more_than_it_must_is_422(
    tmp_path: Path, action: str, body: Any
) -> None:
    async with serving(tmp_path) as served:
        status, _, found = await served.tcp("POST", f"/api/v1/components/gateway/{action}", body, **BEARER)
        assert (status, found["status"], served.backend.acted) == (422, 422, [])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"reason": "deploy", "duration_s": "1h"}, "`duration_s` must be a number, not text"),
        ({"reason": 7, "duration_s": 60}, "`reason` must be text, not a number"),
        ([], "the body must be an object, not a list"),
    ],
    ids=str,
)
async def test_a_value_of_a_wrong_type_is_told_in_the_words_of_json(tmp_path: Path, body: Any, words: str) -> None:
    async with serving(tmp_path) as served:
        status, found = await served.unix("POST", "/api/v1/components/gateway/silence", body)
        assert (status, found["detail"]) == (422, words)


@pytest.mark.parametrize("action", sorted({*ACTIONS} - {"silence", "hold"}))
async def test_a_duration_where_none_applies_is_refused_and_not_forgotten(tmp_path: Path, action: str) -> None:
    async with serving(tmp_path) as served:
        status, body = await served.unix("POST", f"/api/v1/components/gateway/{action}", {"duration_s": 60})
        assert (status, served.backend.acted) == (422, [])
        assert "until it is ended" in body["detail"]


async def test_the_human_behind_sudo_stands_beside_the_user_that_the_socket_proves(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for told in (None, US, "alice", "root (bob)\x1b[2J"):
            await served.unix("POST", "/api/v1/components/gateway/pause", {"author": told} if told else {})
        authors = [getattr(command, "author", None) for command in served.backend.acted]
        assert authors == [US, US, f"alice ({US})", f"root [bob]\ufffd[2J ({US})"]


async def test_over_tcp_the_holder_of_the_token_names_itself(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for body in ({"author": "bob@laptop"}, {}):
            assert (await served.tcp("POST", "/api/v1/components/gateway/pause", body, **BEARER))[0] == 200
        assert [command.author for command in served.backend.acted] == ["bob@laptop", "somebody over TCP"]
        for action in ACTIONS:
            status, _, _ = await served.tcp("POST", f"/api/v1/components/gateway/{action}", words_for(action))
            assert status == 401
        assert len(served.backend.acted) == 2


def test_a_name_is_signed_only_by_who_was_proven() -> None:
    assert signed(None, "root") == signed("", "root") == signed("root", "root") == "root"
    assert signed("alice", "root") == "alice (root)"
    assert signed("a (root)", "mallory") == "a [root] (mallory)"


async def test_the_client_acts_and_tells_why_it_could_not(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        seen = await asyncio.to_thread(
            lambda: served.client.act("gateway", "silence", author="alice", reason="outage", duration_s=60)
        )
        assert seen.name == "gateway"
        assert served.backend.acted == [commands.Silence("gateway", f"alice ({US})", 60 * 10**9, "outage")]
        served.backend.refusal = NotPossibleError("no incident is open")
        with pytest.raises(ProblemAnswer, match="no incident is open") as refused:
            await asyncio.to_thread(served.client.act, "gateway", "ack")
        assert refused.value.status == 409


async def test_the_state_document_tells_silence_hold_acknowledgement_process_and_every_restart(tmp_path: Path) -> None:
    plain = component("mind")
    record = RestartRecord(
        attempt=4,
        at_wall_ns=AT_WALL_NS,
        automatic=False,
        author="alice (root)",
        reason="it \x1b[31mhangs",
        words="SIGTERM to pid 41",
        pid_before=41,
        pid_after=52,
        process_after_s=1.23456,
        work_after_s=4.0,
        outcome=Outcome.PRODUCTIVE,
    )
    notice = NoticeView("alice", "vendor outage", AT_WALL_NS, AT_WALL_NS + HOUR_NS)
    shown = replace(
        plain,
        spec=replace(plain.spec, restart=RestartSpec("signal", True)),
        silence=notice,
        hold=notice,
        acknowledged=replace(notice, until_wall_ns=None),
        process=Identity(52, 1_795_269_000.25),
        restart=RestartView(Phase.BACKOFF, 2, 1, AT_WALL_NS, AT_WALL_NS + HOUR_NS, "held by alice", (record,)),
    )
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(shown, component())
        _, document = await served.unix("GET", "/api/v1/state")
    mind, gateway = document["components"]
    told = {
        "until": "2026-11-21T15:03:22.123Z",
        "author": "alice",
        "reason": "vendor outage",
        "since": "2026-11-21T14:03:22.123Z",
    }
    assert (mind["silence"], mind["hold"], mind["acknowledged"]) == (told, told, {**told, "until": None})
    assert mind["process"] == {"pid": 52, "started_at": "2026-11-21T13:50:00.250Z"}
    history = mind["restart"].pop("history")
    assert mind["restart"] == {
        "method": "signal",
        "automatic": True,
        "phase": "backoff",
        "incarnation": 1,
        "unproductive": 2,
        "max_unproductive": 3,
        "budget_left": 1,
        "max_restarts": 5,
        "last_at": "2026-11-21T14:03:22.123Z",
        "next_at": "2026-11-21T15:03:22.123Z",
        "withheld": "held by alice",
    }
    assert history == [
        {
            "attempt": 4,
            "at": "2026-11-21T14:03:22.123Z",
            "automatic": False,
            "author": "alice (root)",
            "reason": "it \ufffd[31mhangs",
            "words": "SIGTERM to pid 41",
            "pid_before": 41,
            "pid_after": 52,
            "process_after_s": 1.235,
            "work_after_s": 4.0,
            "outcome": "productive",
        }
    ]
    assert gateway["silence"] is gateway["hold"] is gateway["acknowledged"] is gateway["restart"] is None
    assert "process" not in gateway
