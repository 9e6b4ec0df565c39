"""`lifesign init`: what runs is found, and what is written passes `validate` and `check`."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifesign.bootstrap.discovery import FoundHeartbeat, FoundPort, FoundService, heartbeats, script_of
from lifesign.bootstrap.first_config import first_config
from lifesign.bootstrap.state_folder import is_state_folder
from lifesign.cli.alert_rules import ALERT_RULES
from lifesign.cli.init import counted
from lifesign.config import load
from tests.checks.strangers import marker
from tests.e2e.running import daemon, wait_until
from tests.ports import free_port

_WORKER = """
import http.server, json, os, sys, threading, time
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
cycle = 0
while True:
    cycle += 1
    with open("heartbeat.json.new", "w") as file:
        json.dump({"timestamp": time.time(), "cycle": cycle}, file)
    os.replace("heartbeat.json.new", "heartbeat.json")
    time.sleep(0.3)
"""


def lifesign(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    argv = [sys.executable, "-m", "lifesign", *words]
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[int]:
    """A program that listens and beats; the port."""
    port = free_port()
    script = tmp_path / f"{marker()}.py"
    script.write_text(_WORKER)
    process = subprocess.Popen([sys.executable, str(script), str(port)], cwd=tmp_path)
    try:
        wait_until((tmp_path / "heartbeat.json").exists, "a first heartbeat")
        yield port
    finally:
        process.kill()
        process.wait()


def test_what_runs_is_found_and_what_is_written_works(tmp_path: Path, worker: int) -> None:
    done = lifesign(tmp_path, "init", "--yes")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "lifesign.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert lifesign(tmp_path, "validate").returncode == 0
    config = load(path)
    checks = [(component.spec.name, check) for component in config.components for check in component.checks]
    (beat,) = [name for name, check in checks if getattr(check.options, "path", None) == tmp_path / "heartbeat.json"]
    stem = next(tmp_path.glob("*.py")).stem
    assert {check.spec.type for name, check in checks if name == stem} == {"process", "http"}
    found = lifesign(tmp_path, "check", stem, beat, "--json")
    document = json.loads(found.stdout)
    assert {component["name"]: component["state"] for component in document["components"]} == {
        stem: "healthy",
        beat: "healthy",
    }


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lifesign.toml").write_text("mine")
    done = lifesign(tmp_path, "init", "--yes")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert (tmp_path / "lifesign.toml").read_text() == "mine"


def test_any_names_make_a_config_that_is_accepted(tmp_path: Path) -> None:
    services = [
        FoundService("nginx: master", "www-data", (FoundPort("127.0.0.1", 80, 404), FoundPort("::1", 443))),
        FoundService("redis-server", "redis", (FoundPort("127.0.0.1", 6379, pongs=True),)),
        FoundService("redis-server", "root", (), left_out=3),
        FoundService("python3.11", "root", (), script='/srv/a "b"/x+y(1).py'),
        FoundService("...", "ro\x1bot", ()),
    ]
    beats = [
        FoundHeartbeat(tmp_path / "beat.v1.json", True, 3.0, 1.5),
        FoundHeartbeat(tmp_path / 'q"uote.json', False, 4000.0, None),
    ]
    path = tmp_path / "lifesign.toml"
    path.write_text(first_config(services, beats, 'host"x'))
    path.chmod(0o600)
    config = load(path)
    names = [component.spec.name for component in config.components]
    expected = ["nginx-master", "redis-server", "redis-server-2", "x-y-1", "service", "beat.v1", "q-uote", "host"]
    assert names == expected
    limits = [c.checks[0].spec.signal.stale_after_ns // 10**9 for c in config.components if c.checks[0].spec.signal]
    assert limits == [60, 3 * 3600]


def test_only_fresh_heartbeats_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "heartbeat.json").write_text('{"timestamp": 1795299990, "cycle": 4}')
    (tmp_path / "old-heartbeat.json").write_text('{"timestamp": 1795299990}')
    os.utime(tmp_path / "old-heartbeat.json", (1, 1))
    (tmp_path / "heartbeat.txt").write_text("no time at all")
    os.mkfifo(tmp_path / "heartbeat.beat")
    assert [(found.path, found.has_cycle) for found in heartbeats([tmp_path])] == [
        (tmp_path / "deep" / "heartbeat.json", True)
    ]


def test_another_lifesigns_own_heartbeat_is_left_out_and_a_programs_beside_a_lock_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for folder, files in (("monitor", ("lock", "state.db")), ("program", ("lock",))):
        (tmp_path / folder).mkdir()
        for name in files:
            (tmp_path / folder / name).touch()
        (tmp_path / folder / "heartbeat.json").write_text('{"timestamp": 1795299990}')
    assert [found.path.parent.name for found in heartbeats([tmp_path])] == ["program"]


def test_the_folder_of_a_daemon_that_ran_is_known_as_its_own(tmp_path: Path) -> None:
    with daemon(tmp_path, '[components.a.checks.f]\ntype = "heartbeat"\npath = "f"\n'):
        wait_until((tmp_path / "state" / "heartbeat.json").exists, "a beat of its own")
        wait_until(lambda: is_state_folder(tmp_path / "state"), "a folder of a lifesign's state")
    assert not is_state_folder(tmp_path)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "no ports"), (1, "1 port"), (2, "2 ports")], ids=("none", "one", "two")
)
def test_one_is_not_many(count: int, words: str) -> None:
    assert counted(count, "port") == words


@pytest.mark.parametrize("option", ["-c", "-o"])
def test_the_file_is_named_as_everywhere_or_as_an_output(tmp_path: Path, option: str) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("mine")
    done = lifesign(tmp_path, "init", "--yes", option, str(mine))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"{mine} exists" in done.stderr


@pytest.mark.parametrize(
    ("name", "line", "script"),
    [
        ("python3.11", ["python3", "-u", "/srv/mind.py", "x"], "/srv/mind.py"),
        ("python", ["python", "-m", "http.server"], "http.server"),
        ("python", ["python", "-c", "pass"], ""),
        ("node", ["node", "--inspect", "app.js"], "app.js"),
        ("nginx", ["nginx", "-g", "daemon off;"], ""),
    ],
)
def test_an_interpreter_is_named_by_what_it_runs(name: str, line: list[str], script: str) -> None:
    assert script_of(name, line) == script


def test_the_alert_rules_name_metrics_that_exist(tmp_path: Path) -> None:
    named = set(re.findall(r"\blifesign_(\w+)", " ".join(re.findall(r"expr: (.*)", ALERT_RULES))))
    assert len(named) >= 6
    source = "".join(path.read_text() for path in (Path(__file__).parents[2] / "src/lifesign/api").glob("*.py"))
    assert [name for name in sorted(named) if not re.search(rf'"(lifesign_)?{name}"', source)] == []
    if shutil.which("promtool"):
        (tmp_path / "rules.yml").write_text(ALERT_RULES)
        subprocess.run(["promtool", "check", "rules", str(tmp_path / "rules.yml")], check=True, capture_output=True)
