"""A real daemon on a config of the test's own, and the ways to ask it. Nothing here knows how it works inside."""

import contextlib
import functools
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stopwatch import kept_waiting_s

LIFESIGN = [sys.executable, "-m", "lifesign"]


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


@dataclass
class Daemon:
    """One running daemon. `log` holds its events, one JSON object a line."""

    config: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> Path:
        return self.config.parent / "state" / "lifesign.sock"

    def request(self, method: str, path: str) -> tuple[int, Any]:
        connection = UnixConnection(self.socket)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def serves(self) -> bool:
        """Whether it takes a connection: its socket is a file a moment before it listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(20)
            return probe.connect_ex(str(self.socket)) == 0

    def status(self) -> tuple[int, Any]:
        return self.request("GET", "/api/health/status")

    def component(self, name: str) -> dict[str, Any]:
        _, state = self.request("GET", "/api/v1/state")
        [found] = [c for c in state["components"] if c["name"] == name]
        assert isinstance(found, dict)
        return found

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]  # the last may be under way
        return [event for event in events if name is None or event["event"] == name]

    def wait_for_event(self, name: str, component: str, count: int = 1) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [event for event in self.events(name) if event.get("component") == component]

        wait_until(lambda: len(found()) >= count, f"{count} × {name} of {component}")
        return found()[count - 1]


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    """Polls until `condition` holds; fails with `what` otherwise."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"in vain for {timeout_s} s: {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def daemon(folder: Path, config: str, *options: str, start_s: float = 60.0) -> Iterator[Daemon]:
    """Runs `lifesign run` on `config` in `folder`; ends it by SIGTERM, which must take less than 5 s.

    `start_s`: so long its start may take.
    """
    path = folder / "lifesign.toml"
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{config}')
    path.chmod(0o644)
    log = folder / "events.jsonl"
    errors = (folder / "stderr").open("wb")
    lives = sum('"monitor.started"' in line for line in log.read_text().splitlines()) if log.exists() else 0
    process = subprocess.Popen(
        [*LIFESIGN, "run", "-c", str(path), "--log-file", str(log), *options], stdin=subprocess.DEVNULL, stderr=errors
    )
    running = Daemon(path, log, process)
    try:
        wait_until(lambda: running.serves() or process.poll() is not None, "a socket", start_s)
        assert process.poll() is None, (folder / "stderr").read_text()
        wait_until(lambda: len(running.events("monitor.started")) > lives, "the start told")
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        code, took_s = ended(process)
        errors.close()
    assert (code, took_s < 5) == (0, True), f"{took_s} s: {(folder / 'stderr').read_text()}"
    assert not running.socket.exists()


def ended(process: subprocess.Popen[bytes], timeout_s: float = 40.0) -> tuple[int, float]:
    """Its exit code, and the seconds until then, less those in which it or we were ready and had no processor."""
    if process.poll() is not None:
        return process.returncode, 0.0
    begun_s, kept_s = time.monotonic(), kept_waiting_s(process.pid) + kept_waiting_s(os.getpid())
    look = functools.partial(os.waitid, os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    wait_until(lambda: look() is not None, "the end of a daemon", timeout_s)
    took_s = time.monotonic() - begun_s - (kept_waiting_s(process.pid) + kept_waiting_s(os.getpid()) - kept_s)
    return process.wait(), took_s


def check(config: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """`lifesign check --json`: exit code and state document."""
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        [*LIFESIGN, "check", "-c", str(config), "--json", *arguments],
        capture_output=True,
        timeout=90,
        env=environment,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return done.returncode, document


@contextlib.contextmanager
def console_lines(config: Path) -> Iterator[Callable[[], str]]:
    """`lifesign console` without a terminal, attached to the daemon of `config`: what it has printed so far."""
    output = config.with_name("console.out")
    with output.open("wb") as sink:
        process = subprocess.Popen([*LIFESIGN, "console", "-c", str(config)], stdin=subprocess.DEVNULL, stdout=sink)
    try:
        yield output.read_text
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)
