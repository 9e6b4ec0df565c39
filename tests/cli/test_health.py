"""`lifesign health` against a real server: exit codes as /api/health/status has them."""

import asyncio
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lifesign.api.address import prepare_socket_path
from lifesign.config.place import default_state_dir, host_name
from lifesign.core.model import ComponentState as S
from tests.api.fakes import component, mind_down, monitor
from tests.api.serving import serving


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lifesign.toml"
    path.write_text(
        '[monitor]\nname = "t"\nstate_dir = "."\n'
        '[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:9"\n'
    )
    path.chmod(0o600)
    return path


async def _lifesign(*words: str) -> tuple[int, str, str]:
    run = [sys.executable, "-m", "lifesign", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFESIGN")}
    done = await asyncio.to_thread(subprocess.run, run, capture_output=True, text=True, timeout=90, env=environment)
    return done.returncode, done.stdout, done.stderr


async def test_healthy_is_0_and_down_is_1_with_the_reason_on_one_line(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path) as served:
        assert await _lifesign("health", "-c", str(config)) == (0, "healthy\n", "")
        served.backend.shown = monitor(mind_down(), component(), overall=S.DOWN)
        code, out, err = await _lifesign("health", "-c", str(config))
        assert (code, err, out.count("\n")) == (1, "", 1)
        assert out.startswith("down; mind is down: alive and ready, but not working")


async def test_one_component_is_asked_for_by_name(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(component(), component("tools", S.DOWN, optional=True))
        assert (await _lifesign("health", "-c", str(config)))[0] == 0
        code, out, _ = await _lifesign("health", "-c", str(config), "tools")
        assert (code, out) == (1, "tools is down (optional): tools is down\n")
        code, out, err = await _lifesign("health", "-c", str(config), "tols")
        assert (code, out) == (1, "")
        assert "did you mean tools" in err


async def test_no_daemon_is_1_with_one_line(tmp_path: Path, config: Path) -> None:
    code, out, err = await _lifesign("health", "-c", str(config))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "no daemon answers" in err
    assert "lifesign run starts one" in err
    assert (await _lifesign("probe", "-c", str(config), "gateway")) == (1, "", err)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "lifesign.sock"))
    assert (await _lifesign("health", "-c", str(config)))[0] == 1


async def test_a_daemon_is_asked_though_its_config_can_no_longer_be_used(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path):
        os.chmod(config, 0o664)  # noqa: PTH101
        code, out, err = await _lifesign("health", "-c", str(config))
        assert (code, out, err.count("\n")) == (0, "healthy\n", 1)
        assert "its group can write it" in err
        assert "the daemon goes on with what it had" in err
    code, out, err = await _lifesign("health", "-c", str(config))
    assert (code, out) == (78, "")
    assert "its group can write it" in err


async def test_a_daemon_in_the_default_place_is_asked_though_its_config_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    gone = tmp_path / "gone.toml"
    folder = default_state_dir(host_name(), gone)
    folder.mkdir(parents=True)
    socket_path = prepare_socket_path(folder)
    async with serving(tmp_path) as served:
        socket_path.symlink_to(served.socket_path)
        assert (await _lifesign("health", "-c", str(gone)))[0] == 78  # a link is no socket of a daemon
        socket_path.unlink()
        os.link(served.socket_path, socket_path)
        code, out, err = await _lifesign("health", "-c", str(gone))
        assert (code, out, err.count("\n")) == (0, "healthy\n", 1)
        assert f"there is no config {gone}" in err
        socket_path.unlink()
    assert (await _lifesign("health", "-c", str(gone)))[0] == 78


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_a_config_that_others_can_write_never_leads_to_a_socket_of_theirs(tmp_path: Path, config: Path) -> None:
    os.chmod(config, 0o666)  # noqa: PTH101
    async with serving(tmp_path) as served:
        os.chown(served.socket_path, 65534, 65534)
        code, out, err = await _lifesign("health", "-c", str(config))
    assert (code, out) == (78, "")
    assert "everybody can write it" in err


async def test_a_state_is_not_told_twice(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path) as served:
        starting = replace(component("a", S.STARTING), diagnosis="starting: waiting for port")
        paused = replace(component("b", S.PAUSED), diagnosis="paused by the operator")
        served.backend.shown = monitor(starting, paused)
        assert (await _lifesign("health", "-c", str(config), "a"))[1] == "a is starting: waiting for port\n"
        assert (await _lifesign("health", "-c", str(config), "b"))[1] == "b is paused by the operator\n"
        assert (await _lifesign("probe", "-c", str(config), "a"))[1] == "a: starting: waiting for port\n"


async def test_the_config_may_stand_before_the_command(tmp_path: Path, config: Path) -> None:
    async with serving(tmp_path):
        for words in (["-c", str(config)], [f"-c{config}"], ["--config", str(config)], [f"--config={config}"]):
            assert await _lifesign(*words, "health") == (0, "healthy\n", "")
    code, _, err = await _lifesign("-c", str(config), "health", "--nonsense")
    assert (code, err.count("\n")) == (2, 1)


async def test_something_else_on_the_socket_is_1_without_a_traceback(tmp_path: Path, config: Path) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x1b[2J not http\r\n\r\n")
        writer.close()

    server = await asyncio.start_unix_server(garbage, tmp_path / "lifesign.sock")
    async with server:
        code, out, err = await _lifesign("health", "-c", str(config))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "\x1b" not in err
