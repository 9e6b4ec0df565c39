"""Apprise itself hands an alert to a real mail server and a real HTTP receiver, both on loopback."""

import contextlib
import importlib.util
import json
import os
import socket
from pathlib import Path

import pytest

from lifesign.alerts.apprise import AppriseSink
from lifesign.alerts.sink import SinkError
from tests.alerts.alerts import alert
from tests.alerts.smtp_server import smtp_server
from tests.e2e.running import daemon, wait_until
from tests.e2e.test_alerts import CHECK, Receiver, port_open, receiver
from tests.e2e.test_drill import configured, drilled
from tests.ports import free_port

__all__ = ["receiver"]  # a fixture

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        importlib.util.find_spec("apprise") is None and "LIFESIGN_CI" not in os.environ,
        reason="needs apprise (PyPI)",
    ),
]
CANARY = "canary-5ecre7"
SINK = '[alerts.ops]\ntype = "apprise"\nurls = [{ env = "OPS_CHAT_URL" }]\n'


def mail(port: int, to: str = "oncall@example.org") -> str:
    return f"mailto://127.0.0.1:{port}/?mode=insecure&from=lifesign@example.org&to={to}"


async def test_a_mail_says_what_is_down_and_why() -> None:
    with smtp_server() as server:
        await AppriseSink(urls=[lambda: mail(server.port)]).deliver(alert(), {})
        [letter] = server.letters
    assert (letter.sender, letter.recipients) == ("lifesign@example.org", ["oncall@example.org"])
    assert "mind is down" in str(letter.message["Subject"])
    assert "alive and ready, but not working: no new work for 612 s" in letter.text
    assert "prod on box.example" in letter.text


async def test_several_services_are_told_and_one_that_refuses_is_a_failure_without_its_url(receiver: Receiver) -> None:
    with smtp_server() as server:
        server.unknown.add(f"{CANARY}@example.org")
        urls = [mail(server.port, f"{CANARY}@example.org"), f"json://user:{CANARY}@127.0.0.1:{receiver.port}/hook"]
        sink = AppriseSink(urls=[lambda url=url: url for url in urls])  # type: ignore[misc]
        with pytest.raises(SinkError) as caught:
            await sink.deliver(alert(), {})
        assert server.letters == []
    assert str(caught.value) == "Apprise: a service did not take it"
    [(headers, body)] = receiver.requests
    assert json.loads(body)["type"] == "failure"
    assert "Authorization" in headers
    with pytest.raises(SinkError, match=r"^Apprise: Apprise does not understand URL number 2$"):
        await AppriseSink(urls=[lambda: urls[1], lambda: f"nonsense-{CANARY}"]).deliver(alert(), {})


async def test_a_mail_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifesign.alerts.apprise.TIMEOUT_S", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = mail(silent.getsockname()[1])
        with pytest.raises(SinkError, match="Apprise did not end within 3 s"):
            await AppriseSink(urls=[lambda: url]).deliver(alert(), {})


def test_the_drill_from_the_command_line_arrives_by_mail_and_by_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    config = configured(tmp_path, CHECK.format(port=free_port()) + SINK)
    with smtp_server() as server:
        monkeypatch.setenv("OPS_CHAT_URL", mail(server.port))
        assert drilled(config, "ops") == (0, "ops: drill opened, recovered\n", "")
    subjects = [str(letter.message["Subject"]) for letter in server.letters]
    assert ["[drill]" in subject for subject in subjects] == [True, True]
    assert subjects[1].endswith("works again")
    monkeypatch.setenv("OPS_CHAT_URL", f"json://127.0.0.1:{receiver.port}/{CANARY}")
    assert drilled(config, "ops") == (0, "ops: drill opened, recovered\n", "")
    assert [json.loads(body)["type"] for _, body in receiver.requests] == ["failure", "success"]


@pytest.mark.proof
def test_a_daemon_tells_by_mail_what_breaks_and_what_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with smtp_server() as server:
        monkeypatch.setenv("OPS_CHAT_URL", mail(server.port))
        with contextlib.ExitStack() as well, daemon(tmp_path, CHECK.format(port=port) + SINK):
            wait_until(lambda: len(server.letters) == 1, "a mail", 40)
            well.enter_context(port_open(port))
            wait_until(lambda: len(server.letters) == 2, "its end by mail", 40)
    first, second = (str(letter.message["Subject"]) for letter in server.letters)
    assert "gateway is down" in first
    assert "gateway works again" in second
