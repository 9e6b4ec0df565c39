"""What processes use: memory, CPU, descriptors, threads. Facts only, no limits."""

import os
import time
from collections.abc import Sequence

from lifesign.processes.stat import TICKS_PER_S, Stat, uptime_s
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process uses. `cpu_percent` of one core; `fds` is None where we may not count them."""

    pid: int
    rss_bytes: int
    cpu_percent: float
    threads: int
    fds: int | None


def total(usages: Sequence[Usage]) -> dict[str, float]:
    """Metrics by name: the sums over all of them; `fds` only where every one could be counted."""
    metrics = {"count": float(len(usages))}
    if not usages:
        return metrics
    metrics["rss_bytes"] = float(sum(usage.rss_bytes for usage in usages))
    metrics["cpu_percent"] = round(sum(usage.cpu_percent for usage in usages), 1)
    metrics["threads"] = float(sum(usage.threads for usage in usages))
    fds = [usage.fds for usage in usages if usage.fds is not None]
    return metrics | ({"fds": float(sum(fds))} if len(fds) == len(usages) else {})


class UsageMeter:
    """Measures CPU between two looks; on the first, over the whole life of the process."""

    def __init__(self) -> None:
        self._before: dict[tuple[int, int], tuple[int, float]] = {}

    def measure(self, stats: Sequence[Stat]) -> tuple[Usage, ...]:
        """What each of `stats`, as just read, uses."""
        now_s = time.monotonic()
        usages = tuple(
            Usage(stat.pid, stat.rss_bytes, self._cpu_percent(stat, now_s), stat.threads, _count_fds(stat.pid))
            for stat in stats
        )
        self._before = {(stat.pid, stat.started_ticks): (stat.cpu_ticks, now_s) for stat in stats}
        return usages

    def _cpu_percent(self, stat: Stat, now_s: float) -> float:
        ticks, since_s = self._before.get((stat.pid, stat.started_ticks), (0, now_s - uptime_s(stat)))
        duration_s = max(now_s - since_s, 1 / TICKS_PER_S)
        return 100 * max(0, stat.cpu_ticks - ticks) / TICKS_PER_S / duration_s


def _count_fds(pid: int) -> int | None:
    folder = f"/proc/{pid}/fd"
    try:
        count = os.stat(folder).st_size  # noqa: PTH116 - Linux 6.2 tells the number here, to everyone
        return count or len(os.listdir(folder))  # noqa: PTH208
    except PermissionError:
        return None
    except (FileNotFoundError, ProcessLookupError):
        return 0
