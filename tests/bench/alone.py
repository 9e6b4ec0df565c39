"""What has no peer: the pure core by itself, and one round from the command line."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lifesign.core.effects import Look
from lifesign.core.model import NS_PER_S, CheckId, Instant, Layer, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from tests.bench.table import Row
from tests.bench.targets import targets

_STEP_NS = 10_000_000


def core(count: int, rounds: int) -> list[Row]:
    """Observations for each second of CPU, ticks included, of `count` checks, each looked at every second."""
    name = f"the pure core, {count:,} checks: observations a second"
    some = f"{name}, one in ten fails"
    return [
        Row(name, _observations_a_second(count, rounds, fail=0), "", least=200_000),
        Row(some, _observations_a_second(count, rounds, fail=count // 10), "", least=200_000),
    ]


def _observations_a_second(count: int, rounds: int, *, fail: int) -> float:
    """Of a monitor with `count` checks of which `fail` never pass; the rest always do."""
    check = CheckSpec(name="port", type="tcp", layer=Layer.READY, interval_ns=NS_PER_S, grace_ns=1)
    components = tuple(ComponentSpec(name=f"c{number}", checks=(check,)) for number in range(count))
    now = Instant(NS_PER_S, 1_790_000_000 * NS_PER_S, NS_PER_S)
    monitor = Monitor(MonitorSpec(components), now)
    fine, refused = Observation(Verdict.OK, "fine"), Observation(Verdict.FAIL, "refused")
    found = {CheckId(f"c{number}", "port"): refused if number < fail else fine for number in range(count)}
    observed, began_s = 0, time.process_time()
    for _ in range(rounds * NS_PER_S // _STEP_NS):
        now = now.after(_STEP_NS)
        for effect in monitor.tick(now):
            if isinstance(effect, Look):
                monitor.observe(effect.check, found[effect.check], now, effect.run)
                observed += 1
    rate = observed / (time.process_time() - began_s)
    assert observed >= count * (rounds - 2)
    return rate


def one_round(trials: int) -> list[Row]:
    """`lifesign check` on four local checks, against `python -c pass`."""
    with tempfile.TemporaryDirectory() as name, targets(1, "tcp") as them:
        folder = Path(name)
        (folder / "it.pid").write_text(f"{them.child_pid}\n")
        (folder / "beat").write_text(f"{time.time()}\n")
        (folder / "a.json").write_text("{}\n")
        (folder / "lifesign.toml").write_text(
            f'[monitor]\nname = "bench"\nstate_dir = "state"\n[components.it.checks.port]\ntype = "tcp"\n'
            f'address = "127.0.0.1:{them.ports[0]}"\n'
            '[components.it.checks.process]\ntype = "process"\npidfile = "it.pid"\n'
            '[components.it.checks.heartbeat]\ntype = "heartbeat"\npath = "beat"\n'
            '[components.it.checks.plain]\ntype = "heartbeat"\npath = "a.json"\nformat = "mtime"\n'
        )
        command = [str(Path(sys.executable).with_name("lifesign")), "check", "-c", str(folder / "lifesign.toml")]
        subprocess.run(command, env=_environment(folder), stdout=subprocess.DEVNULL, check=True)  # compiles once
        ours_ms, json_ms, plain_ms = (
            _median_ms(argv, trials, _environment(folder))
            for argv in (command, [*command, "--json"], [sys.executable, "-c", "pass"])
        )
    words = "lifesign check{}, four local checks: times python -c pass"
    return [
        Row(words.format(how), found_ms / plain_ms, "×", most=10, note=f"({found_ms:.0f} ms against {plain_ms:.1f} ms)")
        for how, found_ms in ((" --json", json_ms), ("", ours_ms))
    ]


def _environment(folder: Path) -> dict[str, str]:
    """Where modules are kept compiled, as those of an installed program are."""
    kept = {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | kept


def _median_ms(argv: list[str], trials: int, environment: dict[str, str]) -> float:
    found_ms = []
    for _ in range(trials):
        began_s = time.perf_counter()
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=environment)
        found_ms.append(1000 * (time.perf_counter() - began_s))
    return statistics.median(found_ms)
