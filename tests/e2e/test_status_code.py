"""/api/health/status turns 503 on sustained failure of what matters: never on a blip, never for an optional part."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Daemon, daemon, wait_until

CONFIG = """
[defaults]
interval = "150ms"
timeout = "20s"  # with two intervals what may go unseen before it is unknown, on a machine that is busy
failure_threshold = 3
success_threshold = 2
grace = "1s"

[components.gateway]
optional = {optional}
[components.gateway.checks.health]
type = "http"
url = "http://127.0.0.1:{port}/"

[components.other.checks.health]
type = "http"
url = "http://127.0.0.1:{port}/always"
"""


class Target:
    """An HTTP server that fails exactly as many probes as it is told."""

    def __init__(self) -> None:
        self.probes = 0
        self.to_fail = 0
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code = 200
                if self.path == "/":
                    target.probes += 1
                    if target.to_fail:
                        target.to_fail -= 1
                        code = 500
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def target() -> Iterator[Target]:
    served = Target()
    yield served
    served.close()


def codes_while_failing(running: Daemon, target: Target, failures: int) -> set[int]:
    """Every status code seen from before the first of `failures` failed probes until three probes after the last."""
    target.to_fail = failures
    end = target.probes + failures + 3
    codes = set()
    while target.probes < end:
        code, body = running.status()
        if body["overall"] != "unknown":  # that is told where the answer itself was late, on a machine that is busy
            codes.add(code)
    return codes


@pytest.mark.parametrize("failures", [1, 2])
def test_fewer_failed_probes_than_the_threshold_never_make_it_503(
    tmp_path: Path, target: Target, failures: int
) -> None:
    with daemon(tmp_path, CONFIG.format(port=target.port, optional="false")) as running:
        wait_until(lambda: running.component("gateway")["state"] == "healthy", "healthy")
        first = target.probes
        wait_until(lambda: target.probes > first + 4, "probes after the grace")
        for _ in range(3):
            assert codes_while_failing(running, target, failures) == {200}
        assert running.events("check.failing")
        assert not running.events("component.down")
        told = [event["event"] for event in running.events() if event.get("component") == "gateway"]
        told = told[
            told.index("component.healthy") :
        ]  # before, on a busy machine, the first look may outlast the grace
        assert "component.unknown" not in told


def test_the_third_failed_probe_makes_it_503_and_recovery_200(tmp_path: Path, target: Target) -> None:
    with daemon(tmp_path, CONFIG.format(port=target.port, optional="false")) as running:
        wait_until(lambda: running.component("gateway")["state"] == "healthy", "healthy")
        first = target.probes
        wait_until(lambda: target.probes > first + 4, "probes after the grace")
        target.to_fail = 1000
        wait_until(lambda: running.status()[0] == 503, "503")
        gateway = running.component("gateway")
        assert gateway["state"] == "down"
        assert gateway["consecutive_failures"] >= 3
        assert gateway["diagnosis"].startswith("not ready: ")
        assert "500" in gateway["diagnosis"]
        assert running.request("GET", "/api/health/status/gateway")[0] == 503
        assert running.request("GET", "/api/health/status/other")[0] == 200
        assert running.request("GET", "/api/health/ready")[0] == 200
        target.to_fail = 0
        wait_until(lambda: running.status()[0] == 200, "200 again")
        running.wait_for_event("component.recovered", "gateway")  # the log is written once the store is
        assert [len(running.events(name)) for name in ("component.down", "component.recovered")] == [1, 1]
        assert running.events("component.down")[0]["level"] == "ERROR"


def test_an_optional_component_never_makes_it_503(tmp_path: Path, target: Target) -> None:
    with daemon(tmp_path, CONFIG.format(port=target.port, optional="true")) as running:
        wait_until(lambda: running.component("gateway")["state"] == "healthy", "healthy")
        target.to_fail = 1000
        wait_until(lambda: running.component("gateway")["state"] == "down", "the optional one is down")
        code, body = running.status()
        assert (code, body["overall"]) == (200, "degraded")
        assert running.request("GET", "/api/health/status/gateway")[0] == 503
