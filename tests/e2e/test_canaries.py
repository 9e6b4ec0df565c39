"""Secrets that are planted everywhere occur in nothing that is sent, logged, kept, shown or printed."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.alerts.strict_forge import Fault
from tests.alerts.strict_gitea import StrictGitea
from tests.e2e.forges import forge_running
from tests.e2e.running import LIFESIGN, Daemon, check, daemon, wait_until
from tests.e2e.test_alerts import Receiver, receiver
from tests.e2e.test_drill import drilled
from tests.ports import free_port

__all__ = ["receiver"]  # a fixture

CONFIGURED = {name: f"canary-{name.lower()}-5ecre7" for name in ("FORGE", "HOOK_SIGN", "HOOK_URL", "HEADER", "ENVIRON")}
LOOKS = {
    "key": "canary-beat-key",
    "message": "canary-beat-message",
    "nested": "canary-beat-nested",
    "form": "ghp_canary" + "c4n4ry" * 6,
    "line": "canary-log-line",
    "bearer": "canary.log.bearer",
    "userinfo": "canary-user-info",
    "query": "canary-query",
}
CONFIG = """
[defaults]
interval = "200ms"
timeout = "1s"
failure_threshold = 1
grace = "1ms"
[components.mind.checks.beat]
type = "heartbeat"
path = "beat.json"
stale_after = "1h"
[components.feed.checks.lines]
type = "log"
path = "feed.log"
pattern = "done"
fail_pattern = "ERROR"
stale_after = "1h"
[components.page.checks.http]
type = "http"
url = "http://127.0.0.1:{nowhere}/?token=canary-query"
headers = {{ Authorization = {{ env = "HEADER" }} }}
[components.script.checks.command]
type = "command"
argv = ["/bin/sh", "-c", "echo \\"cannot log in as $ENVIRON\\"; exit 2"]
env = {{ ENVIRON = {{ env = "ENVIRON" }} }}
[alerts.forge]
type = "gitea"
url = "{forge}"
repo = "team/nexus"
token = {{ env = "FORGE" }}
min_update = "0s"
[alerts.hook]
type = "webhook"
url = {{ env = "HOOK_URL" }}
secret = {{ env = "HOOK_SIGN" }}
headers = {{ X-Key = {{ env = "HEADER" }} }}
min_update = "0s"
[alerts.nowhere]
type = "webhook"
url = {{ env = "NOWHERE" }}
"""


def plant(folder: Path, message: str) -> None:
    """A heartbeat that fails and a log line that fails, full of what is nobody's business."""
    beat = {
        "timestamp": time.time(),
        "status": "error",
        "message": f"{message}; password={LOOKS['message']} with {CONFIGURED['FORGE']} and {LOOKS['form']}",
        "api_key": LOOKS["key"],
        "login": {"user": "joe", "session_token": LOOKS["nested"]},
        "seen": [f"https://joe:{LOOKS['userinfo']}@host/", CONFIGURED["HOOK_SIGN"]],
    }
    half = folder / "beat.part"
    half.write_text(json.dumps(beat))
    half.replace(folder / "beat.json")
    with (folder / "feed.log").open("a") as log:
        log.write(f"ERROR secret={LOOKS['line']} Authorization: Bearer {LOOKS['bearer']} {CONFIGURED['HEADER']}\n")


def asked(running: Daemon, *words: str) -> str:
    argv = [*LIFESIGN, words[0], "-c", str(running.config), *words[1:]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    return done.stdout + done.stderr


def of_the_api(running: Daemon, path: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(40)
        client.connect(str(running.socket))
        client.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b"")).decode()


def test_no_canary_leaves_by_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    canaries = [*CONFIGURED.values(), *LOOKS.values()]
    found: dict[str, str] = {}
    with forge_running(StrictGitea()) as forge:
        forge.token = CONFIGURED["FORGE"]
        url = f"http://127.0.0.1:{receiver.port}/{CONFIGURED['HOOK_URL']}"
        nowhere = free_port()
        elsewhere = f"http://127.0.0.1:{nowhere}/{LOOKS['query']}"
        for name, value in {**CONFIGURED, "HOOK_URL": url, "NOWHERE": elsewhere}.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "feed.log").write_text("done\n")
        plant(tmp_path, "cannot log in")
        config = CONFIG.format(forge=forge.url, nowhere=nowhere)
        well = f'type = "tcp"\naddress = "{forge.url.removeprefix("http://")}"\n'  # or all would be one common cause
        config += "".join(f"[components.well{number}.checks.port]\n{well}" for number in range(5))
        with daemon(tmp_path, config) as running:
            plant(tmp_path, "cannot log in")
            for component in ("mind", "feed", "page", "script"):
                running.wait_for_event("component.down", component)
            wait_until(lambda: len(forge.open) == 4, "four issues")
            forge.faults = [Fault(500, "", body=CONFIGURED["FORGE"], times=1)]
            receiver.status = 500
            plant(tmp_path, "its disk is full")
            wait_until(lambda: any(ticket.notes for ticket in forge.issues), "a comment")
            wait_until(lambda: any("hook: " in event["message"] for event in running.events("alert.failed")), "no hook")
            for path in ("/api/v1/state", "/api/v1/events", "/metrics", "/api/health/status"):
                found[path] = of_the_api(running, path)
            for words in ("snapshot", "events"):
                found[words] = asked(running, words)
            found["drill"] = "".join(map(str, drilled(running.config, "hook", "nowhere", "forge")))
        assert not running.socket.exists()
        code, document = check(running.config)
        found["check"] = f"{code} {json.dumps(document)}"
        found |= {f"request {at}": text for at, text in enumerate(forge.requests)}
        found |= {f"body {at}": body.decode() for at, (_, body) in enumerate(receiver.requests)}
    for file in (tmp_path / "events.jsonl", tmp_path / "stderr", *(tmp_path / "state").rglob("*")):
        if file.is_file():
            found[str(file)] = file.read_bytes().decode("utf-8", "replace")
    assert len(found) > 25
    assert "its disk is full; password=[redacted] with [redacted] and [redacted]" in found["/api/v1/state"]
    assert any("its disk is full" in text for text in forge.requests)
    leaks = [(name, canary) for name, text in found.items() for canary in canaries if canary in text]
    assert leaks == [], os.linesep.join(map(str, leaks))
