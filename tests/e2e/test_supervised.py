"""A worker under a real Supervisor: hung, it is restarted by every automatic and manual path, and the log tells it."""

import http.client
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.respawned import Respawned
from tests.e2e.running import LIFESIGN, Daemon, daemon, wait_until
from tests.restarts.needs import needs

pytestmark = needs("supervisor", programs=("supervisord",), root=False)

CONFIG = """
[unix_http_server]
file={folder}/s.sock
[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:mind]
command={python} {script} {folder}
startsecs=0
autorestart=true
"""
RESTART = """
[components.mind.restart]
{method}
automatic = {automatic}
after = "1s"
grace = "30s"
"""
METHODS = {
    "supervisor": 'method = "supervisor"\nprogram = "mind"\nserver = "unix://{folder}/s.sock"',
    "signal": 'method = "signal"',
}


class Supervised(Respawned):
    """The worker of the shell loop, with Supervisor in its place."""

    def start(self) -> None:
        """Starts Supervisor; returns once the worker has begun."""
        config = self.folder / "supervisord.conf"
        config.write_text(CONFIG.format(folder=self.folder, python=sys.executable, script=self.script))
        supervisord = shutil.which("supervisord")
        assert supervisord is not None
        self.loop = subprocess.Popen(
            [supervisord, "-c", str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        wait_until(lambda: bool(self.pids), "the worker's first start", 30)

    def stop(self) -> None:
        """Ends Supervisor, which ends the worker."""
        if self.loop is not None:
            self.loop.terminate()
            self.loop.wait(timeout=30)


@contextmanager
def supervised(folder: Path) -> Iterator[Supervised]:
    running = Supervised(folder)
    try:
        yield running
    finally:
        running.stop()


def by_itself(running: Daemon) -> None:
    """Nobody need do anything."""


def by_the_shell(running: Daemon) -> None:
    asked = subprocess.run(
        [*LIFESIGN, "restart", "mind", "-c", str(running.config), "--reason", "it hangs"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    assert "first work after" in asked.stdout


def by_the_api(running: Daemon) -> None:
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(str(running.socket))
    body = json.dumps({"reason": "it hangs"})
    connection.request(
        "POST", "/api/v1/components/mind/restart", body, {"Content-Type": "application/json", "Host": "localhost"}
    )
    assert connection.getresponse().status == 202
    connection.close()


@pytest.mark.proof
@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("path", [by_itself, by_the_shell, by_the_api])
def test_a_hung_worker_is_restarted_and_works_again(tmp_path: Path, method: str, path: Any) -> None:
    automatic = path is by_itself
    with supervised(tmp_path) as worker:
        worker.start()
        text = RESTART.format(method=METHODS[method].format(folder=tmp_path), automatic=str(automatic).lower())
        with daemon(tmp_path, worker.config + text) as running:
            running.wait_for_event("component.healthy", "mind")
            worker.hang()
            running.wait_for_event("component.down", "mind")
            path(running)
            data = running.wait_for_event("restart.productive", "mind")["data"]
            [sent] = running.events("restart.sent")
            before, after = worker.pids
            assert (f"SIGTERM to pid {before} " if method == "signal" else f"(pid {after})") in sent["message"]
            assert (sent["level"], sent["data"]["automatic"]) == ("ERROR", automatic)
            assert (data["pid_before"], data["pid_after"]) == (before, after)
            assert 0 < data["process_after_s"] <= data["work_after_s"] < 30
            assert running.events("process.replaced") == []
