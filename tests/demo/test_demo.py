"""`lifesign demo` as a user runs it: the real command, the real daemon, the real stack."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.test_stack import until

DEMO = [sys.executable, "-m", "lifesign", "demo"]


def environment(tmp_path: Path) -> dict[str, str]:
    """Its temporary folders go where nobody else's are."""
    return {**os.environ, "TMPDIR": str(tmp_path)}


def test_headless_it_tells_what_it_broke_and_leaves_nothing(tmp_path: Path) -> None:
    run = played(tmp_path, "14s")
    if "the worker hangs" not in run.stdout:  # a busy machine: the stack was healthy too late for it to begin
        run = played(tmp_path, "60s")
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    assert "component.down mind alive and ready, but not working" in run.stdout
    assert "component.recovered mind" in run.stdout
    assert re.search(r"the worker hangs.*alive and ready, but not working", run.stdout.partition("were told")[2])
    assert list(tmp_path.iterdir()) == []


def played(folder: Path, duration: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*DEMO, "--headless", "--for", duration],
        capture_output=True,
        text=True,
        timeout=150,
        env=environment(folder),
        check=False,
    )


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_every_break_and_every_recovery_is_told_once_round(tmp_path: Path) -> None:
    run = subprocess.run(
        [*DEMO, "--headless"], capture_output=True, text=True, timeout=280, env=environment(tmp_path), check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "10 of 10 breaks and recoveries were told" in run.stdout
    for words in (
        "alive and ready, but not working: no new work",
        "alive and ready, but not working: stuck",
        "alive, ready and working, but not startable: nexus/mind.py",
        "component.down tools not ready",
        "component.down feed alive, but not working: stuck",
        "component.down gateway alive, but not ready",
        "restart.productive worker",
        "restart.exhausted worker gave up after 3 unproductive restarts",
        "restart.withheld worker restart withheld: pid",
    ):
        assert words in run.stdout
    # Its port and its process go together: which of the two checks is through first is chance.
    assert re.search(r"component\.down mind .*(not alive: no process|not ready: connection refused)", run.stdout)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_it_cleans_up_after_itself_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--headless"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(tmp_path)
    )
    assert demo.stdout is not None
    seen = ""
    while "monitor.started" not in seen:
        line = demo.stdout.readline()
        assert line, seen
        seen += line
    demo.send_signal(number)
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == (-number if number is signal.SIGKILL else 0), rest
    assert "Traceback" not in rest
    assert until(lambda: not list(tmp_path.iterdir()), 60)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "there is no terminal for the console: say --headless"),
        (["--for", "3s"], "--for needs --headless"),
        (["--headless", "--for", "soon"], "'soon' is no duration"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments: list[str], words: str) -> None:
    run = subprocess.run(
        [*DEMO, *arguments], capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL
    )
    assert run.returncode == 2
    assert words in run.stderr
    assert len(run.stderr.splitlines()) == 1
