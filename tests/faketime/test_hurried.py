"""The real program in hurried time: two hours in two minutes, fifty checks of real targets, five of which break."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import Daemon, wait_until
from tests.faketime.stack import EACH, HOURS, PLAN
from tests.figures import Figures

PACE = 60
needs_faketime = pytest.mark.skipif(
    shutil.which("faketime") is None and not os.environ.get("LIFESIGN_CI"), reason="needs faketime (Debian: faketime)"
)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def seconds(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["ts"]).timestamp()


def states(folder: Path, process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """The state document, twice in each real second, until the stack ends."""
    daemon = Daemon(folder / "lifesign.toml", folder / "events.jsonl", process)
    wait_until(daemon.serves, "a socket")
    while process.poll() is None:
        try:
            status, document = daemon.request("GET", "/api/v1/state")
        except (OSError, ValueError, http.client.HTTPException):  # it ends
            process.wait(timeout=30)
            return
        assert status == 200
        yield document
        time.sleep(0.5)


@needs_faketime
@pytest.mark.proof
@pytest.mark.timeout(400)
def test_two_hurried_hours_tell_five_breaks_in_order_and_nothing_else(tmp_path: Path, figures: Figures) -> None:
    argv = ["faketime", "-f", f"+0 x{PACE}", sys.executable, "-m", "tests.faketime.stack", str(tmp_path)]
    process = subprocess.Popen(argv, cwd=Path(__file__).parents[2])
    try:
        seen = list(states(tmp_path, process))
    finally:
        process.kill()
    assert process.returncode == 0
    overdue = {
        (component["name"], check["message"])
        for document in seen
        for component in document["components"]
        for check in component["checks"]
        if check["message"].startswith("overdue")
    }
    assert overdue == set()
    assert all(len(document["components"]) == 5 * EACH for document in seen)
    assert len(seen) > 60

    events, truth = lines(tmp_path / "events.jsonl"), lines(tmp_path / "truth.jsonl")
    told = [(e["event"], e["component"]) for e in events if e["event"] in ("component.down", "component.recovered")]
    names = [f"{kind}3" for kind, *_ in PLAN]
    assert told == [(f"component.{what}", name) for name in names for what in ("down", "recovered")]
    for name in names:
        harmed_s, healed_s = (deed["at"] for deed in truth if deed["component"] == name)
        down_s, recovered_s = (
            seconds(e) for e in events if (e["event"], e.get("component")) in told and e["component"] == name
        )
        assert harmed_s < down_s < healed_s < recovered_s
    others = [e for e in events if e.get("component") and e["component"] not in names]
    assert {e["event"] for e in others} == {"component.healthy"}
    assert len(others) == 5 * EACH - len(names)
    stalls = sum(e["event"] == "monitor.stalled" for e in events)
    span_h = (seconds(events[-1]) - seconds(events[0])) / 3_600
    assert span_h >= HOURS
    figures("the real program in hurried time", hours=span_h, checks=5 * EACH, stalls_of_our_own=stalls)
