"""`lifesign alert --test SINK` from the command line: a marked drill arrives, and leaves nothing behind."""

import http.server
import json
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from lifesign.alerts.forge import Marker
from tests.alerts.strict_forge import Fault
from tests.alerts.strict_gitea import StrictGitea
from tests.alerts.strict_github import StrictGitHub
from tests.e2e.forges import forge_running
from tests.e2e.running import LIFESIGN, daemon
from tests.e2e.test_alerts import CHECK, SINKS, Receiver, receiver
from tests.e2e.test_forge import FORGE
from tests.ports import free_port

__all__ = ["receiver"]  # a fixture


def drilled(config: Path, *sinks: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    words = [word for sink in sinks for word in ("--test", sink)]
    argv, environment = [*LIFESIGN, "alert", "-c", str(config), *words], {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=environment)
    return done.returncode, done.stdout, done.stderr


def configured(folder: Path, config: str) -> Path:
    path = folder / "lifesign.toml"
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{config}')
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("dialect", ["gitea", "forgejo"])
def test_a_forge_gets_a_whole_issue_that_is_deleted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    with forge_running(StrictGitea()) as forge:
        monkeypatch.setenv("FORGE_TOKEN", forge.token)
        text = FORGE.replace("gitea", dialect) + 'except = ["*"]\nnotify_after = "1h"\nmax_issues = 1\n'
        config = configured(tmp_path, CHECK.format(port=free_port()) + text.format(url=forge.url))
        forge.file("a human's", labels=("watchdog",))
        code, out, err = drilled(config, "forge")
        assert out == f"forge: drill opened {forge.url}/team/nexus/issues/2, updated, closed, deleted\n"
        assert err == "lifesign: warning: forge: not known there as an assignee: nobody: an issue was made without\n"
        assert code == 0
        made = [text for text in forge.requests if re.match("POST .*/issues\n", text)]
        assert ["[drill] drill-" in text for text in made] == [True, True]  # the first with an unknown assignee
        assert forge.deleted == {2}
        assert forge.open == [1]
    assert not (tmp_path / "state").exists()


def test_what_cannot_be_deleted_stays_closed_and_says_that_it_was_a_drill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", StrictGitHub.token)
    with forge_running(StrictGitHub()) as forge:
        text = FORGE.replace('"gitea"', '"github"').replace(', "nobody"', "")
        config = configured(tmp_path, CHECK.format(port=free_port()) + text.format(url=forge.url + forge.prefix))
        code, out, err = drilled(config, "forge")
        assert (code, err) == (0, "")
        assert out.endswith("updated, closed, not deleted (the API or the token cannot)\n")
        [ticket] = forge.issues
        assert ticket.title.startswith("[drill] drill-")
        assert "this is a drill: nothing is wrong" in ticket.body
        assert (forge.open, len(ticket.notes)) == ([], 2)
        marker = Marker.found_in(ticket.body)
        assert marker is not None
        assert marker.monitor == "e2e/drill"
    with forge_running(StrictGitea()) as gitea:
        gitea.is_admin = False
        config = configured(tmp_path, CHECK.format(port=free_port()) + FORGE.format(url=gitea.url))
        code, out, _ = drilled(config, "forge")
        assert (code, gitea.open, len(gitea.issues)) == (0, [], 1)
        assert out.endswith("updated, closed, not deleted (the API or the token cannot)\n")


def test_what_a_forge_refuses_is_one_line_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with forge_running(StrictGitea()) as forge:
        monkeypatch.setenv("FORGE_TOKEN", "canary-of-another")
        text = FORGE.replace(', "nobody"', "").format(url=forge.url)
        config = configured(tmp_path, CHECK.format(port=free_port()) + text)
        refused = (1, "", "lifesign: forge: 127.0.0.1 answers 401: the token is refused\n")
        assert drilled(config, "forge") == refused
        monkeypatch.setenv("FORGE_TOKEN", forge.token)
        forge.faults = [Fault(500, "POST .*/issues$", "after", times=1)]  # made, and the answer lost
        code, out, err = drilled(config, "forge")
        assert (code, out) == (1, "forge: drill deleted\n")
        assert "lifesign: forge: 127.0.0.1 answers 500: it is in trouble itself\n" in err
        assert forge.issues == []


def test_messengers_hear_of_its_beginning_and_its_end(tmp_path: Path, receiver: Receiver) -> None:
    config = configured(tmp_path, CHECK.format(port=free_port()) + SINKS.format(hook=receiver.port))
    assert drilled(config, "hook", "script") == (
        0,
        "hook: drill opened, recovered\nscript: drill opened, recovered\n",
        "",
    )
    told = [json.loads(body) for _, body in receiver.requests]
    assert [headers["X-Lifesign-Drill"] for headers, _ in receiver.requests] == ["true", "true"]
    assert [(alert["stage"], alert["drill"], alert["monitor"]) for alert in told] == [
        ("opened", True, "e2e"),
        ("recovered", True, "e2e"),
    ]
    lines = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines() if line]
    assert [line["stage"] for line in lines] == ["opened", "recovered"]
    code, out, err = drilled(config, "nobody")
    assert (code, out, err) == (1, "", "lifesign: nobody: /bin/false ended with 1\n")
    receiver.status = 503
    code, out, err = drilled(config, "hook")
    assert (code, out, err) == (1, "", "lifesign: hook: 127.0.0.1 answers 503: it is in trouble itself\n")


def test_a_dead_mans_switch_is_pinged_once(tmp_path: Path) -> None:
    port = free_port()
    text = f'[alerts.switch]\ntype = "ping"\nurl = "http://127.0.0.1:{port}/canary"\n'
    config = configured(tmp_path, CHECK.format(port=free_port()) + text)
    code, out, err = drilled(config, "switch")
    assert (code, out) == (1, "")
    assert err.startswith("lifesign: switch: 127.0.0.1 cannot be reached: ")
    assert "canary" not in err
    asked: list[str] = []

    class Switch(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    with http.server.HTTPServer(("127.0.0.1", port), Switch) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert drilled(config, "switch") == (0, "switch: drill pinged\n", "")
        thread.join()
    assert asked == ["/canary"]


def test_a_daemon_that_runs_is_not_disturbed(tmp_path: Path, receiver: Receiver) -> None:
    config = CHECK.format(port=free_port()) + SINKS.format(hook=receiver.port)
    receiver.status = 503
    with daemon(tmp_path, config) as running:
        running.wait_for_event("alert.failed", "gateway")  # its own alert waits in its outbox
        receiver.status = 204
        assert drilled(running.config, "hook")[0] == 0
        told = [json.loads(body) for _, body in receiver.requests]
        assert [alert["component"].startswith("drill-") for alert in told] == [True, True] + [False] * (len(told) - 2)
        _, state = running.request("GET", "/api/v1/state")
        assert [component["name"] for component in state["components"]] == ["gateway"]
        assert all("drill" not in json.dumps(event) for event in running.events())


def test_what_is_asked_for_wrongly_is_usage_and_a_bad_config_is_78(tmp_path: Path, receiver: Receiver) -> None:
    config = configured(tmp_path, CHECK.format(port=free_port()) + SINKS.format(hook=receiver.port))
    code, out, err = drilled(config, "hok")
    assert (code, out) == (2, "")
    assert "there is no sink 'hok': did you mean hook?" in err
    assert drilled(config)[0] == 2
    config.write_text("nonsense = 1\n")
    code, _, err = drilled(config, "hook")
    assert code == 78
    assert "nonsense" in err
    assert receiver.requests == []
