"""`lifesign check`: what is so now, told once, whatever the target takes its time for."""

import asyncio
import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.checks.hostile import serving, silence
from tests.e2e.running import LIFESIGN, check, daemon, wait_until

SECRET = "canary-4711-secret"


def config_of(folder: Path, text: str) -> Path:
    path = folder / "lifesign.toml"
    path.write_text('[monitor]\nstate_dir = "state"\n' + text)
    path.chmod(0o644)
    return path


async def test_a_port_that_says_nothing_for_seconds_is_down_and_not_our_own_stall(tmp_path: Path) -> None:
    async with serving(silence) as server:
        text = f'[components.a.checks.b]\ntype = "tcp"\naddress = "{server.address}"\nexpect = "x"\ntimeout = "2s"\n'
        code, document = await asyncio.to_thread(check, config_of(tmp_path, text))
    assert (code, document["overall"]) == (2, "down")
    [component] = document["components"]
    assert "said nothing for 2 s" in component["diagnosis"]


def test_no_secret_of_the_config_comes_back_out_of_a_target(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET + "\n")
    (tmp_path / "token").chmod(0o600)
    beat = {"timestamp": 1795312345, "message": f"m {SECRET}", "data": {SECRET: [SECRET]}, "status": "error"}
    (tmp_path / "hb.json").write_text(json.dumps(beat))
    text = '[http]\ntoken = { file = "token" }\nlisten = "127.0.0.1:0"\n'
    text += '[components.a.checks.b]\ntype = "heartbeat"\npath = "hb.json"\n'
    path = config_of(tmp_path, text)
    _, document = check(path)
    assert SECRET not in json.dumps(document)
    assert "[redacted]" in json.dumps(document)
    with daemon(tmp_path, text) as running:
        wait_until(lambda: "[redacted]" in json.dumps(running.component("a")), "a look at it")
        assert SECRET not in json.dumps(running.request("GET", "/api/v1/state")[1])
        assert SECRET not in json.dumps(running.status()[1])
    assert SECRET not in running.log.read_text()


def test_a_check_beside_the_daemon_knows_of_the_beats_that_came_to_it(tmp_path: Path) -> None:
    text = '[components.job.checks.beat]\ntype = "push"\nstale_after = "1h"\n'
    path = config_of(tmp_path, text)
    code, document = check(path)
    assert (code, document["overall"]) == (3, "unknown")
    with daemon(tmp_path, text) as running:
        assert running.request("POST", "/api/v1/components/job/beat")[0] == 200
        wait_until(lambda: running.component("job")["state"] == "healthy", "the beat judged")
        code, document = check(path)
        assert code == 0
        [job] = document["components"]
        assert job["last_work_at"] == running.component("job")["last_work_at"]
        assert 0 <= job["staleness_s"] < job["stale_after_s"] == 3600


@pytest.mark.parametrize("beside_a_daemon", [True, False])
def test_a_paused_component_is_not_looked_at_and_counts_for_nothing(tmp_path: Path, *, beside_a_daemon: bool) -> None:
    text = '[components.gone.checks.file]\ntype = "heartbeat"\npath = "never"\n'
    text += '[components.well.checks.file]\ntype = "heartbeat"\npath = "beat"\nformat = "mtime"\n'
    (tmp_path / "beat").touch()
    path = config_of(tmp_path, text)
    assert check(path)[0] == 2
    with daemon(tmp_path, text) as running:
        asked = subprocess.run([*LIFESIGN, "pause", "-c", str(path), "gone"], capture_output=True, check=False)
        assert asked.returncode == 0
        wait_until(lambda: running.component("gone")["state"] == "paused", "the pause")
        if beside_a_daemon:
            _shows_the_pause(path)
    if not beside_a_daemon:
        _shows_the_pause(path)


def _shows_the_pause(path: Path) -> None:
    wait_until(lambda: check(path)[0] == 0, "a round that knows of the pause")  # it is kept a moment after it is told
    document = check(path)[1]
    assert (document["overall"], document["counts"]["paused"]) == ("healthy", 1)
    gone = next(component for component in document["components"] if component["name"] == "gone")
    assert (gone["state"], gone["diagnosis"]) == ("paused", "paused by the operator")
    assert gone["checks"][0]["last_at"] is None
    assert check(path, "gone")[0] == 3, "of the paused alone nothing is known"


def test_a_group_that_does_not_exist_is_a_bad_config_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "lifesign.toml"
    path.write_text('[monitor]\nsocket_group = "no-such-group"\n[components.a.checks.b]\ntype = "heartbeat"\n')
    path.chmod(0o644)
    done = subprocess.run([*LIFESIGN, "run", "-c", str(path)], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 78
    [line] = done.stderr.splitlines()
    assert "socket_group" in line
    assert "no-such-group" in line


def test_a_daemon_that_holds_the_folder_and_lost_its_socket_gets_no_second_engine(tmp_path: Path) -> None:
    text = '[components.a.checks.b]\ntype = "heartbeat"\npath = "hb.json"\n'
    with daemon(tmp_path, text) as running:
        hidden = running.socket.with_name("hidden")
        running.socket.rename(hidden)
        running.process.send_signal(signal.SIGSTOP)  # it makes its socket anew within two seconds
        try:
            argv = [*LIFESIGN, "console", "-c", str(running.config)]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
        finally:
            hidden.rename(running.socket)
            running.process.send_signal(signal.SIGCONT)
        assert done.returncode == 1
        assert f"another lifesign (pid {running.process.pid}) watches here" in done.stderr


@pytest.mark.parametrize("words", [["--dry-run"], []])
def test_a_state_folder_that_cannot_even_be_looked_for_costs_a_run_its_memory_and_no_look(
    tmp_path: Path, words: list[str]
) -> None:
    sink = '[alerts.s]\ntype = "command"\nargv = ["true"]\n'
    path = config_of(tmp_path, '[components.a.checks.b]\ntype = "process"\npattern = "."\n' + sink)
    path.write_text(path.read_text().replace('"state"', f'"{"x" * 300}"'))
    code, document = check(path, *words)
    assert (code, document["overall"]) == (0, "healthy")
    assert words or document["monitor"]["state_writable"] is False
