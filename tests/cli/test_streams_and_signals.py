"""Whatever becomes of its output and however it is ended, a command's exit code tells what it is meant to tell."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.running import LIFESIGN, wait_until
from tests.ports import free_port

_DOWN = '[monitor]\nstate_dir = "state"\n[components.it.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'
_SLOW = """
[monitor]
state_dir = "state"
[components.it.checks.slow]
type = "command"
argv = ["{python}", "-c", "import time; time.sleep(600)", "{mark}"]
timeout = "500s"
"""


def config(folder: Path, text: str) -> str:
    path = folder / "lifesign.toml"
    path.write_text(text)
    path.chmod(0o644)
    return str(path)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("check", 2), ("check nobody", 3), ("health", 1)])
def test_a_closed_output_changes_no_exit_code(tmp_path: Path, closed: str, words: str, code: int) -> None:
    path = config(tmp_path, _DOWN.format(port=free_port()))
    asked = f'exec "$@" -m lifesign {words} -c {path} {closed}'
    done = subprocess.run(["/bin/sh", "-c", asked, "sh", sys.executable], capture_output=True, timeout=60, check=False)
    assert (done.returncode, b"Traceback" in done.stderr, b"itself failed" in done.stderr) == (code, False, False)


@pytest.mark.parametrize("columns", ["0", "-5", "wide", "²", "99999999999999999999"])
def test_a_width_that_is_none_hides_nothing(tmp_path: Path, columns: str) -> None:
    path = config(tmp_path, _DOWN.format(port=free_port()))
    environment = {**os.environ, "COLUMNS": columns}
    done = subprocess.run(
        [*LIFESIGN, "check", "-c", path], capture_output=True, timeout=60, env=environment, check=False
    )
    [headline, _, head, row] = done.stdout.decode().splitlines()[:4]
    assert (done.returncode, headline[:1], head.split()[:2], row.split()[2]) == (2, "✖", ["state", "component"], "it")


def test_sigterm_ends_a_check_with_its_children(tmp_path: Path) -> None:
    path = config(tmp_path, _SLOW.format(python=sys.executable, mark=tmp_path))
    running = subprocess.Popen([*LIFESIGN, "check", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def child() -> psutil.Process | None:
        found = [one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in (one.info["cmdline"] or [])]
        return found[0] if found else None

    try:
        wait_until(lambda: child() is not None, "the command")
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == 128 + signal.SIGTERM
        wait_until(lambda: child() is None, "the end of the command")
    finally:
        running.kill()
        running.wait()


def test_a_shell_that_asks_what_may_come_next_is_answered_and_nothing_is_opened(tmp_path: Path) -> None:
    asked = {"_LIFESIGN_COMPLETE": "bash_complete", "COMP_WORDS": "lifesign ch", "COMP_CWORD": "1"}
    done = subprocess.run(
        LIFESIGN, env={**os.environ, **asked}, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["plain,check"])
