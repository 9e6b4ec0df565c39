"""One lifesign watches another by its heartbeat file: a monitor that finishes no round is told as not working."""

import json
import signal
from pathlib import Path
from typing import Any

from tests.e2e.running import check, daemon, wait_until
from tests.ports import free_port

CONFIG = '[defaults]\ninterval = "100ms"\n[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{0}"\n'
WATCHER = """
[monitor]
state_dir = "state-of-the-other"
[components.lifesign.checks.rounds]
type = "heartbeat"
path = "state/heartbeat.json"
stale_after = "3s"
"""


def test_a_stopped_monitor_goes_stale_for_the_other_one_and_an_ended_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "state" / "heartbeat.json"
    other = tmp_path / "other.toml"
    other.write_text(WATCHER)
    other.chmod(0o644)

    def beat() -> dict[str, Any]:
        found = json.loads(path.read_bytes())
        assert isinstance(found, dict)
        return found

    with daemon(tmp_path, CONFIG.format(free_port())) as running:
        wait_until(path.exists, "a beat")
        first = beat()
        assert first["pid"] == running.process.pid
        wait_until(lambda: beat()["cycle"] > first["cycle"], "another round")
        assert beat()["started_at"] == first["started_at"] <= first["timestamp"]
        assert check(other)[1]["overall"] == "healthy"
        running.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: check(other)[1]["overall"] == "down", "stale")
            assert "no new work for" in check(other)[1]["components"][0]["diagnosis"]
        finally:
            running.process.send_signal(signal.SIGCONT)
        wait_until(lambda: check(other)[1]["overall"] == "healthy", "it works again")
    assert beat()["status"] == "stopping"
