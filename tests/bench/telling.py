"""How long after it happened something is told: a closed port, a stale heartbeat, a beat that was written."""

import json
import os
import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measuring import following
from tests.bench.monit import PROGRAM, monit
from tests.bench.table import Row
from tests.e2e.running import daemon, wait_until
from tests.ports import free_port

_LIMIT_S = 3.0


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def closed_port(trials: int) -> list[Row]:
    """A port closes at a random moment: ms until that is told."""
    with tempfile.TemporaryDirectory() as name:
        ours_ms = _closed_ours(Path(name), trials)
        monits_ms = _closed_monits(Path(name) / "monit", max(3, trials // 6)) if PROGRAM else []
    return [Row("closed port told, p50", _median(ours_ms), "ms", _median(monits_ms), most=150)]


def _closed_ours(folder: Path, trials: int) -> list[float]:
    port, found_ms = free_port(), []
    config = (
        f'[components.it.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\ninterval = "250ms"\ngrace = "1ms"\n'
        "failure_threshold = 1\nsuccess_threshold = 1\nflap_changes = 10000\n"
    )
    with daemon(folder, config) as running, following(running.socket) as follower:
        for _ in range(trials):
            with socket.create_server(("127.0.0.1", port), backlog=1024):
                wait_until(lambda: running.component("it")["state"] == "healthy", "it is healthy")
                time.sleep(random.uniform(0.25, 0.75))  # whole rounds: else some moments of a round come twice as often
            closed_s = time.time()
            found_ms.append(1000 * (follower.wait("component.down", "it", after_s=closed_s) - closed_s))
    return found_ms


def _closed_monits(folder: Path, trials: int) -> list[float]:
    port, found_ms = free_port(), []
    sign = folder / "told"
    checks = f'check host it with address 127.0.0.1\n  if failed port {port} then exec "/usr/bin/touch {sign}"\n'
    for _ in range(trials):
        with socket.create_server(("127.0.0.1", port), backlog=1024) as listener, monit(folder, checks):
            time.sleep(random.uniform(1.5, 2.5))
            listener.close()
            closed_s = time.time()
            wait_until(sign.exists, "Monit tells of the closed port")
            found_ms.append(1000 * (sign.stat().st_mtime - closed_s))
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    return found_ms


def _beat(path: Path, **keys: object) -> float:
    now_s = time.time()
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({"timestamp": now_s, **keys}))
    beside.replace(path)
    return now_s


def stale_heartbeat(count: int) -> list[Row]:
    """`count` heartbeats are written once, at random moments: ms from the limit until each is told."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours_ms = _stale_ours(folder, count)
        monits_ms = _stale_monits(folder / "monit", count) if PROGRAM else []
    theirs_ms = _p99(monits_ms) if monits_ms else None
    return [
        Row("stale heartbeat told, past its limit, p50", _median(ours_ms), "ms", _median(monits_ms)),
        Row("stale heartbeat told, past its limit, p99", _p99(ours_ms), "ms", theirs_ms, most=50),
    ]


def _stale_ours(folder: Path, count: int) -> list[float]:
    paths = [folder / f"b{number}.json" for number in range(count)]
    config = "".join(
        f'[components.{path.stem}.checks.heartbeat]\ntype = "heartbeat"\npath = "{path}"\n'
        f'stale_after = "{_LIMIT_S}s"\ngrace = "1ms"\n'
        for path in paths
    )
    for path in paths:
        _beat(path)
    with daemon(folder, config) as running, following(running.socket) as follower:
        written_s = {}
        for path in paths:
            time.sleep(random.uniform(0, 1 / count))
            written_s[path.stem] = _beat(path)
        return [
            1000 * (follower.wait("component.down", stem, after_s=moment + _LIMIT_S) - moment - _LIMIT_S)
            for stem, moment in written_s.items()
        ]


def _stale_monits(folder: Path, count: int) -> list[float]:
    """Monit keeps whole seconds of a file's time: it may tell a little early, which is none of its faults."""
    paths = [folder.with_name(f"m{number}") for number in range(count)]
    checks = "".join(
        f"check file {path.name} with path {path}\n  if timestamp > {_LIMIT_S:.0f} seconds then"
        f' exec "/usr/bin/touch {path}.told"\n'
        for path in paths
    )
    for path in paths:
        path.touch()
    with monit(folder, checks):
        written_s = {}
        for path in paths:
            time.sleep(random.uniform(0, 1 / count))
            os.utime(path)
            written_s[path] = time.time()
        signs = {path: Path(f"{path}.told") for path in paths}
        wait_until(lambda: all(sign.exists() for sign in signs.values()), "Monit tells of every stale file")
        return [1000 * (signs[path].stat().st_mtime - moment - _LIMIT_S) for path, moment in written_s.items()]


def beats(count: int, trials: int) -> list[Row]:
    """`count` files are written at 1 Hz; one of them says now and then that it fares worse: ms until the API tells."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"b{number}.json" for number in range(count)]
        for path in paths:
            _beat(path)
        config = "".join(
            f'[components.{path.stem}.checks.heartbeat]\ntype = "heartbeat"\npath = "{path}"\n'
            'grace = "1ms"\nflap_changes = 10000\n'
            for path in paths
        )
        done = threading.Event()
        writer = threading.Thread(target=_beat_steadily, args=(paths[1:], done))
        with daemon(folder, config) as running, following(running.socket) as follower:
            wait_until(lambda: running.component("b0")["state"] == "healthy", "it is healthy")
            writer.start()
            try:
                found_ms = []
                for _ in range(trials):
                    for status, event in (("error", "component.down"), ("ok", "component.recovered")):
                        time.sleep(random.uniform(0.2, 0.4))
                        written_s = _beat(paths[0], status=status)
                        found_ms.append(1000 * (follower.wait(event, "b0", after_s=written_s) - written_s))
            finally:
                done.set()
                writer.join()
    return [
        Row(f"beat written → told by the API, {count} files at 1 Hz, p50", _median(found_ms), "ms", most=30),
        Row(f"beat written → told by the API, {count} files at 1 Hz, p99", _p99(found_ms), "ms", most=100),
    ]


def _beat_steadily(paths: Sequence[Path], done: threading.Event) -> None:
    cycle = 0
    while True:
        cycle += 1
        for path in paths:
            if done.wait(1 / len(paths)):
                return
            _beat(path, cycle=cycle)
