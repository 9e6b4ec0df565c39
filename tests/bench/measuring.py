"""What a running process uses, and when something was told. Not here: what runs."""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU that `pid` has used, in user and kernel, seconds; of all its threads, to the nanosecond where told."""
    total_ns = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total_ns += int((thread / "schedstat").read_text().split()[0])
    if total_ns:
        return total_ns / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident_mb(pid: int) -> float:
    """Resident memory, MB (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024 / 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """What one window of watching cost."""

    seconds: float
    cpu_s: float
    counted: int
    resident_mb: float


def cost_of(pid: int, window_s: float, counter: Callable[[], int] = lambda: 0) -> Cost:
    """Measures `pid` for `window_s` seconds; `counter` counts what was done in it."""
    began_s, cpu_before_s, before = time.monotonic(), cpu_s(pid), counter()
    time.sleep(window_s)
    cpu_after_s, after = cpu_s(pid), counter()
    return Cost(time.monotonic() - began_s, cpu_after_s - cpu_before_s, after - before, resident_mb(pid))


class Follower:
    """Reads the daemon's event stream and keeps when each event came."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.sendall(b"GET /api/v1/events?follow=1 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        self._told: list[tuple[float, dict[str, Any]]] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._socket.makefile("rb") as lines:
            for line in lines:
                if line.startswith(b"data:"):
                    with self._news:
                        self._told.append((time.time(), json.loads(line[5:])))
                        self._news.notify_all()

    def wait(self, event: str, component: str, *, after_s: float = 0.0, timeout_s: float = 20.0) -> float:
        """When (Unix seconds, not before `after_s`) `event` of `component` came in."""

        def found() -> list[float]:
            return [
                moment
                for moment, told in self._told
                if moment >= after_s and told["event"] == event and told.get("component") == component
            ]

        with self._news:
            assert self._news.wait_for(found, timeout_s), f"in vain for {timeout_s} s: {event} of {component}"
            return found()[0]

    def close(self) -> None:
        """Ends it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()


@contextlib.contextmanager
def following(path: Path) -> Iterator[Follower]:
    """A follower for a while."""
    follower = Follower(path)
    try:
        yield follower
    finally:
        follower.close()
