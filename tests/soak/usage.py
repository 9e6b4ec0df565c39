"""What the daemon uses, sampled from outside, and whether that is flat."""

import contextlib
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measuring import cpu_s

EVERY_S = 2.0
FIELDS = ("resident_mb", "descriptors", "threads", "children")
# From the first to the last quarter after the warm-up a median may grow by so much and no more.
MOST_GROWTH = {"resident_mb": 3.0, "descriptors": 4.0, "threads": 1.0, "children": 2.0}


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the daemon. `at_s` since the first."""

    at_s: float
    resident_mb: float
    descriptors: int
    threads: int
    children: int


class Sampler:
    """Looks every two seconds until it is ended; the daemon may end before."""

    def __init__(self, pid: int) -> None:
        self.samples: list[Sample] = []
        self.cpu_share = 0.0
        self._pid, self._ended = pid, threading.Event()
        self._began_s, self._cpu_before_s = time.monotonic(), cpu_s(pid)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            with contextlib.suppress(OSError):
                self.samples.append(_sample(self._pid, time.monotonic() - self._began_s))

    def end(self) -> None:
        """Ends it, with the CPU that was used in between."""
        self.cpu_share = (cpu_s(self._pid) - self._cpu_before_s) / (time.monotonic() - self._began_s)
        self._ended.set()
        self._thread.join()


def _sample(pid: int, at_s: float) -> Sample:
    process = Path(f"/proc/{pid}")
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    children = (process / "task" / str(pid) / "children").read_text().split()
    return Sample(
        at_s,
        int(lines["VmRSS"].split()[0]) * 1024 / 1e6,
        sum(1 for _ in (process / "fd").iterdir()),
        int(lines["Threads"]),
        len(children),
    )


@dataclass(frozen=True, slots=True)
class Flatness:
    """The medians of the first and the last quarter after the warm-up, and the highest of all."""

    field: str
    first: float
    last: float
    highest: float

    @property
    def is_flat(self) -> bool:
        """Whether it did not grow."""
        return self.last - self.first <= MOST_GROWTH[self.field]


def flatness(samples: Sequence[Sample], warm_up_s: float) -> list[Flatness]:
    """One for each field. AssertionError where there are too few samples."""
    warm = [sample for sample in samples if sample.at_s >= warm_up_s]
    assert len(warm) >= 8, f"{len(warm)} samples after the warm-up"
    quarter = len(warm) // 4
    found = []
    for field in FIELDS:
        values = [float(getattr(sample, field)) for sample in warm]
        first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
        found.append(Flatness(field, first, last, max(values)))
    return found
