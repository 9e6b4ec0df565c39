"""A stranger gets the number of the process that was decided about: it never gets the signal, whoever named it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.restarts.needs import needs

ROOT = Path(__file__).parents[2]

pytestmark = needs("util-linux", programs=("unshare",))


@pytest.mark.parametrize(
    ("scenario", "at_the_deed", "at_a_new_decision"),
    [
        ("pidfile", "is another process", "is another process"),
        ("heartbeat", "is another process", "is another process"),
        ("bare-heartbeat", "is another process", "is another process"),
        ("check", "is another process by now: it has another start time", "is another process by now"),
    ],
)
def test_a_reused_number_is_nobody_we_know(
    tmp_path: Path, scenario: str, at_the_deed: str, at_a_new_decision: str
) -> None:
    found = scene(scenario, tmp_path)
    assert found["reused"]
    assert found["alive"]
    first, second = str(found["said"]).split(" | ")
    assert first.startswith("hands off: pid ")
    assert at_the_deed in first
    assert second.startswith("hands off: pid ")
    assert at_a_new_decision in second


def test_a_number_that_is_reused_between_proof_and_signal_gets_none(tmp_path: Path) -> None:
    found = scene("held", tmp_path)
    assert found["reused"]
    assert found["alive"]
    assert str(found["said"]).endswith("ended by itself")


def test_a_number_that_is_reused_while_escalate_waits_gets_no_sigkill(tmp_path: Path) -> None:
    found = scene("escalate", tmp_path)
    assert found["reused"]
    assert found["alive"]
    said = str(found["said"])
    assert said.endswith(", it ended") or said.startswith("hands off: ")  # the latter where it was too slow to begin


def scene(scenario: str, folder: Path) -> dict[str, object]:
    done = subprocess.run(
        [
            "unshare",
            "-fp",
            "--mount-proc",
            "--kill-child",
            sys.executable,
            "-m",
            "tests.restarts.reuse",
            scenario,
            folder,
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    if "Operation not permitted" in done.stderr and "LIFESIGN_CI" not in os.environ:
        pytest.skip("no pid namespaces here")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found
