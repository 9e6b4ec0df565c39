"""A real daemon over a component that flips every second: it stays as small as it was, and ends when it is told to.

`LIFESIGN_FLAP_S` is how long, in seconds (default 120).
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.running import LIFESIGN, Daemon, daemon, ended, wait_until
from tests.figures import Figures
from tests.ports import free_port
from tests.soak.usage import Sampler, flatness

FLAP_S = float(os.environ.get("LIFESIGN_FLAP_S", "120"))
CONFIG = """
[defaults]
interval = "250ms"
timeout = "200ms"
failure_threshold = 1
success_threshold = 1
grace = "1s"

[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
[components.gateway.restart]
method = "command"
argv = ["{touch}", "{folder}/restarted"]
automatic = true
after = "5s"
"""


class Flipping:
    """A port of the loopback that is open in one second and shut in the next."""

    def __init__(self) -> None:
        self.port, self.flips = free_port(), 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        listening: socket.socket | None = None
        while not self._ended.wait(1):
            self.flips += 1
            if listening is not None:
                listening.close()
                listening = None
            else:
                with suppress(OSError):  # somebody else has the port just now: one flip less
                    listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
        if listening is not None:
            listening.close()

    def end(self) -> None:
        """Shuts it."""
        self._ended.set()
        self._thread.join()


@contextmanager
def flipping() -> Iterator[Flipping]:
    one = Flipping()
    try:
        yield one
    finally:
        one.end()


def config(folder: Path, target: Flipping) -> str:
    return CONFIG.format(port=target.port, touch="/usr/bin/touch", folder=folder)


def sockets(running: Daemon) -> int:
    found = 0
    for descriptor in Path(f"/proc/{running.process.pid}/fd").iterdir():
        with suppress(OSError):
            found += str(descriptor.readlink()).startswith("socket:")
    return found


@pytest.mark.proof
@pytest.mark.timeout(FLAP_S + 120)
def test_a_component_that_flips_every_second_costs_no_memory_descriptor_or_socket(
    tmp_path: Path, figures: Figures
) -> None:
    with flipping() as target, daemon(tmp_path, config(tmp_path, target)) as running:
        sampler = Sampler(running.process.pid)
        wait_until(lambda: running.component("gateway")["flapping"], "flapping", 60)
        before, most, ends_s = sockets(running), 0, time.monotonic() + FLAP_S
        while time.monotonic() < ends_s:
            most = max(most, sockets(running))
            threading.Event().wait(1)  # between two samples
        after = sockets(running)
        sampler.end()
        found = {one.field: one for one in flatness(sampler.samples, min(60.0, FLAP_S / 4))}
        figures("a flapping daemon", seconds=FLAP_S, flips=target.flips)
        for one in found.values():
            sys.stdout.write(f"{one.field}: {one.first:.1f} -> {one.last:.1f}, {one.highest:.1f} at most\n")
        sys.stdout.write(f"sockets: {before} -> {after}, {most} at most; cpu {sampler.cpu_share:.1%}\n")
        assert [one for one in found.values() if not one.is_flat] == []
        assert most <= before + 4  # a look of its own, and the questions of this test
        assert len(running.events("component.flapping")) == 1
        assert running.events("restart.sent") == []
    assert not (tmp_path / "restarted").exists()


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_sigterm_ends_it_within_five_seconds_at_any_moment_of_the_flapping(tmp_path: Path, figures: Figures) -> None:
    chance, took_s = random.Random(11), []
    with flipping() as target:
        for number in range(16):
            folder = tmp_path / str(number)
            folder.mkdir()
            path = folder / "lifesign.toml"
            path.write_text(f'[monitor]\nstate_dir = "state"\n{config(folder, target)}')
            path.chmod(0o644)
            argv = [*LIFESIGN, "run", "-c", str(path)]
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            wait_until((folder / "state" / "lifesign.sock").exists, "a socket")
            time.sleep(chance.uniform(0, 5))  # any moment
            process.send_signal(signal.SIGTERM)
            code, seconds = ended(process)
            took_s.append(seconds)
            assert code == 0
            assert not (folder / "state" / "lifesign.sock").exists()
    sys.stdout.write(f"SIGTERM to the end: {max(took_s):.2f} s at most of {len(took_s)}\n")
    figures("SIGTERM while it flaps", ends=len(took_s))
    assert max(took_s) < 5.0
