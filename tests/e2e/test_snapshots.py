"""The state document by its JSON Schema, whoever makes it, and the snapshots that a daemon takes of its incidents."""

import contextlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lifesign.api.client import Client
from lifesign.api.render import state_document
from lifesign.bootstrap.incident_snapshots import prune, write_snapshots
from lifesign.cli.engine_child import EngineChild
from tests.api.fakes import component, info, mind_down, monitor
from tests.e2e.running import LIFESIGN, check, daemon, wait_until
from tests.e2e.test_alerts import port_open
from tests.ports import free_port

CONFIG = """
[components.mind]
title = "Consciousness loop"
tags = ["nexus"]
[components.mind.checks.beat]
type = "heartbeat"
path = "beat.json"
stale_after = "200ms"
grace = "100ms"
[components.mind.restart]
method = "command"
argv = ["/bin/true"]
[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
interval = "100ms"
failure_threshold = 2
success_threshold = 1
grace = "100ms"
[components.tools]
optional = true
[components.tools.checks.load]
type = "host"
max_load = 1000
"""


def told(*words: str) -> Any:
    done = subprocess.run([*LIFESIGN, *words], capture_output=True, timeout=40, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def validate() -> Callable[[Any], None]:
    """By the schema as it is printed."""
    schema = told("snapshot", "--schema")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate


def test_the_documents_of_daemon_oneshot_and_console_are_as_their_schema_says(
    tmp_path: Path, validate: Callable[[Any], None]
) -> None:
    (tmp_path / "beat.json").write_text('{"timestamp": 1795269802, "cycle": 4, "model": "m"}')
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        running.wait_for_event("component.down", "gateway")
        running.wait_for_event("component.down", "mind")
        for words in (["silence", "mind", "1h"], ["hold", "gateway", "1h"]):
            subprocess.run([*LIFESIGN, *words, "-c", str(running.config), "--reason", "x"], check=True, timeout=90)
        for words in (["ack", "mind"], ["pause", "tools"]):
            subprocess.run([*LIFESIGN, *words, "-c", str(running.config)], check=True, timeout=90)
        subprocess.run([*LIFESIGN, "restart", "mind", "--no-wait", "-c", str(running.config)], check=True, timeout=90)
        document = told("snapshot", "-c", str(running.config))
    validate(document)
    assert document["monitor"]["mode"] == "daemon"
    mind = document["components"][0]
    assert all(mind[key] for key in ("silence", "acknowledged", "incident", "restart"))
    assert mind["restart"]["history"]
    _, document = check(running.config)
    validate(document)
    assert document["monitor"]["mode"] == "oneshot"
    with EngineChild(["run", "-c", str(running.config)]) as engine:
        document = json.loads(Client.connect(engine.target, 10.0).get("/api/v1/state").body)
    validate(document)
    assert document["monitor"]["mode"] == "console"


def test_what_is_no_state_is_refused(tmp_path: Path, validate: Callable[[Any], None]) -> None:
    name = "a-20261121T140322123Z-1-down"
    write_snapshots(tmp_path, [name], state_document(monitor(mind_down(), component()), info()))
    good = json.loads((tmp_path / f"{name}.json").read_text())
    validate(good)
    for path, value in (
        (["overall"], "fine"),
        (["schema"], "lifesign.state/2"),
        (["generated_at"], "2026-11-21T14:03:22Z"),
        (["components", 0, "state"], "dead"),
        (["components", 0, "since"], "yesterday"),
        (["components", 0, "layers", "working"], "broken"),
        (["components", 0, "checks", 0, "layer"], "lively"),
        (["components", 0, "checks", 0, "consecutive_failures"], "many"),
        (["components", 0, "restart", "phase"], "soon"),
        (["counts", "down"], None),
    ):
        bad = json.loads(json.dumps(good))
        place = bad
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        with pytest.raises(jsonschema.ValidationError):
            validate(bad)
    del good["monitor"]["observer"]
    with pytest.raises(jsonschema.ValidationError):
        validate(good)


def test_an_incident_leaves_the_whole_state_when_it_opens_and_when_it_ends(
    tmp_path: Path, validate: Callable[[Any], None]
) -> None:
    (tmp_path / "beat.json").write_text('{"timestamp": 1795269802, "cycle": 4}')
    folder, port = tmp_path / "incidents", free_port()
    text = 'incident_snapshots = "incidents"\n' + CONFIG.format(port=port)
    with contextlib.ExitStack() as well, daemon(tmp_path, text) as running:
        down = running.wait_for_event("component.down", "gateway")["incident"]
        other = running.wait_for_event("component.down", "mind")["incident"]
        names = {f"{incident}-down.{form}" for incident in (down, other) for form in ("json", "html")}
        wait_until(lambda: all((folder / name).exists() for name in names), "both openings are there")
        well.enter_context(port_open(port))
        running.wait_for_event("component.recovered", "gateway")
        wait_until((folder / f"{down}-recovered.html").exists, "the end is there")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.iterdir())) == 6
    for path in folder.glob("*.json"):
        validate(json.loads(path.read_text()))
    opened = json.loads((folder / f"{down}-down.json").read_text())
    ended = json.loads((folder / f"{down}-recovered.json").read_text())
    assert {c["name"]: c["state"] for c in opened["components"]}["gateway"] == "down"
    assert {c["name"]: c["state"] for c in ended["components"]}["gateway"] == "healthy"
    assert "not ready" in (folder / f"{down}-down.html").read_text()


def test_a_folder_that_cannot_be_written_costs_a_line_and_not_the_watch(tmp_path: Path) -> None:
    (tmp_path / "incidents").write_text("in the way")
    port = free_port()
    with daemon(tmp_path, 'incident_snapshots = "incidents"\n' + CONFIG.format(port=port)) as running:
        running.wait_for_event("component.down", "gateway")
        wait_until(lambda: "cannot be written" in (tmp_path / "stderr").read_text(), "it is told")
        with port_open(port):
            running.wait_for_event("component.recovered", "gateway")


def test_the_oldest_go_first_and_what_others_put_there_stays(tmp_path: Path) -> None:
    for number in range(6):
        path = tmp_path / f"mind-20261121T140322123Z-{number}-down.json"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 + number, 1000 + number))
    (tmp_path / "notes.json").write_text("mine")
    os.utime(tmp_path / "notes.json", (1, 1))
    prune(tmp_path, most_files=4)
    assert sorted(path.name[-11:-10] for path in tmp_path.glob("mind-*")) == ["2", "3", "4", "5"]
    prune(tmp_path, most_bytes=250)
    assert sorted(path.name[-11:-10] for path in tmp_path.glob("mind-*")) == ["4", "5"]
    assert (tmp_path / "notes.json").read_text() == "mine"
