"""How long after a process died that is told, and how many hung neighbours delay what is told of others."""

import contextlib
import random
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.measuring import Follower, following
from tests.bench.monit import PROGRAM, monit
from tests.bench.table import Row
from tests.e2e.running import Daemon, daemon, wait_until

_QUICK = 'failure_threshold = 1\nsuccess_threshold = 1\ngrace = "1ms"\nflap_changes = 10000\n'


def dead_process(trials: int) -> list[Row]:
    """Processes named by pidfiles are killed at random moments, each looked at every second: ms until that is told."""
    with tempfile.TemporaryDirectory() as name:
        ours_ms = _dead_ours(Path(name), trials)
        monits_ms = [_dead_monits(Path(name) / f"monit{n}") for n in range(max(3, trials // 4))] if PROGRAM else []
    theirs = statistics.median(monits_ms) if monits_ms else None
    return [Row("dead process told, p50", statistics.median(ours_ms), "ms", theirs, most=5)]


def _dead_ours(folder: Path, trials: int) -> list[float]:
    children = [subprocess.Popen(["sleep", "600"]) for _ in range(trials)]
    config = ""
    for number, child in enumerate(children):
        path = folder / f"{number}.pid"
        path.write_text(f"{child.pid}\n")
        config += f'[components.p{number}.checks.it]\ntype = "process"\npidfile = "{path}"\ninterval = "1s"\n{_QUICK}'
    try:
        with daemon(folder, config) as running, following(running.socket) as follower:
            wait_until(lambda: _overall(running) == "healthy", "all processes are seen")
            found_ms = []
            for number, child in enumerate(children):
                time.sleep(random.uniform(0.1, 0.3))
                killed_s = time.time()
                child.kill()
                found_ms.append(1000 * (follower.wait("component.down", f"p{number}", after_s=killed_s) - killed_s))
            return found_ms
    finally:
        _end(children)


def _overall(running: Daemon) -> str:
    return str(running.request("GET", "/api/v1/state")[1]["overall"])


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.kill()
        child.wait()


def _dead_monits(folder: Path) -> float:
    child = subprocess.Popen(["sleep", "600"])
    pidfile, sign = folder.with_suffix(".pid"), folder.with_suffix(".told")
    pidfile.write_text(f"{child.pid}\n")
    checks = f'check process it with pidfile {pidfile}\n  if does not exist then exec "/usr/bin/touch {sign}"\n'
    try:
        with monit(folder, checks):
            time.sleep(random.uniform(1.5, 2.5))
            killed_s = time.time()
            child.kill()
            child.wait()
            wait_until(sign.exists, "Monit tells of the dead process")
            return 1000 * (sign.stat().st_mtime - killed_s)
    finally:
        _end([child])


@contextlib.contextmanager
def _listening(count: int) -> Iterator[list[socket.socket]]:
    """Ports that accept and say nothing: to knock at they are fine, to HTTP they hang."""
    with contextlib.ExitStack() as held:
        yield [held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024)) for _ in range(count)]


def hung_neighbours(hung: int, closing: int) -> list[Row]:
    """A thousand ports looked at each second, of which `closing` close, without and with `hung` HTTP targets beside."""
    alone_ms, beside_ms = (_closing_beside(number, closing) for number in (0, hung))
    monits_ms = _monit_beside(hung) if PROGRAM and hung <= 10 else None
    ratio = beside_ms / alone_ms
    note = f"({beside_ms:.0f} ms against {alone_ms:.0f} ms" + (f"; Monit {monits_ms:,.0f} ms)" if monits_ms else ")")
    return [Row(f"{hung} hung targets beside 1,000: told so much later, p50", ratio, "×", most=1.2, note=note)]


def _closing_beside(hung: int, closing: int) -> float:
    """ms until a closed port is told, the median."""
    with tempfile.TemporaryDirectory() as name, _listening(1000) as good, _listening(hung) as silent:
        config = "".join(
            f'[components.c{number}.checks.port]\ntype = "tcp"\ninterval = "1s"\n'
            f'address = "127.0.0.1:{port.getsockname()[1]}"\n{_QUICK}'
            for number, port in enumerate(good)
        ) + "".join(
            f'[components.h{number}.checks.it]\ntype = "http"\ninterval = "1s"\ntimeout = "5s"\n'
            f'url = "http://127.0.0.1:{port.getsockname()[1]}/"\ngrace = "10m"\n'
            for number, port in enumerate(silent)
        )
        with daemon(Path(name), config) as running, following(running.socket) as follower:
            time.sleep(4)
            return statistics.median(_close_some(good, closing, follower))


def _close_some(ports: Sequence[socket.socket], closing: int, follower: Follower) -> list[float]:
    closed_s: dict[int, float] = {}
    for number in random.sample(range(len(ports)), closing):
        time.sleep(random.uniform(0, 4 / closing))
        ports[number].close()
        closed_s[number] = time.time()
    return [
        1000 * (follower.wait("component.down", f"c{number}", after_s=moment) - moment)
        for number, moment in closed_s.items()
    ]


def _monit_beside(hung: int) -> float:
    """ms until Monit tells of one closed port, once."""
    with tempfile.TemporaryDirectory() as name, _listening(1000) as good, _listening(hung) as silent:
        folder = Path(name) / "monit"
        sign = Path(name) / "told"
        checks = "".join(
            f"check host c{number} with address 127.0.0.1\n  if failed port {port.getsockname()[1]} then"
            f' exec "/usr/bin/touch {sign}"\n'
            for number, port in enumerate(good)
        ) + "".join(
            f"check host h{number} with address 127.0.0.1\n"
            f"  if failed port {port.getsockname()[1]} protocol http then alert\n"
            for number, port in enumerate(silent)
        )
        with monit(folder, checks):
            time.sleep(5)
            good[0].close()
            closed_s = time.time()
            wait_until(sign.exists, "Monit tells of the closed port", 80)
            return 1000 * (sign.stat().st_mtime - closed_s)
