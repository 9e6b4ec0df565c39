"""The real daemon keeps one issue in a forge that is as strict as Gitea's description."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.strict_forge import Fault
from tests.alerts.strict_gitea import StrictGitea
from tests.e2e.forges import forge_running
from tests.e2e.running import Daemon, daemon, wait_until
from tests.e2e.test_alerts import CHECK, port_open
from tests.ports import free_port

FORGE = """
[alerts.forge]
type = "gitea"
url = "{url}"
repo = "team/nexus"
token = {{ env = "FORGE_TOKEN" }}
labels = ["watchdog"]
assignees = ["oncall", "nobody"]
"""


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictGitea]:
    with forge_running(StrictGitea()) as made:
        monkeypatch.setenv("FORGE_TOKEN", made.token)
        yield made


def test_down_is_one_issue_that_the_state_names_and_recovery_closes_it(tmp_path: Path, forge: StrictGitea) -> None:
    port = free_port()
    config = CHECK.format(port=port) + FORGE.format(url=forge.url)
    with daemon(tmp_path, config) as running:
        running.wait_for_event("alert.sent", "gateway")
        [ticket] = forge.issues
        assert "connection refused" in ticket.body
        assert (forge.names(ticket), ticket.assignees) == (["watchdog"], ["oncall"])
        wait_until(lambda: running.component("gateway")["incident"]["url"] is not None, "the issue in the state")
        assert running.component("gateway")["incident"]["url"] == f"{forge.url}/team/nexus/issues/1"
        told = [event["message"] for event in running.events("alert.failed")]
        assert told == ["forge: not known there as an assignee: nobody: an issue was made without"]
    with contextlib.ExitStack() as well, daemon(tmp_path, config) as running:
        assert running.component("gateway")["incident"]["url"] == f"{forge.url}/team/nexus/issues/1"
        well.enter_context(port_open(port))
        wait_until(lambda: forge.open == [], "the issue closed")
        running.wait_for_event("component.recovered", "gateway")
        assert "**Works again**" in forge.tickets[1].notes[-1].body
    assert len(forge.issues) == 1
    said = "".join(path.read_text() for path in (tmp_path / "events.jsonl", tmp_path / "stderr"))
    assert forge.token not in said + "".join(forge.requests)


def test_a_forge_that_is_down_delays_nothing_and_gets_the_issue_when_it_is_back(
    tmp_path: Path, forge: StrictGitea
) -> None:
    port = free_port()
    forge.faults = [Fault(500, "POST .*/issues$", "after", times=1)]  # made, and the answer lost
    with daemon(tmp_path, CHECK.format(port=port) + FORGE.format(url=forge.url)) as running:
        failed = running.wait_for_event("alert.failed", "gateway")
        assert failed["message"] == "forge: 127.0.0.1 answers 500: it is in trouble itself"
        assert running.status()[0] == 503
        running.wait_for_event("alert.sent", "gateway")
        assert (len(forge.issues), forge.open) == (1, [1])


def test_past_max_issues_the_next_one_waits_for_room_and_that_is_told(tmp_path: Path, forge: StrictGitea) -> None:
    first, second = free_port(), free_port()
    config = CHECK.format(port=first) + "[components.feed.checks.port]\ntype = 'tcp'\n"
    config += f"address = '127.0.0.1:{second}'\n" + FORGE.format(url=forge.url) + "max_issues = 1\n"
    with daemon(tmp_path, config) as running:
        wait_until(lambda: len(running.events("alert.failed")) >= 2, "the second held back")  # and an assignee missing
        [held] = [event for event in running.events("alert.failed") if "held back" in event["message"]]
        assert held["message"] == "forge: held back: 1 issue is open, and max_issues allows no more"
        wait_until(lambda: outbox_of(running) == (0, [held["component"]]), "the state says so")
        assert forge.open == [1]
        with port_open(second if held["component"] == "gateway" else first):
            wait_until(lambda: forge.open == [2], "its issue, once the first was closed")
        assert held["component"] in forge.tickets[2].title
        wait_until(lambda: len(running.events("alert.sent")) >= 3, "that is told too")
        wait_until(lambda: outbox_of(running)[1] == [], "nothing is held back any more")


def outbox_of(running: Daemon) -> tuple[int, list[str]]:
    """How many alerts wait, and of which components they are held back."""
    outbox = running.request("GET", "/api/v1/state")[1]["monitor"]["outbox"]
    return outbox["depth"], outbox["held_back"]
