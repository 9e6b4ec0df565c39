"""One soak: the daemon, its two hundred components, what befalls them and who looks on; and a report of it."""

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifesign.api.journal import CAPACITY
from lifesign.store.database import Database
from lifesign.text import format_timestamp
from tests.bench.history import recorded, watched
from tests.e2e.running import LIFESIGN, Daemon, wait_until
from tests.e2e.tail import Tail
from tests.faults.recipes import heartbeat_hung_mount
from tests.soak.clients import CONSOLES, FOLLOWERS, POLLERS, attached, figures
from tests.soak.director import Tally, directing
from tests.soak.population import COMPONENTS, Population, population
from tests.soak.usage import Flatness, Sampler, flatness

DEFAULTS = '[defaults]\ninterval = "1s"\ntimeout = "1s"\nfailure_threshold = 2\ngrace = "3s"\nflap_window = "20s"\n'
MOST_LAG_MS = 20.0
MOST_END_S = 5.0


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    minutes: float
    tally: Tally
    flat: list[Flatness]
    cpu_share: float
    lag_ms: list[float]
    ready_ms: list[float]
    false: list[str]
    ended_in_s: float
    hung_mount: bool

    def faults(self) -> list[str]:
        """All that is not as it must be; none is what must be."""
        grown = [f"{one.field} grew from {one.first:.1f} to {one.last:.1f}" for one in self.flat if not one.is_flat]
        lag_ms = percentile(self.lag_ms, 99)
        slow = [f"loop lag p99 {lag_ms:.1f} ms"] if lag_ms >= MOST_LAG_MS else []
        late = [f"SIGTERM took {self.ended_in_s:.1f} s"] if self.ended_in_s >= MOST_END_S else []
        return [*self.tally.wrong, *grown, *slow, *late, *self.false]

    def text(self) -> str:
        """All figures, a line each."""
        lines = [
            f"{COMPONENTS} components, {POLLERS + FOLLOWERS + CONSOLES} clients, {self.minutes:g} minutes",
            f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, Python {sys.version.split()[0]}",
            f"faults injected {self.tally.injected}, false alarms {len(self.false)}",
            f"reloads {self.tally.reloads}, bad files {self.tally.rejections}",
            *(f"{f.field}: {f.first:.1f} → {f.last:.1f}, highest {f.highest:.1f}" for f in self.flat),
            f"CPU of a core: {100 * self.cpu_share:.1f} %",
            f"loop lag: {_spread(self.lag_ms)}",
            f"/api/health/ready: {_spread(self.ready_ms)}",
            f"SIGTERM: {self.ended_in_s:.2f} s{', a hung mount included' if self.hung_mount else ''}",
        ]
        return "\n".join([*lines, *(f"WRONG: {fault}" for fault in self.faults())])


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def _spread(values: Sequence[float]) -> str:
    p50, p99 = statistics.median(values), percentile(values, 99)
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, highest {max(values):.1f} ms ({len(values)} samples)"


def soak(folder: Path, minutes: float, *, reloads: bool, prefix: Sequence[str] = ()) -> Report:
    """Runs it in `folder`. `prefix`: a command that runs the daemon, such as `nice`."""
    (folder / "targets").mkdir()
    with population(folder / "targets") as people, _mount(folder / "targets") as mount:
        text = people.text + (mount.text if mount else "")
        _live_long_before(folder / "state")
        with _daemon(folder, text, people.environment, prefix) as running:
            tail = Tail(running.log)
            wait_until(lambda: _all_well(running), "all are healthy", timeout_s=60)
            tail.lines.clear()  # of the start
            sampler, seen = Sampler(running.process.pid), folder / "seen"
            with attached(running.socket, running.config, seen):
                with directing(running, people, tail, reloads=reloads) as tally:
                    _pass_time(60 * minutes, sampler, tally)
                sampler.end()
                if mount:
                    mount.fault.inject()
                    time.sleep(2)  # a look or two at what hangs
                began_s = time.monotonic()
                running.process.send_signal(signal.SIGTERM)
                running.process.wait(timeout=30)
                ended_in_s = time.monotonic() - began_s
            tail.close()
    found = figures(seen)
    return Report(
        minutes=minutes,
        tally=tally,
        flat=flatness(sampler.samples, min(180.0, 15 * minutes)),
        cpu_share=sampler.cpu_share,
        lag_ms=found["lag"],
        ready_ms=found["ready"],
        false=_false_alarms(people, tail),
        ended_in_s=ended_in_s,
        hung_mount=mount is not None,
    )


def _pass_time(seconds: float, sampler: Sampler, tally: Tally) -> None:
    """Waits, and says once a minute how it stands."""
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        time.sleep(min(60.0, left_s))
        sys.stderr.write(f"{tally.injected} faults, wrong: {tally.wrong}, {sampler.samples[-1:]}\n")
        sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class _Mount:
    fault: heartbeat_hung_mount.Fault
    text: str


@contextlib.contextmanager
def _mount(folder: Path) -> Iterator[_Mount | None]:
    """A heartbeat on a mount that hangs when told to; None where nothing can be mounted."""
    if heartbeat_hung_mount.Fault.missing():
        yield None
        return
    fault = heartbeat_hung_mount.Fault()
    own = folder / fault.name
    own.mkdir()
    with contextlib.closing(fault):
        yield _Mount(fault, fault.config(own).replace('"5m"', '"10h"'))


def _all_well(running: Daemon) -> bool:
    return bool(running.request("GET", "/api/v1/state")[1]["overall"] == "healthy")


def _live_long_before(state: Path) -> None:
    """As many events as the daemon keeps: it has run for months, so its history is full when the soak begins.

    Two minutes of looks wait to be settled: so it has done that once, and has the memory for it, before it is watched.
    """
    state.mkdir(mode=0o700)
    database = Database(state / "state.db")
    database.open()
    moments = (format_timestamp(time.time_ns() - (CAPACITY - number) * 60 * 10**9) for number in range(CAPACITY))
    words = "suspect, not ready: it0 failed (1 of 2): 127.0.0.1:5199 accepted the connection and did not answer in 1 s"
    common = {"level": "WARNING", "event": "component.degraded", "monitor": "soak", "message": words}
    rows = [
        (ts, json.dumps({"ts": ts, **common, "component": f"page{number % COMPONENTS}"}))
        for number, ts in enumerate(moments)
    ]
    database.write(rows, {})
    database.close()
    recorded(state, watched(COMPONENTS, each=3, interval_s=1), hours=0.027, settled=False)


@contextlib.contextmanager
def _daemon(folder: Path, text: str, environment: dict[str, str], prefix: Sequence[str]) -> Iterator[Daemon]:
    config = folder / "lifesign.toml"
    config.write_text(f'[monitor]\nname = "soak"\nstate_dir = "state"\n{DEFAULTS}{text}')
    config.chmod(0o644)
    log = folder / "events.jsonl"
    command = [*prefix, *LIFESIGN, "run", "-c", str(config), "--log-file", str(log)]
    with (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors, env={**os.environ, **environment})
    running = Daemon(config, log, process)
    try:
        wait_until(running.serves, "a socket")
        yield running
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _false_alarms(people: Population, tail: Tail) -> list[str]:
    """What was told of those that nothing befell; a blip, on a machine that has other work, is no alarm."""
    well = {*people.well, "extra"}
    told = [json.loads(line) for _, line in tail.lines if line]
    alarming = ("component.down", "component.unknown")
    return [f"{e['event']} of {e['component']}" for e in told if e.get("component") in well and e["event"] in alarming]
