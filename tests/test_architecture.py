"""The house's own rules: the direction of imports, the top level, the size of modules, what is shipped."""

import os
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    "pyproject.toml",
    "README.md",
    "src",
    "themes",
    "tests",
    "screenshots",
    "LICENSE",
    "CHANGELOG.md",
    "constraints.txt",
}

HEAVY = {"textual", "rich", "aiohttp", "psutil", "re2", "tomlkit", "watchfiles"}
NOT_FOR_A_ROUND = {"click", "asyncio", "gettext", "logging", "subprocess", "ssl", "http", "email"}


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_top_level_holds_what_was_asked_for_and_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git checkout")
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


LONGER = {ROOT / "src/lifesign/heartbeat.py": 560}  # one file, because a monitored program may copy it


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    lengths = {path: path.read_text().count("\n") for path in (ROOT / "src").rglob("*.py")}
    assert lengths
    assert {str(path): length for path, length in lengths.items() if length > LONGER.get(path, 300)} == {}


def test_the_wheel_holds_the_themes_and_the_marker_of_types(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {Path(name).name for name in names if name.startswith("lifesign/themes/")}
    assert shipped == {path.name for path in (ROOT / "themes").glob("*.toml")}
    assert len(shipped) >= 5
    assert "lifesign/py.typed" in names


def test_asking_for_the_version_loads_nothing_heavy() -> None:
    code = f"import sys, lifesign.cli; print({HEAVY | {'msgspec', 'asyncio', 'click'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("form", ["['--json']", "[]"])
@pytest.mark.parametrize(("beaten", "code"), [(True, 0), (False, 2)])
def test_a_check_from_the_shell_loads_neither_console_nor_server(
    tmp_path: Path, beaten: bool, code: int, form: str
) -> None:
    config = tmp_path / "lifesign.toml"
    if beaten:
        (tmp_path / "hb").write_text(f"{time.time()}\n")
    unwanted = HEAVY | (NOT_FOR_A_ROUND if beaten else {"click"})  # a file that is not there is read again: that waits
    with socket.create_server(("127.0.0.1", 0)) as server:
        config.write_text(
            '[monitor]\nstate_dir = "state"\n[components.a.checks.b]\ntype = "heartbeat"\npath = "hb"\n'
            f'[components.a.checks.c]\ntype = "tcp"\naddress = "127.0.0.1:{server.getsockname()[1]}"\n'
        )
        config.chmod(0o644)
        program = (
            "import sys\nfrom lifesign.cli import _run\n"
            f"code = _run(['check', '-c', {str(config)!r}, *{form}])\n"
            f"print(code, {unwanted} & set(sys.modules), file=sys.stderr)"
        )
        environment = dict(os.environ)  # without what readline may have put beside it: the width of pytest's terminal
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
        )
    assert done.stderr.strip() == f"{code} set()"


def test_the_console_loads_nothing_that_its_first_picture_can_do_without() -> None:
    unwanted = HEAVY - {"textual", "rich"} | {"click", "http.client", "email", "hashlib", "prometheus_client"}
    program = (
        "import sys, lifesign.cli.opening, lifesign.api.client, lifesign.tui.app, lifesign.tui.run\n"
        f"print({unwanted} & set(sys.modules), [name for name in sys.modules if name.startswith('lifesign.core')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set() []"


def test_a_question_to_the_daemon_loads_what_it_takes_to_ask_it() -> None:
    unwanted = HEAVY | NOT_FOR_A_ROUND - {"http"} | {"http.client", "sqlite3", "lifesign.config.reading", "hashlib"}
    program = f"import sys, lifesign.cli.asking_health, lifesign.config.glance; print({unwanted} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
