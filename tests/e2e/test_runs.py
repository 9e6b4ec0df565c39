"""`lifesign check` from cron: what one run knew the next one knows, and no two of them count the same."""

import fcntl
import json
import os
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import LIFESIGN, check, daemon, wait_until
from tests.e2e.test_survival import assert_alternates, stored, target, turns
from tests.ports import free_port

DEFAULTS = '[defaults]\ninterval = "1s"\ntimeout = "1s"\ngrace = 0\nfailure_threshold = 3\nsuccess_threshold = 2\n'
PORT = '[components.{name}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'


def written(folder: Path, **ports: int) -> Path:
    config = folder / "lifesign.toml"
    components = "".join(PORT.format(name=name, port=port) for name, port in ports.items())
    config.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{DEFAULTS}{components}')
    config.chmod(0o644)
    return config


def run(config: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*LIFESIGN, *words, "-c", str(config)], capture_output=True, text=True, timeout=60, check=False
    )


def component(document: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [c for c in document["components"] if c["name"] == name]
    assert isinstance(found, dict)
    return found


def told(folder: Path, name: str = "gateway") -> list[tuple[str, str]]:
    return turns(stored(folder), name)


def test_failures_count_over_runs_while_each_run_tells_what_is_so_now(tmp_path: Path) -> None:
    with target() as port:
        config = written(tmp_path, gateway=port.port)
        port.open()
        assert check(config)[0] == 0
        port.shut()
        for number in (1, 2):
            code, document = check(config)
            assert (code, component(document, "gateway")["state"]) == (2, "down"), "what is so now"
            assert component(document, "gateway")["consecutive_failures"] == number
            assert component(document, "gateway")["incident"] is None
            assert document["monitor"]["state_writable"] is True
        assert told(tmp_path) == []
        found = component(check(config)[1], "gateway")
        incident = found["incident"]
        assert told(tmp_path) == [("component.down", incident["id"])]
        assert found["since"] == incident["opened_at"]
        again = component(check(config)[1], "gateway")
        assert (again["incident"], again["since"]) == (incident, found["since"]), "down since the run that found it so"
        port.open()
        code, document = check(config)
        assert (code, component(document, "gateway")["incident"]) == (0, incident), "one success of two"
        assert component(check(config)[1], "gateway")["incident"] is None
        assert [name for name, _ in told(tmp_path)] == ["component.down", "component.recovered"]
    shown = run(config, "events", "--json")
    assert shown.returncode == 0
    assert [json.loads(line) for line in shown.stdout.splitlines()] == stored(tmp_path)
    assert run(config, "events", "--component", "gateway", "--since", "1h").stdout.count("component.down") == 1


def test_a_run_of_one_component_touches_the_memory_of_that_one_alone(tmp_path: Path) -> None:
    config = written(tmp_path, gateway=free_port(), mind=free_port())
    check(config)
    for _ in range(3):
        check(config, "mind")
    assert [name for name, _ in told(tmp_path, "mind")] == ["component.down"]
    assert component(check(config)[1], "gateway")["consecutive_failures"] == 2
    config = written(tmp_path, gateway=free_port())
    check(config, "gateway")
    assert [name for name, _ in told(tmp_path, "mind")] == ["component.down"]
    check(config)
    assert stored(tmp_path)[-1]["message"] == "removed from the config"
    assert_alternates(told(tmp_path, "mind"))


def test_a_dry_run_and_a_snapshot_write_nothing(tmp_path: Path) -> None:
    config = written(tmp_path, gateway=free_port())
    assert check(config, "--dry-run")[0] == 2
    assert run(config, "snapshot").returncode == 0
    assert not (tmp_path / "state").exists()


def test_beside_a_daemon_it_looks_and_writes_nothing_and_the_daemon_goes_on_from_its_memory(tmp_path: Path) -> None:
    config = written(tmp_path, gateway=free_port())
    for _ in range(3):
        check(config)
    [(_, incident)] = told(tmp_path)
    text = config.read_text().partition('state_dir = "state"\n')[2]
    with daemon(tmp_path, text) as running:
        assert running.component("gateway")["incident"]["id"] == incident
        before = [event for event in stored(tmp_path) if event["event"].startswith("component")]
        code, document = check(config)
        assert (code, component(document, "gateway")["incident"]) == (2, None)
        assert [event for event in stored(tmp_path) if event["event"].startswith("component")] == before
    assert_alternates(told(tmp_path))


@pytest.mark.parametrize("at_once", [6, pytest.param(24, marks=[pytest.mark.proof, pytest.mark.timeout(300)])])
def test_runs_that_overlap_double_nothing(tmp_path: Path, at_once: int) -> None:
    config = written(tmp_path, gateway=free_port())
    argv = [*LIFESIGN, "check", "-c", str(config), "--json"]
    runs = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(at_once)]
    warned = sum(b"still under way" in process.communicate(timeout=120)[1] for process in runs)
    blinded = sum(process.returncode == 3 for process in runs)  # a machine that starves us: that look is no evidence
    assert {process.returncode for process in runs} <= {2, 3}
    assert [name for name, _ in told(tmp_path)] == ["component.down"] * (at_once - warned - blinded >= 3)
    failures = component(check(config)[1], "gateway")["consecutive_failures"]
    assert at_once - warned - blinded <= failures <= at_once - warned + 1


def test_a_run_that_waits_in_vain_for_another_looks_and_says_so(tmp_path: Path) -> None:
    config = written(tmp_path, gateway=free_port())
    check(config)
    with (tmp_path / "state" / "round.lock").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        begun = time.monotonic()
        done = run(config, "check")
        assert time.monotonic() - begun > 1.4
    assert done.returncode == 2
    assert done.stderr == "lifesign: warning: another lifesign check is still under way: looked, and counted nothing\n"
    assert component(check(config)[1], "gateway")["consecutive_failures"] == 2


def test_a_daemon_that_starts_while_a_run_writes_waits_for_it(tmp_path: Path) -> None:
    config = written(tmp_path, gateway=free_port())
    check(config)
    text = config.read_text().partition('state_dir = "state"\n')[2]
    with (tmp_path / "state" / "lock").open("rb+") as writing:
        fcntl.flock(writing, fcntl.LOCK_SH)
        end = threading.Timer(1.2, fcntl.flock, (writing, fcntl.LOCK_UN))
        end.start()
        with daemon(tmp_path, text):
            end.join()


def test_killed_at_any_moment_a_run_leaves_all_of_what_it_found_or_nothing(tmp_path: Path) -> None:
    with target() as port:
        config = written(tmp_path, gateway=port.port)
        for number in range(16):
            (port.open if number // 4 % 2 else port.shut)()
            process = subprocess.Popen([*LIFESIGN, "check", "-c", str(config)], stdout=subprocess.DEVNULL)
            time.sleep(0.12 + 0.02 * number)  # somewhere in it, or after it
            process.kill()
            process.wait(timeout=40)
        port.open()
        for _ in range(3):
            check(config)
    assert_alternates(told(tmp_path))
    assert len(told(tmp_path)) % 2 == 0


def test_a_secret_that_a_target_told_is_not_stored(tmp_path: Path) -> None:
    beat = {"timestamp": 1.0, "message": "m canary-4711-secret", "status": "error"}
    (tmp_path / "hb.json").write_text(json.dumps(beat))
    (tmp_path / "token").write_text("canary-4711-secret\n")
    (tmp_path / "token").chmod(0o600)
    config = tmp_path / "lifesign.toml"
    http = '[http]\ntoken = { file = "token" }\n'
    check_text = '[components.a.checks.b]\ntype = "heartbeat"\npath = "hb.json"\ngrace = 0\n'
    config.write_text(f'[monitor]\nstate_dir = "state"\n{http}{check_text}')
    config.chmod(0o644)
    check(config)
    assert stored(tmp_path)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir() if path.is_file())
    assert b"canary-4711" not in kept


def test_a_state_folder_that_cannot_be_used_costs_the_memory_and_not_the_look(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    config = written(tmp_path, gateway=free_port())
    code, document = check(config)
    assert (code, document["monitor"]["state_writable"]) == (2, False)
    done = run(config, "check")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line == f"lifesign: warning: the state folder {tmp_path}/state cannot be used: it is no folder"


def test_a_memory_of_a_later_version_is_left_alone_and_one_that_is_broken_is_put_aside(tmp_path: Path) -> None:
    config = written(tmp_path, gateway=free_port())
    check(config)
    state = tmp_path / "state" / "state.db"
    connection = sqlite3.connect(state)
    connection.execute("UPDATE meta SET value = '9999' WHERE key = 'schema'")
    connection.commit()
    connection.close()
    before = state.read_bytes()
    code, document = check(config)
    assert (code, document["monitor"]["state_writable"]) == (2, False)
    assert state.read_bytes() == before
    state.write_bytes(os.urandom(20_000))
    assert check(config)[1]["monitor"]["state_writable"] is True
    assert component(check(config)[1], "gateway")["consecutive_failures"] == 2
    wait_until(lambda: any("bad" in path.name for path in (tmp_path / "state").iterdir()), "the broken one kept aside")
