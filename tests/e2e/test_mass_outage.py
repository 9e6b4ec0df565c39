"""A mass outage is one alert from the real program, over its death and its restart, and from one run to the next."""

import contextlib
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.strict_gitea import StrictGitea
from tests.e2e.running import LIFESIGN, Daemon, daemon, ended, wait_until
from tests.e2e.test_alerts import port_open
from tests.e2e.test_forge import FORGE, forge
from tests.ports import free_port

__all__ = ["forge"]  # a fixture

NAMES = ("api", "feed", "gateway", "mind", "queue")
CONFIG = """
[defaults]
interval = "200ms"
timeout = "1s"
failure_threshold = {failures}
success_threshold = 1
grace = "100ms"
[alerts.script]
type = "command"
argv = ["/bin/sh", "-c", "cat >> told.jsonl; echo >> told.jsonl"]
min_update = "1s"
"""
CHECK = '[components.{name}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'


def outage(port: int, failures: int = 2) -> str:
    """A config of five that hang on one port."""
    return CONFIG.format(failures=failures) + "".join(CHECK.format(name=name, port=port) for name in NAMES)


def told(folder: Path) -> list[dict[str, Any]]:
    path = folder / "told.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.strip()]


def stages(folder: Path) -> list[str]:
    return [f"{alert['stage']} {alert['component']}" for alert in told(folder)]


@contextlib.contextmanager
def killed(folder: Path, config: str, number: int) -> Iterator[Daemon]:
    """A daemon that ends by kill -9."""
    path, log = folder / "lifesign.toml", folder / f"killed-{number}.jsonl"
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{config}')
    path.chmod(0o644)
    argv = [*LIFESIGN, "run", "-c", str(path), "--log-file", str(log)]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running = Daemon(path, log, process)
    try:
        wait_until(lambda: bool(running.events("monitor.started")), "the start told")
        yield running
    finally:
        process.send_signal(signal.SIGKILL)
        ended(process)


def issues_of(running: Daemon) -> set[str | None]:
    """What those that are down show as their issue."""
    return {running.component(name)["incident"]["url"] for name in NAMES}


def looked_at_down(running: Daemon, times: int = 8) -> None:
    """Waits until it has found each of them down so often from now on."""

    def failures() -> list[int]:
        found = [running.component(name) for name in NAMES]
        return [c["checks"][0]["consecutive_failures"] if c["state"] == "down" else 0 for c in found]

    wait_until(lambda: all(failures()), "all of them down")
    begun = failures()
    wait_until(lambda: all(now >= then + times for now, then in zip(failures(), begun, strict=True)), "more looks")


@pytest.mark.parametrize(
    "kills", [pytest.param(True, id="kill -9"), pytest.param(False, id="SIGTERM", marks=pytest.mark.proof)]
)
def test_a_restart_in_a_mass_outage_tells_nobody_anew_and_its_end_is_told_once(tmp_path: Path, *, kills: bool) -> None:
    port = free_port()
    config = outage(port)
    before = killed(tmp_path, config, 1) if kills else daemon(tmp_path, config)
    with before as running:
        wait_until(lambda: len(stages(tmp_path)) >= 1, "the alert")
        looked_at_down(running)
    with contextlib.ExitStack() as well, daemon(tmp_path, config) as running:
        looked_at_down(running)
        first, *others = stages(tmp_path)
        assert first.startswith("opened ")
        assert all(line == f"updated {first.split()[1]}" for line in others), "only who speaks is told of"
        well.enter_context(port_open(port))
        wait_until(lambda: "recovered" in str(stages(tmp_path)), "the end")
        wait_until(lambda: running.status()[0] == 200, "all of them well")
        wait_until(lambda: running.component(NAMES[0])["checks"][0]["consecutive_successes"] > 10, "a while")
    assert [line for line in stages(tmp_path) if "updated" not in line] == [first, first.replace("opened", "recovered")]
    last = told(tmp_path)[-1]
    assert last["note"].startswith("one common cause: 5 went down: api, feed, gateway, mind, queue")


def test_runs_from_cron_tell_a_mass_outage_once_and_its_end_once(tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "lifesign.toml"
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{outage(port, failures=1)}')
    path.chmod(0o644)

    def run(*words: str) -> str:
        argv = [*LIFESIGN, "check", "-c", str(path), *words]
        done = subprocess.run(argv, capture_output=True, timeout=60, check=False, text=True)
        assert done.stderr == ""
        return done.stdout

    with port_open(port):
        run()
    assert run("--dry-run").count("would send") == 1
    for _ in range(3):
        run()
    assert stages(tmp_path) == ["opened api"]
    assert told(tmp_path)[0]["note"] == "one common cause: 5 went down: api, feed, gateway, mind, queue"
    with port_open(port):
        run()
        run()
    assert stages(tmp_path) == ["opened api", "recovered api"]


def test_runs_over_single_components_tell_each_that_goes_down_by_itself(tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "lifesign.toml"
    path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{outage(port, failures=1)}')
    path.chmod(0o644)
    for name in ("mind", "api"):
        subprocess.run([*LIFESIGN, "check", "-c", str(path), name], capture_output=True, timeout=60, check=False)
    assert stages(tmp_path) == ["opened mind", "opened api"]


def test_a_forge_gets_one_issue_of_a_mass_outage(tmp_path: Path, forge: StrictGitea) -> None:
    port = free_port()
    with contextlib.ExitStack() as well, daemon(tmp_path, outage(port) + FORGE.format(url=forge.url)) as running:
        looked_at_down(running)
        wait_until(lambda: len(forge.issues) == 1, "the issue")
        [ticket] = forge.issues
        assert re.fullmatch(r"\w+ and [234] others are down: not ready: connection refused by .*", ticket.title)
        assert "one common cause: " in ticket.body
        wait_until(lambda: None not in issues_of(running), "each shows the issue in which it is told of")
        assert len(issues_of(running)) == 1
        well.enter_context(port_open(port))
        wait_until(lambda: forge.open == [], "the issue closed")
        wait_until(lambda: running.status()[0] == 200, "all of them well")
        story = forge.tickets[1].notes[-1].body
        assert "it was down for" in story
        assert "one common cause: 5 went down" in story
        assert len(forge.issues) == 1
