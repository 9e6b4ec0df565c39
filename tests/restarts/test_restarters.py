"""From a config to what acts: every method is built, and every target has one name in all monitors."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lifesign.bootstrap.restarters import ledger_folder, ledger_key, matcher_for, restarter_for
from lifesign.config import ComponentConfig
from lifesign.restarts.command import CommandRestarter
from lifesign.restarts.docker import DockerRestarter
from lifesign.restarts.restarter import HandsOffError, Hint
from lifesign.restarts.signal import SignalRestarter
from lifesign.restarts.supervisor import SupervisorRestarter
from lifesign.restarts.systemd import SystemdRestarter
from tests.checks.strangers import marker, sleeper, stranger
from tests.config.writing import loaded
from tests.restarts.targets import identity_of

PROCESS = '[components.a.checks.p]\ntype = "process"\n'
PORT = '[components.a.checks.p]\ntype = "tcp"\naddress = "127.0.0.1:1"\n'


def component(folder: Path, checks: str, restart: str = "", **environ: str) -> ComponentConfig:
    text = checks + (f"[components.a.restart]\n{restart}\n" if restart else "")
    [found] = loaded(folder, text, {"HOME": "/home/someone", **environ}).components
    return found


@pytest.mark.parametrize(
    ("restart", "kind"),
    [
        ('method = "signal"\npidfile = "a.pid"\nsignal = "SIGINT"\nescalate = "3s"', SignalRestarter),
        ('method = "systemd"\nunit = "user:mind"', SystemdRestarter),
        ('method = "supervisor"\nprogram = "mind"\nserver = "http://u:p@127.0.0.1:9001"', SupervisorRestarter),
        ('method = "docker"\ncontainer = "mind"\nescalate = "1m"', DockerRestarter),
        ('method = "command"\nargv = ["./again"]', CommandRestarter),
    ],
)
def test_every_method_is_built_from_its_config(tmp_path: Path, restart: str, kind: type[Any]) -> None:
    assert type(restarter_for(component(tmp_path, PORT, restart))) is kind


def test_a_component_without_a_restart_has_nobody_who_restarts_it(tmp_path: Path) -> None:
    assert restarter_for(component(tmp_path, PORT)) is None


def test_a_command_gets_its_secrets_when_it_runs(tmp_path: Path) -> None:
    code = "import os, sys; sys.exit(os.environ['TOKEN'] != 'canary' or os.environ['PLAIN'] != 'word')"
    restart = f"method = 'command'\nargv = ['{sys.executable}', '-c', \"{code}\"]\n"
    restart += "env = { TOKEN = { env = 'SECRET' }, PLAIN = 'word' }"
    restarter = restarter_for(component(tmp_path, PORT, restart, SECRET="canary"))
    assert restarter is not None

    async def both() -> str:
        return await restarter.send(await restarter.target(Hint()))

    assert asyncio.run(both()).endswith("exit code 0")


def test_the_process_check_that_is_configured_proves_the_process_of_a_pidfile(tmp_path: Path) -> None:
    word = marker()
    with stranger(*sleeper(word)) as right, stranger(*sleeper("other")) as wrong:
        found = component(tmp_path, PROCESS + f'pattern = "{word}"\n', 'method = "signal"\npidfile = "a.pid"')
        restarter = restarter_for(found)
        hint = Hint(matches=asyncio.run(matcher_for(found)))
        assert restarter is not None
        (tmp_path / "a.pid").write_text(str(right))
        assert asyncio.run(restarter.target(hint)).identity == identity_of(right)
        (tmp_path / "a.pid").write_text(str(wrong))
        with pytest.raises(HandsOffError, match="not the process that the process check describes"):
            asyncio.run(restarter.target(hint))


def test_a_matcher_asks_for_pattern_name_and_user_and_is_none_without_a_process_check(tmp_path: Path) -> None:
    word = marker()
    ours = f'user = "{os.geteuid()}"\n'
    with stranger(*sleeper(word)) as pid:
        for keys, is_meant in (
            (f'pattern = "{word}"\n', True),
            (f'pattern = "{word}"\n{ours}', True),
            (f'pattern = "{word}"\nuser = "54321"\n', False),
            (f'pattern = "{word}"\nuser = "no-such-user"\n', False),
            (f'pattern = "{word}"\nname = "no-such-name"\n', False),
            (f'pattern = "{word}-not"\n', False),
        ):
            matches = asyncio.run(matcher_for(component(tmp_path, PROCESS + keys)))
            assert matches is not None
            assert matches(pid) is is_meant
    assert matches is not None
    assert not matches(pid)  # it is gone
    assert asyncio.run(matcher_for(component(tmp_path, PORT))) is None


def key(folder: Path, restart: str, checks: str = PORT) -> str:
    return ledger_key(component(folder, checks, restart))


def test_a_target_has_one_name_whatever_else_is_configured(tmp_path: Path) -> None:
    other = PORT.replace("components.a.checks.p", "components.a.checks.other") + "timeout = '1s'\n"
    for restart in (
        'method = "systemd"\nunit = "mind"',
        'method = "docker"\ncontainer = "mind"',
        'method = "supervisor"\nprogram = "mind"',
        'method = "signal"\npidfile = "/run/a.pid"',
        'method = "command"\nargv = ["./again"]',
    ):
        assert key(tmp_path, restart) == key(tmp_path, restart + "\nmax_restarts = 9\nautomatic = true", other)
        assert key(tmp_path, restart) != key(
            tmp_path, restart.replace('"mind"', '"soul"').replace("./a", "./b").replace("/a", "/b")
        )


def test_two_ways_to_write_one_target_share_a_budget_and_the_users_manager_is_not_the_systems(tmp_path: Path) -> None:
    def unit(name: str) -> str:
        return key(tmp_path, f'method = "systemd"\nunit = "{name}"')

    assert unit("mind") == unit("mind.service") != unit("mind.timer")
    assert unit("user:mind") == unit("user:mind.service") != unit("mind")
    program = 'method = "supervisor"\nprogram = "mind"'
    assert key(tmp_path, program) == key(tmp_path, f'{program}\nserver = "unix:///var/run/supervisor.sock"')


def test_a_signal_without_a_pidfile_is_named_by_what_finds_the_process(tmp_path: Path) -> None:
    signal = 'method = "signal"'
    one = key(tmp_path, signal, PROCESS + 'pattern = "one"\n')
    assert one == key(tmp_path, signal, PROCESS + 'pattern = "one"\ninterval = "3s"\n')
    assert one != key(tmp_path, signal, PROCESS + 'pattern = "two"\n')
    beat = '[components.a.checks.h]\ntype = "heartbeat"\npath = "{}.json"\n'
    assert key(tmp_path, signal, beat.format("x")) != key(tmp_path, signal, beat.format("y"))


def test_all_monitors_of_a_user_look_for_ledgers_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ledger_folder()
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp")
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        assert ledger_folder() == before == Path("/run/lifesign")


def test_nothing_heavy_is_loaded_to_know_who_restarts() -> None:
    import subprocess

    code = "import sys, lifesign.bootstrap.restarters; print({'aiohttp', 'textual', 'xmlrpc'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
