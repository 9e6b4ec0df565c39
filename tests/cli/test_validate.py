"""`lifesign validate`, as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.config.writing import ENVIRON, EXAMPLE, MINIMAL, write


def validate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **ENVIRON, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "xdg")}
    environ.pop("LIFESIGN_CONFIG", None)
    argv = [sys.executable, "-m", "lifesign", "validate", *arguments]
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_a_good_config_is_told_in_one_line(tmp_path: Path) -> None:
    apprise = 'type = "apprise"\nurls = [{ env = "OPS_CHAT_URL" }]'
    text = EXAMPLE.read_text().replace(apprise, 'type = "command"\nargv = ["true"]')
    write(tmp_path, text.replace('"ops"', '"0"', 1))
    done = validate(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["lifesign.toml: OK, 2 components, 4 checks"]


def test_a_group_that_this_machine_does_not_have_is_a_warning_for_the_config_may_be_meant_for_another(
    tmp_path: Path,
) -> None:
    write(tmp_path, MINIMAL + '[monitor]\nsocket_group = "no-such-group"\n')
    done = validate(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [_, warning] = done.stdout.splitlines()
    assert warning.startswith("lifesign.toml: warning: monitor.socket_group: this machine has no group 'no-such-group'")


SIGNALLED = (
    '[components.mind.checks.beat]\ntype = "heartbeat"\npath = "beat"\n[components.mind.restart]\nmethod = "signal"\n'
)


def test_a_signal_that_no_pid_can_ever_be_found_for_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, SIGNALLED.replace('"beat"\n[', '"beat"\nformat = "text"\n['))
    done = validate(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [_, warning] = done.stdout.splitlines()
    assert warning == (
        "lifesign.toml: warning: components.mind.restart: no pid is ever in a heartbeat of text, so there is nothing "
        "to signal: set pidfile, or add a process check"
    )


@pytest.mark.parametrize(
    "more",
    [
        "",
        'pidfile = "mind.pid"\n',
        '[components.mind.checks.process]\ntype = "process"\nname = "mind"\n',
        '[components.mind.checks.other]\ntype = "heartbeat"\npath = "other"\n',
    ],
)
def test_where_a_pid_may_be_found_there_is_nothing_to_warn_of(tmp_path: Path, more: str) -> None:
    write(tmp_path, (SIGNALLED.replace('"beat"\n[', '"beat"\nformat = "text"\n[') if more else SIGNALLED) + more)
    done = validate(tmp_path)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stdout


def test_every_mistake_is_a_line_on_stderr_and_the_exit_code_is_78(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL + "adress = 'x'\n[defaults]\ninterval = 'x'\n", "bad.toml")
    done = validate(tmp_path, "-c", "bad.toml")
    assert (done.returncode, done.stdout) == (78, "")
    assert [line.split(" ")[0] for line in done.stderr.splitlines()] == ["bad.toml:5:", "bad.toml:7:"]
    assert "Traceback" not in done.stderr


def test_no_config_at_all_is_one_line_too(tmp_path: Path) -> None:
    done = validate(tmp_path)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("lifesign: no config found: looked at ")
    assert len(done.stderr.splitlines()) == 1


def test_as_json_a_script_can_read_the_result(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL)
    assert json.loads(validate(tmp_path, "--json").stdout) == {
        "ok": True,
        "file": "lifesign.toml",
        "components": 1,
        "checks": 1,
        "warnings": [],
        "problems": [],
    }
    write(tmp_path, MINIMAL + "tls = 3\n")
    done = validate(tmp_path, "--json")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.returncode, problem["line"], problem["key"]) == (78, 5, "components.gateway.checks.port.tls")


def test_the_schema_is_printed_without_any_config(tmp_path: Path) -> None:
    done = validate(tmp_path, "--schema")
    assert done.returncode == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))
