"""An operator at work on a real daemon: each command does what it says, with its author, and outlives the daemon."""

import os
import pwd
import subprocess
import time
from pathlib import Path

from lifesign.api.client import Client
from lifesign.api.past import Step
from tests.e2e.running import LIFESIGN, Daemon, daemon, wait_until

US = pwd.getpwuid(os.getuid()).pw_name
CONFIG = """
[components.mind.checks.beat]
type = "heartbeat"
path = "mind.json"
stale_after = "1s"
grace = "1s"

[components.tools.checks.beat]
type = "heartbeat"
path = "tools.json"
stale_after = "1h"
"""


def lifesign(running: Daemon, *words: str) -> tuple[int, str]:
    """One command: its exit code, and all that it printed."""
    run = [*LIFESIGN, words[0], "-c", str(running.config), *words[1:]]
    environment = {**os.environ, "SUDO_USER": "alice"}
    done = subprocess.run(run, capture_output=True, text=True, timeout=90, env=environment, check=False)
    return done.returncode, done.stdout + done.stderr


def beat(folder: Path, name: str) -> None:
    (folder / f"{name}.json").write_text(f'{{"timestamp": {time.time()}}}')


def test_silence_hold_and_acknowledgement_are_told_with_author_and_reason_and_outlive_the_daemon(
    tmp_path: Path,
) -> None:
    alice = "alice" if US == "alice" else f"alice ({US})"
    beat(tmp_path, "mind")
    beat(tmp_path, "tools")
    with daemon(tmp_path, CONFIG) as running:
        running.wait_for_event("component.down", "mind")
        code, out = lifesign(running, "silence", "mind", "1h", "--reason", "vendor outage")
        assert code == 0
        assert out.startswith("mind: silenced until ")
        assert out.endswith(f" by {alice}: vendor outage\n")
        assert lifesign(running, "ack", "mind", "--reason", "on it") == (0, f"mind: acknowledged by {alice}: on it\n")
        assert lifesign(running, "hold", "--all", "10m", "--reason", "deploy") == (0, "2 components are held: deploy\n")
        assert lifesign(running, "ack", "tools")[0] == 1  # nothing is open there
        mind = running.component("mind")
        assert mind["state"] == "down"  # a silence hides nothing
        assert running.status()[0] == 503
    with daemon(tmp_path, CONFIG) as running:
        mind = running.component("mind")
        found = {kind: (mind[kind]["author"], mind[kind]["reason"]) for kind in ("silence", "hold", "acknowledged")}
        assert found == {
            "silence": (alice, "vendor outage"),
            "hold": (alice, "deploy"),
            "acknowledged": (alice, "on it"),
        }
        assert lifesign(running, "unsilence", "mind") == (0, "mind: not silenced\n")
        assert lifesign(running, "unsilence", "mind")[0] == 1
        assert lifesign(running, "release", "--all") == (0, "released everything that was held\n")
        mind = running.component("mind")
        assert mind["silence"] is mind["hold"] is None
    names = [event["event"] for event in running.events() if event.get("data", {}).get("author") == alice]
    assert names == ["silence.added", "ack.added", "hold.added", "silence.ended", "hold.ended"]


def test_a_silence_ends_by_itself_and_a_pause_only_by_hand(tmp_path: Path) -> None:
    beat(tmp_path, "mind")
    beat(tmp_path, "tools")
    with daemon(tmp_path, CONFIG) as running:
        assert lifesign(running, "silence", "tools", "1", "--reason", "short")[0] == 0
        assert lifesign(running, "pause", "mind") == (0, "mind: paused\n")
        running.wait_for_event("silence.ended", "tools")
        assert running.component("tools")["silence"] is None
        code, out = lifesign(running, "probe", "mind")
        assert (code, "paused" in out) == (1, True)
        assert running.component("mind")["state"] == "paused"
        assert lifesign(running, "resume", "mind")[0] == 0

        def works_again() -> bool:
            beat(tmp_path, "mind")
            return bool(running.component("mind")["state"] == "healthy")

        wait_until(works_again, "healthy after its grace")


def test_a_real_daemon_tells_how_a_component_stood_when_it_went_down(tmp_path: Path) -> None:
    beat(tmp_path, "mind")
    beat(tmp_path, "tools")
    with daemon(tmp_path, CONFIG) as running:
        running.wait_for_event("component.down", "mind")
        client = Client.connect(f"unix:{running.socket}")
        wait_until(
            lambda: (found := client.past("mind", Step()).moment) is not None and found.state == "down", "a past"
        )
        wait_until(lambda: client.past_incidents(Step()).moment is not None, "its incident in the past")
        down = client.past("mind", Step()).moment
        before = client.past("mind", Step(down.at if down else "")).moment
        opened = client.past_incidents(Step()).moment
    assert down is not None
    assert (down.state, down.until, down.layers) == ("down", None, {"working": "failed"})
    assert {event.event for event in down.events} >= {"check.failed", "component.down"}
    assert [(check.name, check.state) for check in down.checks] == [("beat", "failed")]
    assert before is None or before.state != "down"  # on a slow machine its first failures were told by themselves
    assert opened is not None
    assert [one.component for one in opened.incidents] == ["mind"]
