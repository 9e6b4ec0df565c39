"""The `log` check: a line that proves finished work, and one that proves a failure.

A line that comes in while we watch has the time at which its file was last written. One from before our start may be
older than that: it counts by the ISO 8601 time in it, where it bears one. Not here: which lines are new
(`log_lines`), and whether the newest proof is too old, which is the core's judgement.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from lifesign.checks.expectation import Pattern
from lifesign.checks.file_reading import Reading, Signature
from lifesign.checks.files import FileFaultError, FileUnknownError, read_outside, signature
from lifesign.checks.log_lines import Hit, LogLines, newest_hit, newest_lines
from lifesign.core.model import NS_PER_S, JsonValue, Observation, Verdict, WorkSignal
from lifesign.text import clean

WINDOW_BYTES = 4 * 1024 * 1024  # so much of a log is read in one look at most


class LogProbe:
    """Follows `path` by name, over rotation and truncation. `pattern`, `fail_pattern`: RE2, searched line by line.

    FAIL where the newest line that matches either is a failure, where nobody has ever written the file, where it is
    no regular file, and where no line has matched for `stale_after_s`; UNKNOWN where it cannot be read, or that cannot
    be told yet; else OK with the newest proof as signal.
    """

    def __init__(
        self,
        *,
        path: Path,
        pattern: str,
        fail_pattern: str | None = None,
        stale_after_s: float = 300.0,
        timeout_s: float = 5.0,
    ) -> None:
        self._path = path
        self._name = clean(str(path), 200)
        self._pattern = Pattern(pattern)
        self._fail_pattern = None if fail_pattern is None else Pattern(fail_pattern)
        self._stale_after_s = stale_after_s
        self._timeout_s = timeout_s
        self._began_s = time.monotonic()
        self._is_first = True
        self._lines = LogLines()
        self._newest: tuple[str, ...] = ()
        self._seen: Signature | None = None
        self._hit: Hit | None = None
        self._proof_ns: int | None = None
        self._now_ns = self._written_ns = 0

    async def look(self, now_wall_ns: int) -> Observation:
        """What came in since the last look, and what holds by it."""
        started = time.monotonic()
        try:
            words = await self._follow(now_wall_ns)
        except FileUnknownError as error:
            return Observation(Verdict.UNKNOWN, str(error), time.monotonic() - started)
        except FileFaultError as error:
            return Observation(Verdict.FAIL, str(error), time.monotonic() - started)
        return self._observation(words, time.monotonic() - started)

    async def _follow(self, now_wall_ns: int) -> str:
        """Reads what is new; a sentence where there is something to say besides. Raises FileFaultError."""
        found = signature(self._path)
        self._now_ns = now_wall_ns
        if found is not None and found == self._seen:
            return ""
        if found is not None and self._lines.file not in (None, found[:2]):
            await self._finish_the_old_one(now_wall_ns)
        room = self._lines.unread_bytes(found[:2], found[2]) + 4096 if found else WINDOW_BYTES
        reading = await self._read(self._path, min(room, WINDOW_BYTES))
        if reading is None:
            if self._lines.file is None:
                raise FileFaultError(f"nobody has ever written {self._name}")
            await self._finish_the_old_one(now_wall_ns)
            return f"{self._name} is gone"
        self._take(reading, now_wall_ns)
        self._is_first = False
        self._written_ns = reading.signature[3]
        self._seen = found if reading.signature == found else None
        return ""

    async def _read(self, path: Path, limit_bytes: int) -> Reading | None:
        reading = await read_outside(path, limit_bytes, tail=True, timeout_s=self._timeout_s)
        if reading is not None and reading.irregular:
            raise FileFaultError(f"{self._name} is {reading.irregular}, not a regular file")
        return reading

    async def _finish_the_old_one(self, now_wall_ns: int) -> None:
        """The last lines of a file that a rotation has given its usual name."""
        rotated = self._path.with_name(f"{self._path.name}.1")
        found = signature(rotated)
        if found is None or found[:2] != self._lines.file:
            return
        reading = await self._read(rotated, min(self._lines.unread_bytes(found[:2], found[2]) + 4096, WINDOW_BYTES))
        if reading is not None and reading.signature[:2] == self._lines.file:
            self._take(reading, now_wall_ns)

    def _take(self, reading: Reading, now_wall_ns: int) -> None:
        data = self._lines.take(reading)
        self._newest = newest_lines(self._newest, data)
        hit = newest_hit(data, self._pattern, self._fail_pattern)
        if hit is None:
            return
        self._hit = hit
        if not hit.failed:
            written_ns = min(reading.signature[3], now_wall_ns)
            told_ns = hit.written_ns() if self._is_first else None
            self._proof_ns = written_ns if told_ns is None else min(written_ns, told_ns)

    def _observation(self, words: str, latency_s: float) -> Observation:
        signal = None if self._proof_ns is None else WorkSignal(self._proof_ns)
        skipped = self._lines.skipped_bytes
        metrics: Mapping[str, float] = {"skipped_bytes": float(skipped)} if skipped else {}
        if self._hit is None:
            nothing = f"no line of {self._name} matches {self._pattern} yet"
            return Observation(self._without_a_line(), words or nothing, latency_s, metrics, lines=self._newest)
        line = clean(self._hit.line.decode("utf-8", "replace"), 200)
        data: Mapping[str, JsonValue] = {"line": line}
        verdict = Verdict.FAIL if self._hit.failed else Verdict.OK
        message = f"{words}; its last line that counts: {line}" if words else line
        return Observation(verdict, message, latency_s, metrics, data, signal=signal, lines=self._newest)

    def _without_a_line(self) -> Verdict:
        """A proof may have been rotated away just before we began: it is missing only once it would be too old."""
        rested_s = (self._now_ns - self._written_ns) / NS_PER_S
        is_missing = max(rested_s, time.monotonic() - self._began_s) >= self._stale_after_s
        return Verdict.FAIL if is_missing else Verdict.UNKNOWN

    def close(self) -> None:
        """Nothing is held open."""
