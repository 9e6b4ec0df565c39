"""The `host` check: load, memory, swap and free space of this machine, each against its limit."""

import os
import sys
import time
from pathlib import Path

from lifesign.checks.mounts import may_hang
from lifesign.checks.probe import os_trouble
from lifesign.core.model import Observation, Verdict
from lifesign.processes.child import run_child
from lifesign.text import clean, format_size

_FREE = "import os,sys; s=os.statvfs(sys.argv[1]); print(s.f_bavail*s.f_frsize, s.f_blocks*s.f_frsize)"


class HostUnknownError(Exception):
    """Something could not be found out; the text is a sentence for the user."""


class HostProbe:
    """Compares with the limits that are set: `max_load` (average of one minute), `max_memory`, `max_swap` (percent).

    `disk`: any folder on a file system, of which `min_free_bytes` or `min_free_percent` must be free: what is left
    for users without privileges, as df counts it.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        max_load: float | None = None,
        max_memory: float | None = None,
        max_swap: float | None = None,
        disk: Path | None = None,
        min_free_bytes: int | None = None,
        min_free_percent: float | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._max_load, self._max_memory, self._max_swap = max_load, max_memory, max_swap
        self._disk, self._min_free_bytes, self._min_free_percent = disk, min_free_bytes, min_free_percent

    async def look(self, now_wall_ns: int) -> Observation:
        """FAIL where a limit is passed, with each that is; UNKNOWN where one cannot be told and none is passed."""
        del now_wall_ns
        began_s = time.monotonic()
        found: list[tuple[bool, str]] = []
        metrics: dict[str, float] = {}
        trouble = ""
        try:
            self._look_at_load(found, metrics)
            self._look_at_memory(found, metrics)
            await self._look_at_disk(found, metrics)
        except HostUnknownError as error:
            trouble = str(error)
        passed = [words for is_over, words in found if is_over]
        latency_s = time.monotonic() - began_s
        if passed:
            return Observation(Verdict.FAIL, "; ".join(passed), latency_s, metrics)
        if trouble:
            return Observation(Verdict.UNKNOWN, trouble, latency_s, metrics)
        return Observation(Verdict.OK, "; ".join(words for _, words in found), latency_s, metrics)

    def _look_at_load(self, found: list[tuple[bool, str]], metrics: dict[str, float]) -> None:
        if self._max_load is None:
            return
        load = os.getloadavg()[0]
        metrics["load"] = load
        found.append((load > self._max_load, f"load {load:.2f} (limit {self._max_load:g})"))

    def _look_at_memory(self, found: list[tuple[bool, str]], metrics: dict[str, float]) -> None:
        if self._max_memory is None and self._max_swap is None:
            return
        memory = _read_meminfo()
        for name, limit, total, free in (
            ("memory", self._max_memory, "MemTotal", "MemAvailable"),
            ("swap", self._max_swap, "SwapTotal", "SwapFree"),
        ):
            if limit is None:
                continue
            if total not in memory or free not in memory:
                raise HostUnknownError(f"/proc/meminfo tells no {total} and {free}")
            share = 100 * (1 - memory[free] / memory[total]) if memory[total] else 0.0
            metrics[f"{name}_percent"] = round(share, 2)
            found.append((share > limit, f"{name} {share:.0f} % in use (limit {limit:g} %)"))

    async def _look_at_disk(self, found: list[tuple[bool, str]], metrics: dict[str, float]) -> None:
        if self._disk is None:
            return
        free, total = await self._free_and_total(self._disk)
        share = 100 * free / total if total else 0.0
        metrics["disk_free_bytes"], metrics["disk_free_percent"] = float(free), round(share, 2)
        if self._min_free_percent is not None:
            words = f"{self._disk} {share:.1f} % free (limit {self._min_free_percent:g} %)"
            found.append((share < self._min_free_percent, words))
        if self._min_free_bytes is not None:
            words = f"{self._disk} {format_size(free)} free (limit {format_size(self._min_free_bytes)})"
            found.append((free < self._min_free_bytes, words))

    async def _free_and_total(self, path: Path) -> tuple[int, int]:
        if may_hang(path):
            return await self._ask_a_child(path)
        try:
            status = os.statvfs(path)
        except OSError as error:
            why = os_trouble(error) or os.strerror(error.errno or 0)
            raise HostUnknownError(f"cannot tell the free space of {clean(str(path))}: {why}") from error
        return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize

    async def _ask_a_child(self, path: Path) -> tuple[int, int]:
        argv = [sys.executable, "-I", "-S", "-c", _FREE, str(path)]
        result = await run_child(argv, timeout_s=self._timeout_s * 0.9)
        numbers = result.stdout.split()
        if result.returncode != 0 or len(numbers) != 2:
            why = "the file system does not answer" if result.timed_out else result.start_error or "it cannot be read"
            raise HostUnknownError(f"cannot tell the free space of {clean(str(path))}: {why}")
        return int(numbers[0]), int(numbers[1])

    def close(self) -> None:
        """Nothing is held between two looks."""


def _read_meminfo() -> dict[str, int]:
    """The fields of /proc/meminfo in kB. Raises HostUnknownError."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise HostUnknownError(f"cannot read /proc/meminfo: {os.strerror(error.errno or 0)}") from error
    fields = (line.partition(":") for line in lines)
    return {name: int(rest.split()[0]) for name, _, rest in fields if rest.split()[:1] and rest.split()[0].isdigit()}
