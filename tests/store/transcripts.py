"""Transcripts for tests: some checks over some time, with all that an observation may carry."""

import time
from collections.abc import Iterator
from random import Random

from lifesign.core.commands import Pause, Resume
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import NS_PER_S, CheckId, Identity, Instant, Layer, Observation, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from lifesign.core.transcript import Entry, Moment
from lifesign.store.history import Life, Loaded

# Of today: the history deletes what is old.
START = Instant(10_000 * NS_PER_S, time.time_ns() // 1_000_000 * 1_000_000, 10_500 * NS_PER_S)
CONFIG = Loaded("[components]\n", ())


def life(components: int = 3) -> Life:
    """A life of so many components with three checks each."""
    checks = tuple(CheckSpec(name=name, type="tcp", layer=Layer.READY) for name in ("port", "beat", "process"))
    spec = MonitorSpec(tuple(ComponentSpec(f"c{number}", checks) for number in range(components)))
    return Life(START, spec, MonitorMemory())


def entries(seed: int, count: int, *, components: int = 3, every_us: int = 200_000) -> Iterator[Entry]:
    """`count` entries after `START`, ticks, observations and moments; now and then nobody reads the clocks."""
    random, now = Random(seed), START
    for number in range(count):
        now = now.after(random.choice((0, 1, every_us, every_us, every_us * random.choice((1, 1, 9)))) * 1_000)
        at = CheckId(f"c{random.randrange(components)}", random.choice(("port", "beat", "process")))
        match random.randrange(10):
            case 0 | 1 | 2:
                yield now
            case 3 if number % 7 == 0:
                yield Moment(now, random.choice((Pause(at.component, "me", "why"), Resume(at.component, "me"))))
            case _:
                yield now, at, now.mono_ns - random.randrange(0, 5_000_000) * 1_000, found(random, at.check, now)


def found(random: Random, check: str, now: Instant) -> Observation:
    """What one look finds."""
    verdict = random.choices(list(Verdict), (90, 2, 6, 2))[0]
    message, latency_s = random.choice(("", "refused", "spät")), random.choice((0.0, random.random()))
    if check == "process":
        who = random.choice((None, Identity(random.randrange(2, 9)), Identity(7, random.random())))
        several, stopped = who is None and random.random() < 0.3, random.random() < 0.1
        return Observation(verdict, message, latency_s, identity=who, several=several, stopped=stopped)
    if check == "port" or verdict is Verdict.UNKNOWN:
        return Observation(verdict, message, latency_s)
    progress = random.choice((None, 7, random.randrange(10**6), 1 << 80, -3, "cycle 7", 0.5))
    stamp_ns = random.choice((now.wall_ns - random.randrange(10**10), 0, 1 << 70))
    return Observation(verdict, message, latency_s, signal=WorkSignal(stamp_ns, progress, random.choice((None, True))))
