"""What it costs the daemon to be asked for the state document, and for its metrics, with many components."""

import tempfile
import time
from pathlib import Path

from tests.bench.measuring import cpu_s
from tests.bench.table import Row
from tests.bench.targets import targets
from tests.e2e.running import Daemon, UnixConnection, daemon

_EVERY_S = 1.05  # the metrics are made once a second at most: asked any sooner, half of the answers are the one before
_AFTERMATH_S = 0.01  # what an answer leaves to be done, as the end of its connection


def documents(count: int, times: int) -> list[Row]:
    """CPU of one answer with `count` components, half of them with a heartbeat, asked once a second.

    Of those that are looked at every ten seconds a tenth has changed each time; of the others nothing but ages.
    """
    return [
        *_asked(count, times, "10s", "a tenth changed"),
        *_asked(count, times, "30m", "nothing changed"),
    ]


def _asked(count: int, times: int, interval: str, words: str) -> list[Row]:
    with tempfile.TemporaryDirectory() as name, targets(1, "tcp") as them:
        folder = Path(name)
        (folder / "beat.json").write_text(f'{{"timestamp": {time.time()}, "cycle": 1}}')
        config = "".join(_component(number, them.ports[0]) for number in range(count))
        with daemon(folder, f'[defaults]\ngrace = "1ms"\ninterval = "{interval}"\n{config}', start_s=60) as running:
            time.sleep(4)
            rows = []
            for document, path in (("state document", "/api/v1/state"), ("metrics", "/metrics")):
                _get(running.socket, path)  # what has changed in the meantime is no tenth
                used_ms = 1000 * _cpu_of_an_answer(running, path, times)
                rows.append(Row(f"{document} of {count:,}, asked once a second, {words}: CPU", used_ms, "ms", most=10))
    return rows


def _component(number: int, port: int) -> str:
    if number % 2:
        return f'[components.c{number}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'
    return (
        f'[components.c{number}.checks.beat]\ntype = "heartbeat"\npath = "beat.json"\nstale_after = "1h"\n'
        "progress = false\n"
    )


def _cpu_of_an_answer(running: Daemon, path: str, times: int) -> float:
    """CPU seconds of the daemon from a question until its answer is read, the mean of one about each second.

    Less what it uses for its watch in the same time, as it does while nobody asks.
    """
    pid, asked_s, used_s = running.process.pid, 0.0, 0.0
    began_s, began_cpu_s = time.monotonic(), cpu_s(pid)
    for number in range(times):
        time.sleep(max(0.0, began_s + (number + 1) * _EVERY_S - time.monotonic()))
        before_s, before_cpu_s = time.monotonic(), cpu_s(pid)
        _get(running.socket, path)
        time.sleep(_AFTERMATH_S)
        used_s += cpu_s(pid) - before_cpu_s
        asked_s += time.monotonic() - before_s
    seconds, all_s = time.monotonic() - began_s, cpu_s(pid) - began_cpu_s
    watch = (all_s - used_s) / (seconds - asked_s)  # CPU for each second of it
    return max(0.0, used_s - watch * asked_s) / times


def _get(socket: Path, path: str) -> None:
    connection = UnixConnection(socket)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, len(answer.read()) > 0) == (200, True)
    finally:
        connection.close()
