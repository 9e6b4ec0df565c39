"""The real daemon tells a webhook and a command what breaks and what works again, over silence, reload and death."""

import contextlib
import hashlib
import hmac
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import LIFESIGN, daemon, wait_until
from tests.ports import free_port

CHECK = """
[defaults]
interval = "200ms"
timeout = "1s"
failure_threshold = 2
success_threshold = 1
grace = "1ms"
[components.gateway]
tags = ["edge"]
[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
"""
SINKS = """
[alerts.hook]
type = "webhook"
url = "http://127.0.0.1:{hook}/in?token=canary-in-the-url"
secret = {{ env = "HOOK_SECRET" }}
headers = {{ X-Team = "nexus" }}
[alerts.script]
type = "command"
argv = ["/bin/sh", "-c", "cat >> told.jsonl; echo >> told.jsonl"]
only = ["tag:edge"]
[alerts.nobody]
type = "command"
argv = ["/bin/false"]
except = ["gateway"]
"""


class Receiver:
    """A receiver of webhooks that may be told to refuse. `alerts`: what it took, in order."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status < 300:
                    receiver.requests.append((dict(self.headers.items()), body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the base
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def stages(self) -> list[str]:
        return [json.loads(body)["stage"] for _, body in self.requests]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("HOOK_SECRET", "canary-in-the-secret")
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@contextlib.contextmanager
def port_open(port: int) -> Iterator[None]:
    """Somebody listens there. Where a daemon watches it is left open until that has ended: its end is told, too."""
    with socket.create_server(("127.0.0.1", port), backlog=4096):
        yield


def test_each_incident_is_told_once_and_its_end_too(tmp_path: Path, receiver: Receiver) -> None:
    port = free_port()
    config = (CHECK + SINKS).format(port=port, hook=receiver.port)
    told = tmp_path / "told.jsonl"
    with contextlib.ExitStack() as well, daemon(tmp_path, config) as running:
        wait_until(lambda: receiver.stages == ["opened"], "an alert")
        well.enter_context(port_open(port))
        wait_until(lambda: receiver.stages == ["opened", "recovered"], "its end")
        sent = running.wait_for_event("alert.sent", "gateway", 4)
    assert sent["data"]["sink"] in ("hook", "script")
    headers, body = receiver.requests[0]
    alert = json.loads(body)
    assert (alert["component"], alert["state"], alert["tags"]) == ("gateway", "down", ["edge"])
    assert "connection refused" in alert["diagnosis"]
    assert alert["checks"][0]["consecutive_failures"] >= 2
    expected = hmac.new(b"canary-in-the-secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Lifesign-Signature"] == f"sha256={expected}"
    assert headers["X-Team"] == "nexus"
    assert json.loads(receiver.requests[1][1])["incident"] == alert["incident"]
    stages = [json.loads(line)["stage"] for line in told.read_text().splitlines() if line]
    assert stages == ["opened", "recovered"]
    log = running.log.read_text() + (tmp_path / "stderr").read_text()
    assert "canary" not in log


def test_a_receiver_that_refuses_hears_of_it_in_the_end_and_over_our_death(tmp_path: Path, receiver: Receiver) -> None:
    port = free_port()
    config = (CHECK + SINKS).format(port=port, hook=receiver.port)
    receiver.status = 503
    path, log = tmp_path / "lifesign.toml", tmp_path / "first.jsonl"
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{config}')
    first = subprocess.Popen([*LIFESIGN, "run", "-c", str(path), "--log-file", str(log)], stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: log.exists() and "alert.failed" in log.read_text(), "the refusal told")
    finally:
        first.kill()
        first.wait()
    failed, *_ = [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "alert.failed"]
    assert failed["message"] == "hook: 127.0.0.1 answers 503: it is in trouble itself"
    (tmp_path / "state" / "lifesign.sock").unlink()
    receiver.status = 200
    with daemon(tmp_path, config):
        wait_until(lambda: receiver.stages == ["opened"], "the alert of before", 30)
        with port_open(port):
            wait_until(lambda: receiver.stages == ["opened", "recovered"], "its end")


def test_a_silence_keeps_alerts_back_and_its_end_lets_one_out(tmp_path: Path, receiver: Receiver) -> None:
    port = free_port()
    config = (CHECK + SINKS).format(port=port, hook=receiver.port)
    with port_open(port), daemon(tmp_path, config) as running:
        running.wait_for_event("component.healthy", "gateway")
        argv = [*LIFESIGN, "silence", "gateway", "1h", "--reason", "a deploy", "-c", str(running.config)]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        receiver.requests.clear()
    with daemon(tmp_path, config) as running:
        running.wait_for_event("component.down", "gateway")
        assert running.status()[0] == 503
        running.wait_for_event("check.failed", "gateway")
        assert receiver.stages == []
        subprocess.run([*LIFESIGN, "unsilence", "gateway", "-c", str(running.config)], check=True, timeout=60)
        wait_until(lambda: receiver.stages == ["opened"], "the alert after the silence")
        assert json.loads(receiver.requests[0][1])["note"] == "the silence or hold is over, and it is still down"


def test_a_dead_mans_switch_is_fed_while_we_work(tmp_path: Path, receiver: Receiver) -> None:
    config = CHECK.format(port=free_port())
    config += f'[alerts.watched]\ntype = "ping"\ninterval = "100ms"\nurl = "http://127.0.0.1:{receiver.port}/ping"\n'
    seen: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(1)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the base
            pass

    receiver.server.RequestHandlerClass = Handler
    with daemon(tmp_path, config) as running:
        wait_until(lambda: len(seen) >= 3, "three pings")
        os.kill(running.process.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: not _grows(seen), "no more pings")
        finally:
            os.kill(running.process.pid, signal.SIGCONT)
        count = len(seen)
        wait_until(lambda: len(seen) > count, "pings again")


def _grows(seen: list[int]) -> bool:
    before = len(seen)
    threading.Event().wait(0.5)
    return len(seen) > before


def test_runs_from_cron_tell_by_the_thresholds_and_each_incident_once(tmp_path: Path, receiver: Receiver) -> None:
    port = free_port()
    path = tmp_path / "lifesign.toml"
    sinks = SINKS.format(hook=receiver.port)
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{CHECK.format(port=port)}{sinks}')

    def run(*words: str) -> int:
        done = subprocess.run(
            [*LIFESIGN, "check", "-c", str(path), *words], capture_output=True, timeout=40, check=False
        )
        assert done.stderr == b""
        return done.returncode

    def told() -> list[str]:
        events = subprocess.run(
            [*LIFESIGN, "events", "-c", str(path), "--json"], capture_output=True, timeout=40, check=True
        )
        return [line["event"] for line in map(json.loads, events.stdout.splitlines()) if "alert" in line["event"]]

    assert run("--dry-run") == 2
    assert (run(), receiver.stages) == (2, [])
    receiver.status = 503
    assert (run(), receiver.stages) == (2, [])
    assert told() == ["alert.failed", "alert.sent"]
    receiver.status = 200
    wait_until(lambda: run() == 2 and receiver.stages == ["opened"], "the alert is tried again", 40)
    assert run("gateway") == 2
    with port_open(port):
        assert run() == 0
    assert receiver.stages == ["opened", "recovered"]
    assert run() == 2
    assert receiver.stages == ["opened", "recovered"]


def test_a_dry_run_prints_what_would_be_sent_and_sends_and_writes_nothing(tmp_path: Path, receiver: Receiver) -> None:
    port = free_port()
    path = tmp_path / "lifesign.toml"
    path.write_text(
        f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{CHECK.format(port=port)}{SINKS.format(hook=receiver.port)}'
    )
    path.chmod(0o644)

    def run(*words: str) -> tuple[list[str], str]:
        argv = [*LIFESIGN, "check", "-c", str(path), *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=40, check=False)
        return [line for line in done.stdout.splitlines() if line.startswith("would send")], done.stderr

    assert run("--dry-run") == ([], "")
    assert not (tmp_path / "state").exists()
    assert run() == ([], "")
    before = {file.name: file.read_bytes() for file in (tmp_path / "state").iterdir()}
    for _ in range(2):
        lines, errors = run("--dry-run")
        assert [line.partition(" is down")[0] for line in lines] == [
            "would send to hook: gateway",
            "would send to script: gateway",
        ]
        assert "connection refused" in lines[0]
        assert errors == ""
    as_json = run("--dry-run", "--json")
    assert as_json[0] == []
    assert as_json[1].count("would send to ") == 2
    assert (receiver.stages, (tmp_path / "told.jsonl").exists()) == ([], False)
    assert {file.name: file.read_bytes() for file in (tmp_path / "state").iterdir()} == before
    receiver.status = 503
    assert run() == ([], "")
    lines, _ = run("--dry-run")
    assert [line.partition(" is down")[0] for line in lines] == ["would send to hook, where it waits: gateway"]
    with port_open(port):
        lines, _ = run("--dry-run")
        assert lines[1:] == ["would send to hook: gateway works again", "would send to script: gateway works again"]


def test_runs_that_overlap_tell_of_it_once(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "lifesign.toml"
    checked = CHECK.format(port=free_port())
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{checked}{SINKS.format(hook=receiver.port)}')
    path.chmod(0o644)
    argv = [*LIFESIGN, "check", "-c", str(path)]
    for _ in range(2):
        runs = [subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
        assert {run.wait(60) for run in runs} <= {2, 3}
    wait_until(lambda: subprocess.run(argv, capture_output=True, check=False).returncode == 2, "a run by itself")
    assert receiver.stages == ["opened"]
    assert (tmp_path / "told.jsonl").read_text().count('"stage":"opened"') == 1
