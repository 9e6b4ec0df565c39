"""The `systemd` and `docker` checks against fakes that keep to the published states, and against what is not there."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from lifesign.checks.docker import DockerProbe
from lifesign.checks.systemd import SystemdProbe
from lifesign.core.model import Observation, Verdict
from tests.restarts.fake_docker import FakeDocker
from tests.restarts.fake_systemctl import install, running, stopped


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Looks at it.service, which systemd tells to be as it is given."""

    async def look(properties: dict[str, str] | None, trouble: str = "") -> Observation:
        install(tmp_path, {} if properties is None else {"it.service": properties}, trouble)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        return await SystemdProbe(unit="it", timeout_s=3).look(0)

    return look


async def test_an_active_unit_works_and_no_other(unit: Any) -> None:
    found = await unit(running(4242, NRestarts="3"))
    assert (found.verdict, found.message) == (Verdict.OK, "it.service is active (running)")
    assert (dict(found.data), dict(found.metrics)) == ({"pid": 4242}, {"restarts": 3.0})


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        (stopped(), "it.service is inactive (dead)"),
        (running(ActiveState="failed", SubState="failed", Result="exit-code"), "it.service is failed: exit-code"),
        (running(ActiveState="activating", SubState="auto-restart"), "it.service is activating (auto-restart)"),
        (None, "there is no unit it.service"),
    ],
)
async def test_every_other_state_fails_in_systemds_own_words(
    unit: Any, properties: dict[str, str] | None, words: str
) -> None:
    found = await unit(properties)
    assert (found.verdict, found.message) == (Verdict.FAIL, words)


async def test_a_reload_is_no_failure(unit: Any) -> None:
    assert (await unit(running(ActiveState="reloading", SubState="reload"))).verdict is Verdict.OK


@pytest.mark.parametrize("trouble", ["no-systemd", "hangs", "floods"])
async def test_where_systemd_cannot_be_asked_nothing_is_known(unit: Any, trouble: str) -> None:
    found = await unit(running(), trouble)
    assert found.verdict is Verdict.UNKNOWN
    assert found.message.startswith("cannot ask systemd about it.service: ")


def test_what_is_no_name_of_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="no name of a unit"):
        SystemdProbe(unit="--help", timeout_s=1)


@pytest.fixture
def docker_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    return path


async def container(engine: FakeDocker, path: Path) -> Observation:
    async with engine.serving(path):
        return await DockerProbe(container="mind", timeout_s=3).look(0)


async def test_a_running_container_works_and_one_that_ended_does_not(docker_host: Path) -> None:
    engine = FakeDocker()
    engine.run("mind", pid=4242, retries=2)
    found = await container(engine, docker_host)
    assert (found.verdict, found.message) == (Verdict.OK, "container mind runs")
    assert (dict(found.data), dict(found.metrics)) == ({"pid": 4242}, {"restarts": 2.0})
    engine.end("mind", 137, out_of_memory=True)
    found = await container(engine, docker_host)
    assert (found.verdict, found.message) == (
        Verdict.FAIL,
        "container mind is exited, exit code 137, out of memory",
    )


@pytest.mark.parametrize("status", ["paused", "restarting", "created", "dead"])
async def test_every_other_status_fails(docker_host: Path, status: str) -> None:
    engine = FakeDocker()
    engine.run("mind", status=status)
    found = await container(engine, docker_host)
    assert (found.verdict, found.message) == (Verdict.FAIL, f"container mind is {status}")


@pytest.mark.parametrize(
    ("health", "verdict", "words"),
    [
        ({"Status": "healthy"}, Verdict.OK, "container mind runs and is healthy"),
        ({"Status": "starting"}, Verdict.OK, "container mind runs; its own health check has not decided yet"),
        (
            {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": "no \x1b[31mwork\n"}]},
            Verdict.FAIL,
            "container mind is unhealthy: no ",
        ),
    ],
)
def test_its_own_health_check_is_believed(health: dict[str, Any], verdict: Verdict, words: str) -> None:
    found = DockerProbe(container="mind", timeout_s=1)._observation({"Status": "running", "Health": health}, 0)
    assert found.verdict is verdict
    assert found.message.startswith(words)
    assert "\x1b" not in found.message


async def test_one_that_is_not_there_fails_and_an_engine_that_is_not_there_tells_nothing(docker_host: Path) -> None:
    found = await container(FakeDocker(), docker_host)
    assert (found.verdict, found.message) == (Verdict.FAIL, "there is no container mind")
    await asyncio.to_thread(docker_host.unlink, missing_ok=True)
    found = await DockerProbe(container="mind", timeout_s=1).look(0)
    assert found.verdict is Verdict.UNKNOWN
    assert found.message.startswith("cannot ask Docker about container mind: ")
