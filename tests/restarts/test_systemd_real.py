"""Restart of units by a real systemd, the PID 1 of private namespaces: what it says, and what it then does."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.strangers import wait_until
from tests.restarts.needs import needs
from tests.restarts.systemd_machine import Machine

pytestmark = [pytest.mark.proof, needs("systemd", "util-linux", programs=("systemctl", "unshare", "nsenter"))]

SLEEPS = "ExecStart=/bin/sleep 600"
DEAF = f"""ExecStart={sys.executable} -I -S -c \
"import signal, sys, time; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w'); time.sleep(600)" """


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    yield machine
    machine.close()


def test_a_running_service_gets_a_new_process(machine: Machine) -> None:
    unit = machine.start("mind.service", SLEEPS)
    before = machine.restarter("current", unit)["identity"]
    assert before[0] == int(machine.show(unit, "MainPID"))
    found = machine.restarter("restart", unit)
    after = machine.restarter("current", unit)["identity"]
    assert found["words"] == f"unit mind.service (pid {before[0]})"
    assert found["identity"] == before
    assert found["done"] == f"systemd restarted unit mind.service (pid {after[0]})"
    assert after[0] != before[0]
    assert after[1] > before[1]


def test_to_ask_for_the_target_restarts_nothing(machine: Machine) -> None:
    unit = machine.start("asked.service", SLEEPS)
    before = machine.restarter("current", unit)
    assert machine.restarter("target", "asked")["words"].startswith("unit asked.service (pid ")
    assert machine.restarter("current", unit) == before


@pytest.mark.parametrize("restart", ["no", "on-failure", "always"])
def test_what_a_human_stopped_is_left_alone(machine: Machine, restart: str) -> None:
    unit = machine.start(f"stopped-{restart}.service", f"{SLEEPS}\nRestart={restart}")
    machine.systemctl("stop", unit)
    assert machine.restarter("restart", unit) == {
        "hands_off": f"unit {unit} was stopped by somebody, so it is left alone"
    }
    assert machine.show(unit, "ActiveState") == "inactive"


def test_what_a_human_stopped_while_it_waited_to_come_back_is_left_alone(machine: Machine) -> None:
    body = "ExecStart=/bin/sh -c 'exit 3'\nRestart=always\nRestartSec=600"
    unit = machine.start("waits.service", body)
    machine.wait_for(unit, "SubState", "auto-restart")
    found = machine.restarter("restart", unit)
    assert found == {"hands_off": f"systemd is already at work on unit {unit} (activating, auto-restart)"}
    machine.systemctl("stop", unit)
    assert "was stopped by somebody" in machine.restarter("restart", unit)["hands_off"]


def test_what_ended_well_by_itself_is_started(machine: Machine) -> None:
    unit = machine.unit("ends.service", "ExecStart=/bin/sleep 0.3\nRestart=on-failure")
    assert "systemd remembers no end of it" in machine.restarter("target", unit)["hands_off"]  # it never ran
    machine.systemctl("start", unit)
    machine.wait_for(unit, "ActiveState", "inactive")
    (Path(machine._units) / unit).write_text(f"[Unit]\nDefaultDependencies=no\n[Service]\n{SLEEPS}\n")
    machine.systemctl("daemon-reload")
    found = machine.restarter("restart", unit)
    assert found["identity"] is None
    assert found["done"].startswith(f"systemd restarted unit {unit} (pid ")
    assert machine.show(unit, "ActiveState") == "active"


def test_what_its_own_watchdog_ended_is_started(machine: Machine) -> None:
    unit = machine.start("suicide.service", SLEEPS + "\nRestart=on-failure")
    machine.systemctl("kill", "--signal=SIGTERM", unit)
    machine.wait_for(unit, "ActiveState", "inactive")
    assert machine.restarter("restart", unit)["done"].startswith(f"systemd restarted unit {unit} (pid ")


def test_what_failed_is_started(machine: Machine) -> None:
    unit = machine.start("fails.service", SLEEPS)
    machine.systemctl("kill", "--signal=SIGKILL", unit)
    machine.wait_for(unit, "ActiveState", "failed")
    assert machine.restarter("restart", unit)["done"].startswith(f"systemd restarted unit {unit} (pid ")


def test_what_cannot_start_is_told_in_one_sentence(machine: Machine) -> None:
    unit = machine.unit("broken.service", "ExecStart=/no/such/program\nType=exec")
    machine.systemctl("start", unit, check=False)
    machine.wait_for(unit, "ActiveState", "failed")
    words = machine.restarter("restart", unit)["failed"]
    assert words.startswith(f"systemd could not restart {unit}: Job for {unit} failed")
    assert "\n" not in words


def test_the_start_limit_of_a_unit_is_respected(machine: Machine) -> None:
    limit = "StartLimitIntervalSec=600\nStartLimitBurst=1"
    unit = machine.start("limited.service", "ExecStart=/bin/sh -c 'exit 3'\nRestart=always\nRestartSec=1ms", limit)
    machine.wait_for(unit, "ActiveState", "failed")
    assert f"could not restart {unit}" in machine.restarter("restart", unit)["failed"]


def test_a_unit_that_is_starting_is_left_alone(machine: Machine) -> None:
    unit = machine.unit("starts.service", f"ExecStartPre=/bin/sleep 600\n{SLEEPS}\nTimeoutStartSec=infinity")
    machine.systemctl("start", "--no-block", unit)
    machine.wait_for(unit, "ActiveState", "activating")
    words = machine.restarter("restart", unit)["hands_off"]
    assert words.startswith(f"systemd is already at work on unit {unit} (job ")
    machine.systemctl("stop", unit)


def test_a_unit_that_is_stopping_is_left_alone(machine: Machine, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    unit = machine.start("stops.service", f"{DEAF} {ready}\nTimeoutStopSec=600")
    wait_until(ready.exists)
    machine.systemctl("stop", "--no-block", unit)
    machine.wait_for(unit, "ActiveState", "deactivating")
    assert "systemd is already at work" in machine.restarter("restart", unit)["hands_off"]
    machine.systemctl("kill", "--signal=SIGKILL", unit)


def test_a_oneshot_that_was_stopped_is_left_alone(machine: Machine) -> None:
    unit = machine.start("once.service", "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true")
    assert machine.restarter("target", unit) == {"words": f"unit {unit}", "identity": None}
    machine.systemctl("stop", unit)
    assert "was stopped by somebody" in machine.restarter("restart", unit)["hands_off"]


def test_a_unit_that_is_not_there_or_masked_is_told(machine: Machine) -> None:
    assert machine.restarter("target", "nobody") == {"hands_off": "there is no unit nobody.service"}
    (Path(machine._units) / "masked.service").symlink_to("/dev/null")
    machine.systemctl("daemon-reload")
    assert machine.restarter("target", "masked") == {"hands_off": "unit masked.service is masked, so it is left alone"}


def test_a_stop_by_a_human_after_our_last_look_wins(machine: Machine) -> None:
    unit = machine.start("race.service", SLEEPS)
    found = machine.restarter("race", unit)
    assert found == {"hands_off": f"unit {unit} was stopped by somebody meanwhile, so it is left alone"}
    assert machine.show(unit, "ActiveState") == "inactive"


def test_a_stop_by_a_human_that_is_under_way_wins_too(machine: Machine, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    unit = machine.start("job.service", f"{DEAF} {ready}\nTimeoutStopSec=600")
    wait_until(ready.exists)
    found = machine.restarter("job", unit)
    assert found["hands_off"].startswith(f"systemd is already at work on unit {unit} (job ")
    machine.systemctl("kill", "--signal=SIGKILL", unit)
    machine.wait_for(unit, "ActiveState", "failed")


def test_a_process_that_ignores_its_stop_is_killed_only_where_that_was_asked_for(
    machine: Machine, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    unit = machine.start("deaf.service", f"{DEAF} {ready}\nTimeoutStopSec=600")
    wait_until(ready.exists)
    pid = machine.show(unit, "MainPID")
    words = machine.restarter("restart", unit, patience_s=1)["failed"]
    assert words == f"systemd is still at the restart of unit {unit} (pid {pid}) after 1s"
    assert machine.show(unit, "MainPID") == pid
    ready.unlink()
    machine.systemctl("kill", "--signal=SIGKILL", unit)
    wait_until(ready.exists)
    machine.wait_for(unit, "ActiveState", "active")
    found = machine.restarter("restart", unit, escalate_s=0.5)
    assert found["done"].endswith(", SIGKILL after 0.5 s")
    assert machine.show(unit, "MainPID") not in ("0", str(found["identity"][0]))


def test_the_unit_that_lifesign_runs_in_is_never_restarted(machine: Machine, tmp_path: Path) -> None:
    root, said = Path(__file__).parents[2], tmp_path / "said"
    call = f"{sys.executable} -m tests.restarts.inside systemd '[[\"self.service\"], {{}}]' restart"
    body = f"WorkingDirectory={root}\nType=exec\nExecStart=/bin/sh -c '{call.replace(chr(39), chr(34))}'\n"
    (tmp_path / "call.sh").write_text(f"{call} > {said}.part && mv {said}.part {said}; exec sleep 600\n")
    machine.start("self.service", body.replace(body.split("ExecStart=")[1], f"/bin/sh {tmp_path}/call.sh\n"))
    wait_until(said.exists)
    assert said.read_text() == '{"hands_off": "lifesign itself runs in unit self.service, which it never restarts"}\n'


def test_a_unit_of_a_users_own_manager_is_restarted(machine: Machine) -> None:
    units = Path(machine._units).parent / "user-units"
    units.mkdir()
    (units / "worker.service").write_text(f"[Unit]\nDefaultDependencies=no\n[Service]\n{SLEEPS}\n")
    (units / "default.target").write_text("[Unit]\nDefaultDependencies=no\nWants=worker.service\n")
    body = (
        "ExecStart=/lib/systemd/systemd --user\nType=notify\nDelegate=yes\nEnvironment=XDG_RUNTIME_DIR=/run/user/0\n"
        f"Environment=SYSTEMD_UNIT_PATH={units} HOME=/root\n"
    )
    machine.start("manager.service", body)
    ask = ("env", "XDG_RUNTIME_DIR=/run/user/0", "systemctl", "--user", "show", "-P", "MainPID", "worker.service")
    wait_until(lambda: machine.run(*ask).strip() != "0")
    before = machine.run(*ask).strip()
    found = machine.restarter("restart", "user:worker")
    after = machine.run(*ask).strip()
    assert found["words"] == f"user unit worker.service (pid {before})"
    assert found["done"] == f"systemd restarted user unit worker.service (pid {after})"
    assert after not in ("0", before)
    machine.run("env", "XDG_RUNTIME_DIR=/run/user/0", "systemctl", "--user", "stop", "worker.service")
    assert "so it is left alone" in machine.restarter("restart", "user:worker")["hands_off"]
