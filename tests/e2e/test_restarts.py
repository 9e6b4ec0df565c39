"""Restarts from end to end: a real daemon, a worker that a plain shell loop starts anew, and every kind of hanging."""

import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.e2e.respawned import respawned
from tests.e2e.running import LIFESIGN, Daemon, daemon, wait_until

SIGNAL = """
[components.mind.restart]
method = "signal"
automatic = {automatic}
after = "{after}"
grace = "{grace}"
backoff = {{ initial = "1s", factor = 2, max = "30s" }}
"""
COMMAND = """
[components.mind.restart]
method = "command"
argv = ["{python}", "{script}", "{folder}"]
automatic = true
after = "1s"
grace = "2s"
backoff = {{ initial = "1s", factor = 2, max = "30s" }}
"""
DEED = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
with (folder / "deeds").open("a") as deeds:
    deeds.write(f"{time.monotonic()}\\n")
time.sleep(0.7)
os.kill(int((folder / "starts").read_text().split()[-1]), signal.SIGTERM)
"""


def by_signal(*, automatic: bool = True, after: str = "1s", grace: str = "20s") -> str:
    return SIGNAL.format(automatic=str(automatic).lower(), after=after, grace=grace)


def restart(running: Daemon) -> dict[str, Any]:
    found = running.component("mind")["restart"]
    assert isinstance(found, dict)
    return found


def test_a_hung_worker_is_restarted_by_itself_and_the_log_tells_signal_new_pid_and_first_work(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        worker.start()
        with daemon(tmp_path, worker.config + by_signal()) as running:
            running.wait_for_event("component.healthy", "mind")
            worker.hang()
            productive = running.wait_for_event("restart.productive", "mind")
            [sent] = running.events("restart.sent")
            before, after = worker.pids
            assert f"SIGTERM to pid {before}" in sent["message"]
            assert sent["level"] == "ERROR"
            assert sent["data"]["automatic"]
            data = productive["data"]
            assert (data["pid_before"], data["pid_after"]) == (before, after)
            assert 0 < data["process_after_s"] <= data["work_after_s"] < 20
            running.wait_for_event("component.recovered", "mind")
            [made] = restart(running)["history"]
            assert (made["outcome"], made["pid_before"], made["pid_after"]) == ("productive", before, after)
            assert running.events("process.replaced") == []
            assert restart(running)["phase"] == "idle"
            assert restart(running)["budget_left"] == 4


def test_an_operator_restarts_a_hung_worker_from_the_shell_and_waits_for_its_first_work(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        worker.start()
        with daemon(tmp_path, worker.config + by_signal(automatic=False)) as running:
            running.wait_for_event("component.healthy", "mind")
            worker.hang()
            running.wait_for_event("component.down", "mind")
            ask = [*LIFESIGN, "restart", "mind", "-c", str(running.config), "--reason", "it hangs"]
            asked = subprocess.run(ask, capture_output=True, text=True, timeout=40, check=False)
            assert asked.returncode == 0, asked.stderr
            aim, deed, *_ = asked.stdout.splitlines()
            before = worker.pids[0]
            assert aim.startswith("mind: restart by signal")
            assert f", pid {before}, running for " in aim
            assert aim.endswith(" (it hangs)")
            assert deed.startswith(f"mind: SIGTERM to pid {before} (python")
            [sent] = running.events("restart.sent")
            assert sent["data"]["reason"] == "it hangs"
            assert sent["data"]["author"]
            assert len(worker.pids) == 2
            assert restart(running)["budget_left"] == 5
            assert subprocess.run(ask, capture_output=True, timeout=40, check=False).returncode == 1


def test_r14_what_another_monitor_of_the_host_has_spent_on_the_same_target_is_shown_and_kept_to(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        worker.start()
        config = worker.config + by_signal() + 'max_restarts = 1\nwindow = "1h"\n'
        with daemon(tmp_path, config) as one:
            one.wait_for_event("component.healthy", "mind")
            worker.hang()
            one.wait_for_event("restart.productive", "mind")
        other = tmp_path / "other"
        other.mkdir()
        with daemon(other, config.replace('"heartbeat.json"', f'"{tmp_path / "heartbeat.json"}"')) as two:
            two.wait_for_event("component.healthy", "mind")
            wait_until(lambda: restart(two)["budget_left"] == 0, "what the other monitor has spent")
            assert restart(two)["budget_at"]
            worker.hang()
            withheld = two.wait_for_event("restart.withheld", "mind")
            assert "1 restart within 1h spent by the monitors of this host together" in withheld["message"]
            assert "history" not in restart(two)
    assert len(worker.pids) == 2


def test_a_fresh_process_may_be_slow_and_an_old_heartbeat_is_no_evidence(tmp_path: Path) -> None:
    """The quiet path: 40 minutes old before the first start, and first work later than the limit, within the grace."""
    with respawned(tmp_path) as worker:
        (tmp_path / "heartbeat.json").write_text(f'{{"timestamp": {time.time() - 2400}}}')
        (tmp_path / "slow").write_text("2")
        with daemon(tmp_path, worker.config + by_signal(after="8s", grace="20s")) as running:
            running.wait_for_event("component.down", "mind")
            worker.start()
            running.wait_for_event("component.recovered", "mind")
            assert running.events("restart.sent") == []
            worker.hang()
            running.wait_for_event("restart.productive", "mind")
            wait_until(lambda: restart(running)["unproductive"] == 0, "no count")
            down = len(running.events("component.down"))
            threading.Event().wait(4)  # none comes in the time in which a second one could
            assert len(running.events("component.down")) == down == 2
        [sent] = running.events("restart.sent")
        assert running.events("restart.unproductive") == []
        assert sent["data"]["attempt"] == 1
        assert len(worker.pids) == 2


def test_a_worker_that_never_works_gets_its_three_restarts_over_a_death_of_ours_in_every_phase(tmp_path: Path) -> None:
    (tmp_path / "deed.py").write_text(DEED)
    method = COMMAND.format(python=sys.executable, script=tmp_path / "deed.py", folder=tmp_path)
    deaths: list[str] = []
    with respawned(tmp_path) as worker:
        worker.start()
        worker.hang_for_good()
        deadline_s = time.monotonic() + 120
        while time.monotonic() < deadline_s and "exhausted" not in deaths:
            deaths.append(_killed_in_a_new_phase(tmp_path, worker.config + method, deaths))
        assert set(deaths) == {"waiting", "restarting", "verifying", "backoff", "exhausted"}
        with daemon(tmp_path, worker.config + method) as running:
            wait_until(lambda: _phase(running) == "exhausted", "an answer")
            assert restart(running)["unproductive"] == 3
            assert "gave up after 3 unproductive restarts" in running.component("mind")["next"]
            _, told = running.request("GET", "/api/v1/events")
            assert [event["event"] for event in told["events"]].count("restart.exhausted") == 1
            wait_until(lambda: running.status()[0] == 503, "503")
            made = len(_deeds(tmp_path))
            assert made in (2, 3)  # killed between its record and its deed one counts, and is not made (R12)
            first, second, third = (_seconds(made["at"]) for made in restart(running)["history"])
            assert second - first <= third - second + 0.01  # whatever delayed the one delays the other
            worker.mend()
            rearm = [*LIFESIGN, "rearm", "mind", "-c", str(running.config)]
            rearmed = subprocess.run(rearm, timeout=60, check=False, capture_output=True, text=True)
            assert rearmed.stdout.endswith("; budget: 2 of 5 left\n"), rearmed.stderr
            assert restart(running)["unproductive"] == 0
            wait_until(lambda: restart(running)["phase"] == "idle", "all is well again")
        assert len(_deeds(tmp_path)) == made


def _phase(running: Daemon) -> str:
    try:
        return str(restart(running)["phase"])
    except OSError:  # the socket is still the dead one's
        return "idle"


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def _deeds(folder: Path) -> list[float]:
    deeds = folder / "deeds"
    return [float(line) for line in deeds.read_text().split()] if deeds.exists() else []


def _killed_in_a_new_phase(folder: Path, config: str, known: list[str]) -> str:
    """Runs a daemon until a phase is seen that is not `known`, and kills it in that moment."""
    seen = ""
    running = daemon(folder, config)
    one = running.__enter__()
    try:

        def is_new() -> bool:
            nonlocal seen
            seen = _phase(one)
            return seen not in ("idle", *known)

        wait_until(is_new, "another phase", timeout_s=30)
    finally:
        one.process.kill()
        one.process.wait()
    return seen


def test_a_dry_run_tells_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        worker.start()
        with daemon(tmp_path, worker.config + by_signal(grace="1s"), "--dry-run") as running:
            running.wait_for_event("component.healthy", "mind")
            worker.hang()
            running.wait_for_event("restart.exhausted", "mind")
            assert all(event["message"].startswith("dry run: ") for event in running.events("restart.sent"))
        assert len(worker.pids) == 1


def test_a_restart_that_finds_nobody_to_hit_is_refused_with_the_reason_by_the_api_and_the_shell(tmp_path: Path) -> None:
    config = '[components.mind.checks.process]\ntype = "process"\npattern = "no_such_program_anywhere"\n' + by_signal()
    with daemon(tmp_path, config) as running:
        status, body = running.request("POST", "/api/v1/components/mind/restart")
        assert (status, body["detail"]) == (409, "nothing tells which process to signal: no check has seen exactly one")
        argv = [*LIFESIGN, "restart", "-c", str(running.config), "mind", "--no-wait"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (1, "")
        assert "nothing tells which process to signal" in done.stderr
        wait_until(lambda: bool(running.events("restart.withheld")), "it in the log, too")
