"""What a check costs: ports, HTTP, files and processes, each watched every second by lifesign and then by Monit."""

import contextlib
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench.measuring import Cost, cost_of
from tests.bench.monit import monit
from tests.bench.table import Row
from tests.bench.targets import targets
from tests.e2e.running import daemon, wait_until

SETTLE_S = 3.5
_DEFAULTS = '[defaults]\ninterval = "1s"\ngrace = "1ms"\n'


def _nothing() -> int:
    return 0


def _ours(
    folder: Path,
    config: str,
    window_s: float,
    counter: Callable[[], int] = _nothing,
    edge: Callable[[], object] = _nothing,
) -> tuple[Cost, float]:
    """Cost, and the loop's lag in ms (the median of ten samples). `edge` is called as the window opens and closes."""
    folder.mkdir()
    with daemon(folder, _DEFAULTS + config) as running:
        wait_until(lambda: running.request("GET", "/api/v1/state")[1]["overall"] == "healthy", "all are seen", 60)
        time.sleep(SETTLE_S)
        edge()
        cost = cost_of(running.process.pid, window_s, counter)
        edge()
        lags_ms = []
        for _ in range(10):
            time.sleep(0.05)
            lags_ms.append(float(running.request("GET", "/api/v1/state")[1]["monitor"]["loop_lag_ms"]))
        state = running.request("GET", "/api/v1/state")[1]
        assert state["overall"] == "healthy", [c for c in state["components"] if c["state"] != "healthy"][:3]
    return cost, statistics.median(lags_ms)


def _monits(folder: Path, checks: str, window_s: float, counter: Callable[[], int] = lambda: 0) -> Cost | None:
    with monit(folder, checks) as pid:
        if pid is None:
            return None
        time.sleep(SETTLE_S)
        return cost_of(pid, window_s, counter)


def _rows(name: str, ours: Cost, lag_ms: float, monits: Cost | None, checks: int, most: float) -> list[Row]:
    """`checks`: how many a second where nobody counted them; `most`: the ratio that is the goal."""

    def us(cost: Cost) -> float:
        return cost.cpu_s * 1e6 / (cost.counted or checks * cost.seconds)

    found = [
        Row(f"{name}: CPU a check", us(ours), "µs", us(monits) if monits else None, most_ratio=most),
        Row(f"{name}: resident", ours.resident_mb, "MB", monits.resident_mb if monits else None),
        Row(f"{name}: loop lag, median", lag_ms, "ms"),
    ]
    if ours.counted:
        theirs = monits.counted / monits.seconds / checks if monits else None
        found.append(Row(f"{name}: rounds a second", ours.counted / ours.seconds / checks, "", theirs, least=0.98))
    return found


def network(count: int, kind: str, window_s: float) -> list[Row]:
    """`count` ports of `kind` (`tcp` or `http`), each looked at every second."""
    with tempfile.TemporaryDirectory() as name, targets(count, kind) as them:
        folder = Path(name)
        key = {"tcp": 'address = "127.0.0.1:{}"', "http": 'url = "http://127.0.0.1:{}/"'}[kind]
        config = "".join(
            f'[components.c{port}.checks.port]\ntype = "{kind}"\n{key.format(port)}\n' for port in them.ports
        )
        gaps_s: list[tuple[float, float]] = []
        ours, lag_ms = _ours(folder / "ours", config, window_s, them.accepted, lambda: gaps_s.append(them.gaps_s()))
        _, (p99_s, longest_s) = gaps_s
        protocol = " protocol http" if kind == "http" else ""
        checks = "".join(
            f"check host c{port} with address 127.0.0.1\n  if failed port {port}{protocol} then alert\n"
            for port in them.ports
        )
        monits = _monits(folder / "monit", checks, window_s, them.accepted)
    rows = _rows(f"{kind}, {count:,}", ours, lag_ms, monits, count, 1.5)
    note = f"(p99 {1000 * (p99_s - 1):.0f} ms)"
    rows.append(Row(f"{kind}, {count:,}: a look late by, at most", 1000 * (longest_s - 1), "ms", most=100, note=note))
    return rows if kind == "tcp" else [replace(row, least=None, most=None) for row in rows]


def file_age(count: int, window_s: float) -> list[Row]:
    """`count` heartbeat files, each looked at every second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"{number}.json" for number in range(count)]
        for path in paths:
            path.write_text(json.dumps({"timestamp": time.time(), "cycle": 1}))
        config = "".join(
            f'[components.{path.stem}.checks.heartbeat]\ntype = "heartbeat"\npath = "{path}"\nstale_after = "10m"\n'
            for path in paths
        )
        ours, lag_ms = _ours(folder / "ours", config, window_s)
        checks = "".join(
            f"check file f{path.stem} with path {path}\n  if timestamp > 10 minutes then alert\n" for path in paths
        )
        monits = _monits(folder / "monit", checks, window_s)
    return _rows(f"file age, {count:,}", ours, lag_ms, monits, count, 2)


@contextlib.contextmanager
def _sleepers(count: int) -> Iterator[list[int]]:
    children = [subprocess.Popen(["sleep", "600"]) for _ in range(count)]
    try:
        yield [child.pid for child in children]
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()


def process(count: int, window_s: float) -> list[Row]:
    """`count` pidfiles, of a hundred processes, each looked at every second."""
    with tempfile.TemporaryDirectory() as name, _sleepers(100) as pids:
        folder = Path(name)
        paths = [folder / f"{number}.pid" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_text(f"{pids[number % len(pids)]}\n")
        config = "".join(
            f'[components.{path.stem}.checks.process]\ntype = "process"\npidfile = "{path}"\n' for path in paths
        )
        ours, lag_ms = _ours(folder / "ours", config, window_s)
        checks = "".join(f"check process p{path.stem} with pidfile {path}\n" for path in paths)
        monits = _monits(folder / "monit", checks, window_s)
    return _rows(f"process, {count:,}", ours, lag_ms, monits, count, 2)
