"""`lifesign check --act` from cron: a real worker in a shell loop, restarted and verified by runs of one round."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.respawned import Respawned, respawned
from tests.e2e.running import LIFESIGN, daemon, wait_until
from tests.e2e.test_restarts import COMMAND, DEED, by_signal
from tests.e2e.test_survival import stored


def written(folder: Path, text: str) -> Path:
    config = folder / "lifesign.toml"
    config.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{text}')
    config.chmod(0o644)
    return config


def run(config: Path, *words: str) -> tuple[dict[str, Any], str]:
    """One run; the component and what it said."""
    argv = [*LIFESIGN, "check", "-c", str(config), "--json", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    [found] = json.loads(done.stdout)["components"]
    return found, done.stderr


def act_until(config: Path, phase: str, timeout_s: float = 40) -> tuple[dict[str, Any], str]:
    """Runs as from a crontab, every half a second, until the restart is in `phase`."""
    deadline_s, said = time.monotonic() + timeout_s, ""
    while time.monotonic() < deadline_s:
        found, words = run(config, "--act")
        said += words
        if found["restart"]["phase"] == phase:
            return found, said
        time.sleep(0.5)
    raise AssertionError(f"never {phase}: {said}")


def told(folder: Path) -> list[str]:
    return [event["event"] for event in stored(folder) if event["event"].startswith(("restart.", "process."))]


def begun(worker: Respawned) -> None:
    worker.start()
    wait_until((worker.folder / "heartbeat.json").exists, "the first work")


def test_a_hung_worker_is_restarted_by_one_run_and_verified_by_another(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        begun(worker)
        config = written(tmp_path, worker.config + by_signal())
        assert run(config, "--act")[0]["restart"]["phase"] == "idle"
        worker.hang()
        found, said = act_until(config, "verifying")
        before = worker.pids[0]
        assert f"lifesign: mind: restarted, 1 of 3: SIGTERM to pid {before} (python" in said
        assert "work must resume within" in found["next"]
        wait_until(lambda: len(worker.pids) == 2, "the new process")
        found, said = act_until(config, "idle")
        assert "productive: work resumed" in said
        [made] = found["restart"]["history"]
        assert (made["outcome"], made["pid_before"], made["pid_after"]) == ("productive", *worker.pids)
        assert found["restart"]["budget_left"] == 4
        assert told(tmp_path) == ["restart.sent", "restart.productive"]
        assert len(worker.pids) == 2


def test_without_act_nothing_is_restarted_and_a_dry_run_with_it_is_refused(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        begun(worker)
        config = written(tmp_path, worker.config + by_signal())
        worker.hang()
        deadline_s = time.monotonic() + 5
        while time.monotonic() < deadline_s:
            run(config)
        assert (len(worker.pids), told(tmp_path)) == (1, [])
        argv = [*LIFESIGN, "check", "-c", str(config), "--act", "--dry-run"]
        refused = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert (refused.returncode, refused.stdout) == (3, "")
        assert "take one of them" in refused.stderr


def test_beside_a_daemon_a_run_that_may_act_only_looks(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        begun(worker)
        text = worker.config + by_signal(automatic=False)
        with daemon(tmp_path, text) as running:
            running.wait_for_event("component.healthy", "mind")
            worker.hang()
            running.wait_for_event("component.down", "mind")
            text = running.config.read_text().replace("automatic = false", "automatic = true")
            acting = tmp_path / "acting.toml"
            acting.write_text(text)
            for _ in range(4):
                found, said = run(acting, "--act")
                assert (found["state"], said) == ("down", "")
                time.sleep(0.5)
        assert len(worker.pids) == 1


@pytest.mark.proof
def test_one_that_never_works_is_given_up_by_runs_and_re_armed_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "deed.py").write_text(DEED)
    method = COMMAND.format(python=sys.executable, script=tmp_path / "deed.py", folder=tmp_path)
    with respawned(tmp_path) as worker:
        worker.start()
        worker.hang_for_good()
        config = written(tmp_path, worker.config + method)
        found, said = act_until(config, "exhausted", 60)
        assert "gave up after 3 unproductive restarts" in said
        assert "gave up after 3 unproductive restarts" in found["next"]
        for _ in range(4):
            assert run(config, "--act")[0]["restart"]["phase"] == "exhausted"
        assert len((tmp_path / "deeds").read_text().split()) == 3
        assert told(tmp_path).count("restart.exhausted") == 1


@pytest.mark.proof
@pytest.mark.parametrize("after_s", [0.1, 0.5])
def test_r12_a_run_that_is_killed_over_its_deed_is_followed_by_no_second_one(tmp_path: Path, after_s: float) -> None:
    """The deed itself takes 0.7 s: killed before its signal or after it, by 40 runs that follow it is not repeated."""
    (tmp_path / "deed.py").write_text(DEED)
    method = COMMAND.format(python=sys.executable, script=tmp_path / "deed.py", folder=tmp_path)
    deeds = tmp_path / "deeds"
    with respawned(tmp_path) as worker:
        begun(worker)
        config = written(tmp_path, worker.config + method.replace('grace = "2s"', 'grace = "60s"'))
        worker.hang_for_good()
        deadline_s = time.monotonic() + 90
        while not deeds.exists() and time.monotonic() < deadline_s:
            argv = [*LIFESIGN, "check", "-c", str(config), "--act"]
            process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None:
                if deeds.exists():
                    time.sleep(after_s)  # the moment of the death, not a wait for anything
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                time.sleep(0.01)
        assert deeds.exists()
        found: dict[str, Any] = {}
        for _ in range(6):
            found, _ = run(config, "--act")
        assert found["restart"]["phase"] in ("verifying", "idle")
        assert len(deeds.read_text().split()) == 1
