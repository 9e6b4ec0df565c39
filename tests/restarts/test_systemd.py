"""Restart of units by a systemctl that keeps to the published states, and by one that is broken, slow or absent."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from lifesign.core.model import Identity
from lifesign.restarts import systemd
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError
from lifesign.restarts.systemd import SystemdRestarter
from lifesign.restarts.unit_state import Unit
from tests.restarts.fake_systemctl import ended, install, running, stopped


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return tmp_path


def restart(restarter: SystemdRestarter) -> str:
    async def both() -> str:
        return await restarter.send(await restarter.target(Hint()))

    return asyncio.run(both())


def refused(restarter: SystemdRestarter) -> str:
    with pytest.raises(HandsOffError) as caught:
        asyncio.run(restarter.target(Hint()))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_running_unit_is_restarted_in_a_way_that_fights_nobody(path: Path) -> None:
    state = install(path, {"it.service": running(4_194_001)})
    restarter = SystemdRestarter("it")
    assert asyncio.run(restarter.current()) == Identity(4_194_001)
    assert restart(restarter) == "systemd restarted unit it.service (pid 4194002)"
    acts = [asked for asked in json.loads(state.read_text())["asked"] if "show" not in asked]
    assert acts == ["--system --no-ask-password --no-pager --job-mode=fail try-restart -- it.service"]


def test_a_unit_that_is_down_is_started(path: Path) -> None:
    state = install(path, {"it.service": ended()})
    assert restart(SystemdRestarter("it.service")) == "systemd restarted unit it.service (pid 4194100)"
    assert " start -- it.service" in json.loads(state.read_text())["asked"][-2]


def test_a_user_unit_is_asked_of_the_users_manager(path: Path) -> None:
    state = install(path, {"it.service": running()})
    assert restart(SystemdRestarter("user:it")).startswith("systemd restarted user unit it.service")
    assert all(asked.startswith("--user ") for asked in json.loads(state.read_text())["asked"])


HUMAN = "unit it.service was stopped by somebody, so it is left alone"
FORGOTTEN = "unit it.service does not run, and systemd remembers no end of it, so it is left alone"
AT_WORK = "systemd is already at work on unit it.service"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (running(), ""),
        (running(0, Type="oneshot", RemainAfterExit="yes", SubState="exited"), ""),
        (running(0, ActiveState="failed", SubState="failed", Result="exit-code"), ""),
        (running(0, ActiveState="failed", SubState="failed", Result="start-limit-hit"), ""),
        (ended(), ""),
        (ended(Restart="on-failure"), ""),
        (ended(Type="notify"), ""),
        (ended(ActiveExitTimestampMonotonic="1500"), ""),
        (stopped(), HUMAN),
        (stopped(Restart="always"), HUMAN),
        (ended(Restart="always"), HUMAN),
        (ended(Restart="on-success"), HUMAN),
        (ended(Type="oneshot"), HUMAN),
        (ended(RemainAfterExit="yes"), HUMAN),
        (ended(Result="exit-code"), HUMAN),
        (ended(ExecMainExitTimestampMonotonic="0"), HUMAN),
        (stopped(ActiveExitTimestampMonotonic="0"), FORGOTTEN),
        (running(ActiveState="activating", SubState="auto-restart"), f"{AT_WORK} (activating, auto-restart)"),
        (running(ActiveState="activating", SubState="start-pre"), f"{AT_WORK} (activating, start-pre)"),
        (running(ActiveState="deactivating", SubState="stop-sigterm"), f"{AT_WORK} (deactivating, stop-sigterm)"),
        (running(ActiveState="reloading", SubState="reload"), f"{AT_WORK} (reloading, reload)"),
        (running(ActiveState="active", SubState="reload"), f"{AT_WORK} (active, reload)"),
        (running(ActiveState="maintenance", SubState=""), f"{AT_WORK} (maintenance)"),
        (running(Job="77"), f"{AT_WORK} (job 77, active)"),
        (stopped(Job="77"), f"{AT_WORK} (job 77, inactive)"),
        (running(LoadState="masked"), "unit it.service is masked, so it is left alone"),
        (running(LoadState="bad-setting"), "unit it.service is bad-setting, so it is left alone"),
        ({}, "unit it.service is unknown to systemd, so it is left alone"),
    ],
)  # fmt: skip
def test_every_state_says_whether_a_restart_is_ours_to_make(properties: dict[str, str], reason: str) -> None:
    unit = Unit.read("it.service", "".join(f"{key}={value}\n" for key, value in properties.items()))
    if not reason:
        unit.refuse()
        return
    with pytest.raises(HandsOffError) as caught:
        unit.refuse()
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("ours", "is_ours"),
    [
        ("/system.slice/it.service", True),
        ("/system.slice/it.service/sub", True),
        ("/system.slice/it.service2", False),
        ("/system.slice", False),
        ("/", False),
        ("", False),
    ],
)
def test_the_unit_that_lifesign_runs_in_is_known_by_its_control_group(ours: str, is_ours: bool) -> None:
    unit = Unit("it.service", running())
    if not is_ours:
        unit.refuse(ours)
        return
    with pytest.raises(HandsOffError, match="lifesign itself runs in unit it"):
        unit.refuse(ours)


def test_a_unit_that_has_another_process_since_the_decision_is_left_alone(path: Path) -> None:
    state = install(path, {"it.service": running(4_194_001)})

    async def late() -> None:
        restarter = SystemdRestarter("it")
        target = await restarter.target(Hint())
        state.write_text(state.read_text().replace("4194001", "4194007"))
        await restarter.send(target)

    with pytest.raises(HandsOffError, match=r"^unit it\.service has another process by now"):
        asyncio.run(late())
    assert "restart" not in state.read_text().replace("auto-restart", "")


def test_a_job_that_came_meanwhile_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = install(path, {"it.service": running()})
    act = SystemdRestarter._restart

    async def late(restarter: SystemdRestarter, unit: Unit) -> str:
        state.write_text(state.read_text().replace('"Job": ""', '"Job": "9"'))
        return await act(restarter, unit)

    monkeypatch.setattr(SystemdRestarter, "_restart", late)
    with pytest.raises(HandsOffError, match=r"^systemd is already at work on unit it\.service, so it is left alone$"):
        restart(SystemdRestarter("it"))


def test_a_restart_that_fails_is_told_in_systemds_own_words(path: Path) -> None:
    install(path, {"it.service": running(fails="yes")})
    with pytest.raises(RestartFailedError) as caught:
        restart(SystemdRestarter("it"))
    words = "Job for it.service failed because the control process exited with error code. See elsewhere."
    assert str(caught.value) == f"systemd could not restart it.service: {words}"


def test_a_lack_of_rights_is_told_and_nobody_is_asked_for_a_password(path: Path) -> None:
    install(path, {"it.service": running()}, trouble="denied")
    with pytest.raises(RestartFailedError, match=r"Interactive authentication required\.$"):
        restart(SystemdRestarter("it"))


def test_a_machine_without_systemd_is_told(path: Path) -> None:
    install(path, {}, trouble="no-systemd")
    assert refused(SystemdRestarter("it")).startswith(
        "cannot ask systemd about it.service: System has not been booted with systemd as init system (PID 1)."
    )


def test_a_systemctl_that_is_missing_hangs_or_floods_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "ASK_TIMEOUT_S", 1.0)
    state = install(path, {}, trouble="hangs")
    assert refused(SystemdRestarter("it")) == "cannot ask systemd about it.service: no answer in 1s"
    state.write_text(state.read_text().replace("hangs", "floods"))
    assert refused(SystemdRestarter("it")).startswith("cannot ask systemd about it.service: ")
    monkeypatch.setenv("PATH", str(path))
    words = "cannot ask systemd about it.service: cannot start systemctl: No such file or directory"
    assert refused(SystemdRestarter("it")) == words
    assert asyncio.run(SystemdRestarter("it").current()) is None


def test_an_unknown_unit_is_told(path: Path) -> None:
    install(path, {})
    assert refused(SystemdRestarter("it")) == "there is no unit it.service"


@pytest.mark.parametrize(
    "name", ["", "-h", "--version", "a b", "a*", "a?", "[a]", "a/b", "a\nb", "user:", "a;b", "x" * 300]
)
def test_what_is_no_name_of_a_unit_is_never_passed_on(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a unit"):
        SystemdRestarter(name)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("mind", "mind.service"),
        ("mind.service", "mind.service"),
        ("mind@1", "mind@1.service"),
        ("mind.timer", "mind.timer"),
        (r"a\x2db.mount", r"a\x2db.mount"),
        ("my.app", "my.app.service"),
    ],
)
def test_a_name_without_a_kind_is_a_service(name: str, unit: str) -> None:
    assert SystemdRestarter(name)._unit == unit
