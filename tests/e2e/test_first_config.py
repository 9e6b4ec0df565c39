"""`lifesign init --yes`, `validate` and `check` on a machine with a real nginx, a real redis and a heartbeat file."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import wait_until
from tests.ports import free_port
from tests.restarts.needs import needs

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(180),
    needs("nginx-light", "redis-server", programs=("nginx", "redis-server"), root=False),
]

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }} }}
}}
"""
BEAT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from lifesign.heartbeat import Heartbeat
beat = Heartbeat("mind", path=sys.argv[2])
while True:
    beat.beat()
    time.sleep(0.3)
"""


@contextmanager
def server(*argv: str, folder: Path) -> Iterator[None]:
    with (folder / "servers.log").open("ab") as log:
        process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        process.kill()
        process.wait()


def unused_port(below: int) -> int:
    """One below those that the kernel gives for a while, which `init` takes for a program's own."""
    for port in range(below, below - 2000, -1):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    return free_port()


def lifesign(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    environment.pop("LIFESIGN_CONFIG", None)
    argv = [sys.executable, "-m", "lifesign", *words]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=80, check=False)


def test_nginx_redis_and_a_heartbeat_file_are_found_and_the_config_works_as_it_was_written(tmp_path: Path) -> None:
    web, cache = unused_port(18999), unused_port(16999)
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=web))
    source = str(Path(__file__).parent.parent.parent / "src")
    beat = tmp_path / "var" / "heartbeat.json"
    with (
        server("nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), folder=tmp_path),
        server("redis-server", "--port", str(cache), "--bind", "127.0.0.1", "--save", "", folder=tmp_path),
        server(sys.executable, "-c", BEAT, source, str(beat), folder=tmp_path),
    ):
        wait_until(lambda: answers(web) and answers(cache) and beat.exists(), "all three run", 40)
        made = lifesign(tmp_path, "init", "--yes")
        assert made.returncode == 0, made.stderr
        valid = lifesign(tmp_path, "validate")
        assert valid.returncode == 0, valid.stderr
        text = (tmp_path / "lifesign.toml").read_text()
        names = {
            "nginx": owner(tmp_path, f'url = "http://127.0.0.1:{web}/"'),
            "redis": owner(tmp_path, f'address = "127.0.0.1:{cache}"'),
            "heartbeat": owner(tmp_path, f'path = "{beat}"'),
        }
        assert 'expect = "PONG"' in text
        found = lifesign(tmp_path, "check", "--json", *names.values())
        document = json.loads(found.stdout)
        assert found.returncode == 0, found.stdout
        everything = lifesign(tmp_path, "check", "--json")
        assert everything.returncode in (0, 1, 2, 3), everything.stderr  # others of this machine come and go
        states = {component["name"]: component["state"] for component in json.loads(everything.stdout)["components"]}
    assert {states[name] for name in names.values()} == {"healthy"}
    assert {component["name"]: sorted(layers(component)) for component in document["components"]} == {
        names["nginx"]: ["alive", "ready"],
        names["redis"]: ["alive", "ready"],
        names["heartbeat"]: ["working"],
    }
    deadline = time.monotonic() + 40
    while (after := lifesign(tmp_path, "check", names["nginx"], names["redis"])).returncode != 2:
        assert time.monotonic() < deadline, after.stdout


def layers(component: dict[str, Any]) -> set[str]:
    return {layer for layer, held in component["layers"].items() if held is not None}


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def owner(folder: Path, line: str) -> str:
    """The component of the config that was written, in whose check `line` stands."""
    name = ""
    for written in (folder / "lifesign.toml").read_text().splitlines():
        if written.startswith("[components."):
            name = written.removeprefix("[components.").partition(".checks.")[0].rstrip("]").strip('"')
        if written.split("#")[0].strip() == line:
            return name
    raise AssertionError(f"nobody has {line}")
