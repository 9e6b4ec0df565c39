"""Two real daemons on one repository, each killed with SIGKILL again and again: one issue for each incident."""

import contextlib
import json
import random
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lifesign.alerts.forge import Marker
from tests.alerts.strict_forge import Fault, StrictForge
from tests.alerts.strict_gitea import StrictGitea
from tests.alerts.strict_github import StrictGitHub
from tests.alerts.test_forge_races import Mishap
from tests.e2e.forges import forge_running
from tests.e2e.running import LIFESIGN, wait_until
from tests.e2e.test_alerts import CHECK, port_open
from tests.e2e.test_forge import FORGE
from tests.ports import free_port

INCIDENTS = 8


class Rare(Mishap):
    """Each way of four strikes one request in fifty."""

    def meets(self, request: object, when: str) -> bool:
        del request
        return self.when == when and self.luck.random() < 0.02


@dataclass
class Watchdog:
    """One daemon over its lives."""

    folder: Path
    config: str
    process: subprocess.Popen[bytes] | None = None
    lives: int = 0
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.log = self.folder / "events.jsonl"
        path = self.folder / "lifesign.toml"
        path.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{self.config}')
        path.chmod(0o644)

    def told(self, event: str) -> int:
        return self.log.read_text().count(f'"{event}"') if self.log.exists() else 0

    def begin(self) -> None:
        argv = [*LIFESIGN, "run", "-c", str(self.folder / "lifesign.toml"), "--log-file", str(self.log)]
        self.process, self.lives = subprocess.Popen(argv, stdin=subprocess.DEVNULL), self.lives + 1
        wait_until(lambda: self.told("monitor.started") >= self.lives, "a start", 60)

    def kill(self) -> None:
        """At the end of the test, whatever has come of it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(40)


def _config(forge: StrictForge, port: int) -> str:
    text = FORGE.replace(', "nobody"', "")
    if isinstance(forge, StrictGitHub):
        text = text.replace('"gitea"', '"github"')
    url = forge.url + (forge.prefix if isinstance(forge, StrictGitHub) else "")
    return CHECK.format(port=port) + text.format(url=url) + 'reopen_within = "0s"\nmin_update = "1s"\n'


def _suffer(dogs: list[Watchdog], luck: random.Random) -> None:
    """One of them is killed, at whatever it is just doing, and begins anew."""
    time.sleep(luck.uniform(0, 0.6))  # the moment of the kill is the test's input
    victim = luck.choice(dogs)
    victim.end(signal.SIGKILL)
    victim.begin()


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", [StrictGitea, StrictGitHub])
def test_whoever_is_killed_whenever_each_incident_has_one_issue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[StrictForge]
) -> None:
    luck, port = random.Random(7), free_port()
    monkeypatch.setenv("FORGE_TOKEN", kind.token)
    with forge_running(kind()) as forge, contextlib.ExitStack() as stack:
        human = forge.file("a human's", "gateway is down", labels=("watchdog",))
        ways = [{"status": status, "when": when} for status in (0, 502) for when in ("before", "after")]
        faults: list[Fault] = [Rare(**way, luck=luck) for way in ways]  # type: ignore[arg-type]
        dogs = [Watchdog(tmp_path / name, _config(forge, port)) for name in "ab"]
        well = stack.enter_context(contextlib.ExitStack())
        well.enter_context(port_open(port))
        for dog in dogs:
            dog.begin()
            stack.callback(dog.kill)
        for number in range(1, INCIDENTS + 1):
            forge.faults = faults
            well.close()
            _suffer(dogs, luck)
            wait_until(lambda: len(forge.issues) > number, "its issue", 120)  # noqa: B023 - called at once
            _suffer(dogs, luck)
            well.enter_context(port_open(port))
            _suffer(dogs, luck)
            forge.faults = []
            wait_until(lambda: forge.open == [human.number], "the issue closed", 120)
            _quiet(dogs)
        for dog in dogs:
            dog.end(signal.SIGTERM)
        ours = [ticket for ticket in forge.issues if ticket is not human]
        stay = [ticket for ticket in ours if not any("The same as issue" in note.body for note in ticket.notes)]
        assert (len(stay), forge.open, human.notes) == (INCIDENTS, [human.number], [])
        assert all((marker := Marker.found_in(ticket.body)) is not None and marker.end for ticket in stay)
        assert sum(dog.lives for dog in dogs) == 2 + 3 * INCIDENTS


def _quiet(dogs: list[Watchdog]) -> None:
    """Until each has told what it had to tell, and sees that all is well."""

    def is_quiet(dog: Watchdog) -> bool:
        argv = [*LIFESIGN, "snapshot", "-c", str(dog.folder / "lifesign.toml"), "--format", "json"]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=90)
        if done.returncode:  # it has just begun, or is too busy to answer
            return False
        state = json.loads(done.stdout)
        return bool(state["overall"] == "healthy" and state["monitor"]["outbox"]["depth"] == 0)

    for dog in dogs:
        wait_until(lambda: is_quiet(dog), "quiet", 300)  # noqa: B023 - called at once
