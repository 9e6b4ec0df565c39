"""The history: how fast it is written beside a loop that goes on, how fast it is replayed, how large it becomes."""

import asyncio
import gc
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median

from lifesign.bootstrap.recording import HAND_OVER_ENTRIES
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import NS_PER_S, CheckId, Identity, Instant, Layer, Observation, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, SignalPolicy
from lifesign.core.transcript import Entry
from lifesign.engine.clock import SteadyClocks
from lifesign.replay.playing import Playing, Setting
from lifesign.replay.recorded import Range, lives
from lifesign.store.findings import rows_of
from lifesign.store.history import History, Life, Loaded
from lifesign.store.history_file import HISTORY_FILE, HistoryFile
from lifesign.store.history_reader import HistoryReader
from lifesign.store.settling import MOST_BYTES, Settling
from tests.bench.table import Row
from tests.e2e.running import daemon

_TICK_US = 250_000
_ONE = """
[components.it.checks.port]
type = "tcp"
address = "127.0.0.1:1"
"""


def watched(components: int, *, each: int = 1, interval_s: int = 10) -> MonitorSpec:
    """So many components with a port, a heartbeat or a process, or several of them."""
    kinds = (
        ("port", "tcp", Layer.READY, None),
        ("beat", "heartbeat", Layer.WORKING, SignalPolicy(300 * NS_PER_S, 300 * NS_PER_S)),
        ("process", "process", Layer.ALIVE, None),
    )
    made = []
    for number in range(components):
        chosen = [kinds[(number + more) % 3] for more in range(each)]
        checks = [
            CheckSpec(name=name, type=kind, layer=layer, signal=signal, interval_ns=interval_s * NS_PER_S)
            for name, kind, layer, signal in chosen
        ]
        made.append(ComponentSpec(f"c{number}", tuple(checks)))
    return MonitorSpec(tuple(made))


def entries(spec: MonitorSpec, start: Instant, hours: float, *, seed: int = 1) -> Iterator[Entry]:
    """What a daemon writes in so many hours: four ticks a second, looks in them, a blip now and then."""
    random = Random(seed)
    checks = [(CheckId(c.name, check.name), check, random.random()) for c in spec.components for check in c.checks]
    due = sorted((round(phase * check.interval_ns / 1_000), at, check) for at, check, phase in checks)
    end_us, elapsed_us, number = round(hours * 3_600e6), 0, 0
    while elapsed_us < end_us:
        elapsed_us += _TICK_US + random.randrange(200)
        now = start.after(elapsed_us * 1_000)
        yield now
        while due[number][0] <= elapsed_us:
            due_us, at, check = due[number]
            yield now, at, now.mono_ns, _found(random, check, now)
            due[number] = due_us + check.interval_ns // 1_000, at, check
            number = (number + 1) % len(due)


def _found(random: Random, check: CheckSpec, now: Instant) -> Observation:
    dice = random.random()
    if dice < 0.0003:
        return Observation(Verdict.FAIL, "refused", dice)
    if check.signal is not None:
        written_ns = now.wall_ns - random.randrange(5_000) * 1_000_000
        return Observation(
            Verdict.OK, "", 0.0001 + dice / 9_999, signal=WorkSignal(written_ns, now.wall_ns // NS_PER_S)
        )
    if check.type == "process":
        return Observation(Verdict.OK, "pid 812, 1 process", dice / 9_999, identity=Identity(812, 1_790_000_000.25))
    return Observation(Verdict.OK, "connected to 127.0.0.1:80", 0.0003 + dice / 9_999)


def recorded(folder: Path, spec: MonitorSpec, hours: float, *, settled: bool = True) -> int:
    """A history of so many hours up to now in `folder`; how many observations."""
    now_ns = time.time_ns() // 1_000 * 1_000
    start = Instant(10_000 * NS_PER_S, now_ns - round(hours * 3_600) * NS_PER_S, 10_000 * NS_PER_S)
    file = HistoryFile(folder / HISTORY_FILE)
    settling = Settling(file, history_s=1e9)
    history = History(folder, settling, file, 1.0)
    history.begin(Life(start, spec, MonitorMemory()), Loaded("", ()))
    count, batch = 0, []
    for entry in entries(spec, start, hours):
        batch.append(entry)
        count += isinstance(entry, tuple)
        if len(batch) == 5_000:
            history.take(batch)
            history._work()
            batch = []
    history.take(batch)
    history._work(last=True)
    while settled and settling.settle():
        pass
    file.close()
    return count


def replayed(components: int, hours: float) -> list[Row]:
    """Observations for each second of CPU, from the file to what was decided."""
    spec = watched(components)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = recorded(folder, spec, hours)
        reader = HistoryReader(folder)
        playing = Playing(Setting(spec, ()))
        gc.disable()
        began_s = time.process_time()
        told = sum(1 for _ in playing.play(lives(reader, Range()), ()))
        took_s = time.process_time() - began_s
        gc.enable()
        reader.close()
    assert playing.observations == count
    assert told > 0
    return [Row(f"replay of {components} components: observations a second", count / took_s, "", least=150_000)]


def written(seconds: float, *, rate: int = 25_000) -> list[Row]:
    """Observations a second that reach the file while a loop hands them over and measures how late it wakes."""
    spec = watched(1_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        history = History.open(folder, history_s=1e9)
        count, lags_ms, took_s = asyncio.run(_hand_over(history, spec, seconds, rate))
        assert history.dropped_entries == 0
        reader = HistoryReader(folder)
        kept = sum(len(list(rows_of(c))) for life in reader.lives() for b in reader.blocks(life.id) for c in b.checks)
        reader.close()
    assert kept == count
    lag_ms = sorted(lags_ms)[int(len(lags_ms) * 0.99)]
    return [
        Row("into the history, off the loop: observations a second", count / took_s, "", least=20_000),
        Row("the loop's lag meanwhile, p99", lag_ms, "ms", most=20),
    ]


async def _hand_over(history: History, spec: MonitorSpec, seconds: float, rate: int) -> tuple[int, list[float], float]:
    """How many observations, how late the loop woke, and how long it took until all were written."""
    every_s, random = 0.01, Random(1)
    checks = [(CheckId(c.name, check.name), check) for c in spec.components for check in c.checks]
    clocks = SteadyClocks()
    start = clocks()
    history.begin(Life(start, spec, MonitorMemory()), Loaded("", ()))
    pending: list[Entry] = []
    gc.collect()
    gc.freeze()  # as the daemon does
    lags_ms, count, began_s = [], 0, time.perf_counter()
    due_s = began_s
    while due_s - began_s < seconds:
        due_s += every_s
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        lags_ms.append(max(0.0, time.perf_counter() - due_s) * 1_000)
        now = clocks()
        pending.append(now)
        for _ in range(round(rate * every_s)):
            at, check = checks[count % len(checks)]
            pending.append((now, at, now.mono_ns, _found(random, check, now)))
            count += 1
        if len(pending) >= HAND_OVER_ENTRIES:
            history.take(pending)
            pending = []
    history.take(pending)
    assert await asyncio.to_thread(history.close, 60)
    return count, lags_ms, time.perf_counter() - began_s


def year(hours: float) -> list[Row]:
    """How large the file of 200 components with two checks each is after a year, by what some hours of it take."""
    spec = watched(200, each=2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorded(folder, spec, hours)
        connection = sqlite3.connect(folder / HISTORY_FILE)
        sizes = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall())
        connection.close()
    raw = min(MOST_BYTES, sizes["blocks"] / hours * 24 * 31)
    counted = sizes["minutes"] / hours * 24 * 14 + sizes["hours"] / hours * 24 * 90
    words = "the history of 200 components with 400 checks at 10 s after a year"
    return [Row(words, (raw + counted) / 1e6, "MB", most=500)]


def started(trials: int) -> list[Row]:
    """How much longer a daemon takes to serve with a history of 500 MB than with an empty one: medians, in turns."""
    took_s: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as name:
        folders = {large: Path(name) / str(large) for large in took_s}
        for large, folder in folders.items():
            (folder / "state").mkdir(parents=True, mode=0o700)
            if large:
                _fill(folder / "state")
        for _ in range(trials):
            for large, folder in folders.items():
                began_s = time.perf_counter()
                with daemon(folder, _ONE):
                    took_s[large].append(time.perf_counter() - began_s)
        size_mb = (folders[True] / "state" / HISTORY_FILE).stat().st_size / 1e6
    assert size_mb > 500
    ratio = median(took_s[True]) / median(took_s[False])
    return [Row("the start with a history of 500 MB, times that with an empty one", ratio, "", most=1.5)]


def _fill(folder: Path) -> None:
    """An hour as it was, and the same body again and again until there is enough."""
    recorded(folder, watched(200), 1)
    connection = sqlite3.connect(folder / HISTORY_FILE)
    bodies = connection.execute("SELECT life, first_ms, last_ms, entries, 1, body FROM blocks").fetchall()
    size = sum(len(row[5]) for row in bodies)
    for _ in range(520_000_000 // size):
        connection.executemany("INSERT INTO blocks VALUES (NULL, ?, ?, ?, ?, ?, ?)", bodies)
    connection.commit()
    connection.close()
