"""`lifesign health` against a real server: exit codes as /api/health/status has them."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

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
    done = await asyncio.to_thread(subprocess.run, run, capture_output=True, text=True, timeout=30, env=environment)
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
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "lifesign.sock"))
    assert (await _lifesign("health", "-c", str(config)))[0] == 1


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
