"""What it takes to follow files that are written all the time, to hold components, and to answer many clients."""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measuring import cost_of, resident_mb
from tests.bench.table import Row
from tests.bench.targets import targets
from tests.e2e.running import Daemon, console_lines, daemon, wait_until

_WRITER = """
import json, os, sys, time
folder, count = sys.argv[1], int(sys.argv[2])
number, began = 0, time.monotonic()
while True:
    path = f"{folder}/b{number % count}.json"
    with open(path + "~", "w") as beside:
        json.dump({"timestamp": time.time(), "cycle": number // count}, beside)
    os.replace(path + "~", path)
    number += 1
    ahead = began + number / count - time.monotonic()
    if ahead > 0.002:
        time.sleep(ahead)
"""


@contextlib.contextmanager
def _beating(folder: Path, count: int) -> Iterator[None]:
    """`count` files, each replaced once a second, by a process of its own."""
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(folder), str(count)]) as writer:
        try:
            wait_until((folder / f"b{count - 1}.json").exists, "all have beaten once")
            yield
        finally:
            writer.kill()


def beat_files(count: int, window_s: float, most_percent: float) -> list[Row]:
    """CPU for `count` heartbeat files that are written at 1 Hz."""
    with tempfile.TemporaryDirectory() as name, _beating(Path(name), count):
        folder = Path(name)
        config = "".join(
            f'[components.b{number}.checks.heartbeat]\ntype = "heartbeat"\npath = "{folder}/b{number}.json"\n'
            'stale_after = "10s"\ngrace = "1ms"\n'
            for number in range(count)
        )
        home = folder / "ours"
        home.mkdir()
        with daemon(home, config, start_s=60) as running:
            time.sleep(6)
            cost = cost_of(running.process.pid, window_s)
            counts = running.request("GET", "/api/v1/state")[1]["counts"]
            assert counts["healthy"] == count, counts
    percent = 100 * cost.cpu_s / cost.seconds
    return [Row(f"{count:,} heartbeat files at 1 Hz", percent, "% of a core", most=most_percent)]


def resident(count: int, most_mb: float) -> list[Row]:
    """Memory of a daemon that has watched `count` components for some seconds."""
    with tempfile.TemporaryDirectory() as name, targets(1, "tcp") as them:
        config = "".join(
            f'[components.c{number}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{them.ports[0]}"\n'
            for number in range(count)
        )
        with daemon(Path(name), f'[defaults]\ninterval = "2s"\ngrace = "1ms"\n{config}') as running:
            time.sleep(5)
            found = resident_mb(running.process.pid)
    return [Row(f"resident, {count:,} components", found, "MB", most=most_mb)]


def attached(samples: int) -> list[Row]:
    """The loop's lag with 200 ports watched: alone, and with twenty clients that poll and a console."""
    with tempfile.TemporaryDirectory() as name, targets(200, "tcp") as them:
        config = "".join(
            f'[components.c{port}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n' for port in them.ports
        )
        with daemon(Path(name), f'[defaults]\ninterval = "1s"\ngrace = "1ms"\n{config}') as running:
            time.sleep(2)
            alone_ms = _lag_ms(running, samples)
            with _polling(running, 20), console_lines(running.config):
                time.sleep(1)
                attached_ms = _lag_ms(running, samples)
    note = f"({attached_ms:.1f} ms against {alone_ms:.1f} ms)"
    more = max(0.0, attached_ms - alone_ms)
    return [Row("loop lag that 20 clients and a console add, p99", more, "ms", most=50, note=note)]


def _lag_ms(running: Daemon, samples: int) -> float:
    found = []
    for _ in range(samples):
        time.sleep(0.1)
        found.append(float(running.request("GET", "/api/v1/state")[1]["monitor"]["loop_lag_ms"]))
    return statistics.quantiles(found, n=100)[98]


@contextlib.contextmanager
def _polling(running: Daemon, clients: int) -> Iterator[None]:
    """So many clients that ask for the status twice a second."""
    done = threading.Event()

    def poll() -> None:
        while not done.wait(0.5):
            running.status()

    threads = [threading.Thread(target=poll, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
