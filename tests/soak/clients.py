"""Twenty who attach: eight that poll the state, eight that follow the events, and four consoles on real terminals.

As a program (`python -m tests.soak.clients SOCKET FILE`) it is the first sixteen, in a process of their own, and one
that asks ten times a second whether the daemon serves. It writes what they saw: `lag MS`, the loop's lag in the
daemon's words, and `ready MS`, how long that question took.
"""

import contextlib
import os
import queue
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect

from tests.e2e.running import LIFESIGN
from tests.started import put_away

POLLERS, FOLLOWERS, CONSOLES = 8, 8, 4
_LAG = re.compile(rb'"loop_lag_ms":\s*([0-9.e-]+)')
_KEYS = ("1", "2", "4", "j", "j", "k", "\r", "\x1b", "f", "f", "t", "?", "\x1b", "c")


@contextlib.contextmanager
def attached(daemon_socket: Path, config: Path, seen: Path) -> Iterator[None]:
    """All twenty, for as long as the block lasts."""
    command = [sys.executable, "-m", "tests.soak.clients", str(daemon_socket), str(seen)]
    ended = threading.Event()
    consoles = [threading.Thread(target=_sit_at_consoles, args=(config, ended, n)) for n in range(CONSOLES)]
    with subprocess.Popen(command) as pollers:
        for thread in consoles:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            pollers.terminate()
            for thread in consoles:
                thread.join()


def figures(seen: Path) -> dict[str, list[float]]:
    """What the sixteen wrote, by kind, in ms."""
    found: dict[str, list[float]] = {"lag": [], "ready": []}
    for line in seen.read_text().splitlines():
        kind, _, value = line.partition(" ")
        found[kind].append(float(value))
    return found


def _sit_at_consoles(config: Path, ended: threading.Event, number: int) -> None:
    """One console after the other, each for a minute or two."""
    chance = random.Random(number)
    own = str(config.parent / "own")  # a theme that is chosen is kept, but not for whoever runs this
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_CONFIG_HOME": own}
    while not ended.is_set():
        console: pexpect.spawn[bytes] = pexpect.spawn(
            LIFESIGN[0],
            [*LIFESIGN[1:], "console", "-c", str(config)],
            dimensions=(40, 120),
            env=environment,
            use_poll=True,
        )
        leave_s = time.monotonic() + chance.uniform(60, 150)
        while time.monotonic() < leave_s and not ended.is_set() and console.isalive():
            _use(console, chance)
        with contextlib.suppress(OSError):
            console.send("q")
        _end(console)


def _end(console: "pexpect.spawn[bytes]") -> None:
    """Waits until it has ended; it has some seconds for that on a busy machine."""
    until_s = time.monotonic() + 10
    while console.isalive() and time.monotonic() < until_s:
        with contextlib.suppress(pexpect.EOF, pexpect.TIMEOUT):
            console.read_nonblocking(65536, timeout=0.2)
    put_away(console)


def _use(console: "pexpect.spawn[bytes]", chance: random.Random) -> None:
    """Reads what it draws for some seconds, then presses a key."""
    until_s = time.monotonic() + chance.uniform(1, 5)
    with contextlib.suppress(pexpect.EOF, OSError):
        while time.monotonic() < until_s:
            with contextlib.suppress(pexpect.TIMEOUT):
                console.read_nonblocking(65536, timeout=0.5)
        console.send(chance.choice(_KEYS))


def _exchange(path: str, route: str) -> bytes:
    """One request on a connection of its own; the whole answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(f"GET {route} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def _poll(path: str, told: "queue.SimpleQueue[str]", chance: random.Random) -> None:
    while True:
        time.sleep(chance.uniform(0.8, 1.2))
        with contextlib.suppress(OSError):
            found = _LAG.search(_exchange(path, "/api/v1/state"))
            if found is not None:
                told.put(f"lag {float(found[1])}")


def _ask(path: str, told: "queue.SimpleQueue[str]") -> None:
    while True:
        time.sleep(0.1)
        began_s = time.perf_counter()
        with contextlib.suppress(OSError):
            if b" 200 " in _exchange(path, "/api/health/ready")[:20]:
                told.put(f"ready {1000 * (time.perf_counter() - began_s):.3f}")


def _follow(path: str, chance: random.Random) -> None:
    """Follows the events, and goes and comes again after a while."""
    while True:
        leave_s = time.monotonic() + chance.uniform(20, 60)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(path)
            connection.sendall(b"GET /api/v1/events?follow=1 HTTP/1.1\r\nhost: localhost\r\n\r\n")
            while time.monotonic() < leave_s:
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1 << 16):
                        break
        time.sleep(0.2)


def main(path: str, seen: str) -> None:
    """Runs until it is ended."""
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    jobs = [threading.Thread(target=_poll, args=(path, told, random.Random(n)), daemon=True) for n in range(POLLERS)]
    jobs += [threading.Thread(target=_follow, args=(path, random.Random(n)), daemon=True) for n in range(FOLLOWERS)]
    jobs.append(threading.Thread(target=_ask, args=(path, told), daemon=True))
    for job in jobs:
        job.start()
    with Path(seen).open("a", buffering=1) as file:
        while True:
            file.write(told.get() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
