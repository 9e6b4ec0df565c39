"""The heartbeat check: reads the file in which a program says that it finished work, and hands on what it says.

Whether the beat is too old, stuck or from the future is the core's judgement, from the `signal`. Here only what is
missing, no regular file, malformed or declared an error by its writer fails. Not here: the formats
(`heartbeat_formats`), how a file is read without blocking (`files`).
"""

import time
from pathlib import Path
from typing import NamedTuple

from lifesign.checks.beat_reader import BeatReader
from lifesign.checks.file_reading import Reading, Signature, is_settled, read_file, signature_of
from lifesign.checks.files import FileFaultError, FileUnknownError, read_outside, signature
from lifesign.checks.heartbeat_formats import MAX_BYTES, Beat, Keys, Progress, last_whole_line
from lifesign.checks.mounts import LOCAL
from lifesign.checks.strict_json import MalformedError
from lifesign.core.model import Observation, Verdict, WorkSignal
from lifesign.text import clean

FORMATS = ("auto", "json", "jsonl", "text", "mtime")
_REREAD_AFTER_S = 0.03  # long enough for a writer that truncates before it writes, too short for anyone to notice
_TAIL_BYTES = 2 * MAX_BYTES  # one whole line and one that is being written, each at its longest
_YEAR_2000_NS = 946_684_800_000_000_000
_EMPTY = "is empty"
_NO_LINE = "holds no whole line yet"


class _Known(NamedTuple):
    """What the last look found, good for as long as the file is as it was."""

    signature: Signature
    own_clock_is_set: bool
    observation: Observation


class HeartbeatProbe:
    """Looks at one heartbeat file. Reads it again only when its signature changed."""

    def __init__(
        self,
        *,
        path: Path,
        format: str = "auto",  # noqa: A002 - the config's word
        timestamp_key: str = "timestamp",
        progress: Progress = None,
        timeout_s: float = 5.0,
    ) -> None:
        """`progress`: the key that must change (then required), False for none, None for `cycle` where it stands.

        Raises ValueError for an unknown format.
        """
        if format not in FORMATS:
            raise ValueError(f"a heartbeat's format is one of {', '.join(FORMATS)}, not {format!r}")
        self._path = path
        self._format = "jsonl" if format == "auto" and path.suffix == ".jsonl" else format
        self._reader = BeatReader(Keys(timestamp_key, progress))
        self._limit_bytes = {"jsonl": _TAIL_BYTES, "mtime": 0}.get(self._format, MAX_BYTES)
        self._timeout_s = timeout_s
        self._text = str(Path.cwd() / path)
        self._name = clean(str(path), 200)
        self._seen = False
        self._clocks_unset = False
        self._known: _Known | None = None
        self._last_line: tuple[Signature, Beat] | None = None

    async def look(self, now_wall_ns: int) -> Observation:
        """What the file says now; from memory where it has not changed since."""
        known = self._known
        if (
            known
            and known.own_clock_is_set == (now_wall_ns >= _YEAR_2000_NS)
            and signature(self._text) == known.signature
        ):
            return known.observation
        started = time.monotonic()
        try:
            found, observation = await self._read(now_wall_ns, started)
        except FileUnknownError as error:
            return Observation(Verdict.UNKNOWN, str(error), time.monotonic() - started)
        except FileFaultError as error:
            return Observation(Verdict.FAIL, str(error), time.monotonic() - started)
        self._remember(found, observation, now_wall_ns)
        return observation

    def look_at_once(self, now_wall_ns: int) -> Observation | None:
        """The same where the file lies on a local mount and holds a good beat; all else takes a second look."""
        known = self._known
        try:
            status = LOCAL.status(self._text)
            if status is None:
                return None
            is_set = now_wall_ns >= _YEAR_2000_NS
            if known and known.own_clock_is_set == is_set and signature_of(status) == known.signature:
                return known.observation
            started = time.monotonic()
            reading = read_file(self._text, self._limit_bytes, tail=self._format == "jsonl", status=status)
            beat = self._parse(reading, now_wall_ns)
        except (OSError, ValueError, MalformedError):
            return None
        self._seen = True
        observation = _observation(beat, time.monotonic() - started)
        self._remember(reading.signature, observation, now_wall_ns)
        return observation

    def _remember(self, found: Signature | None, observation: Observation, now_wall_ns: int) -> None:
        settled = found is not None and is_settled(found, now_wall_ns)
        self._known = _Known(found, now_wall_ns >= _YEAR_2000_NS, observation) if found and settled else None

    def close(self) -> None:
        """Nothing is held open."""

    async def _read(self, now_wall_ns: int, started: float) -> tuple[Signature | None, Observation]:
        """One read, and where that finds no heartbeat one more: a writer may have been half-way."""
        reason = ""
        for attempt in (1, 2):
            if attempt == 2:
                from asyncio import sleep

                await sleep(_REREAD_AFTER_S)
            left_s = max(self._timeout_s - (time.monotonic() - started), 0.1)
            reading = await self._take(left_s)
            try:
                beat = self._parse(reading, now_wall_ns)
            except MalformedError as error:
                reason = str(error)
            else:
                return reading and reading.signature, _observation(beat, time.monotonic() - started)
        found = reading and reading.signature
        return found, Observation(Verdict.FAIL, reason, time.monotonic() - started)

    async def _take(self, timeout_s: float) -> Reading | None:
        tail = self._format == "jsonl"
        reading = await read_outside(self._path, self._limit_bytes, tail=tail, timeout_s=timeout_s)
        if reading is not None:
            self._seen = True
        return reading

    def _parse(self, reading: Reading | None, now_wall_ns: int) -> Beat:
        """Raises MalformedError with a whole sentence."""
        if reading is None:
            return self._rotated_away()
        if reading.irregular:
            raise MalformedError(f"{self._name} is {reading.irregular}, not a regular file")
        try:
            return self._parse_content(reading, now_wall_ns)
        except MalformedError as error:
            malformed = "" if str(error) in (_EMPTY, _NO_LINE) else "malformed: "
            raise MalformedError(f"{malformed}{self._name} {error}") from None

    def _parse_content(self, reading: Reading, now_wall_ns: int) -> Beat:
        if self._format == "mtime":
            return _file_time(reading.signature[3])
        if reading.too_large:
            raise MalformedError("is longer than 64 KiB")
        if self._format == "jsonl":
            return self._last_of_lines(reading, now_wall_ns)
        beat = self._reader.read(reading.body, self._format, self._tolerant(now_wall_ns))
        return self._accepted(beat, now_wall_ns)

    def _tolerant(self, now_wall_ns: int) -> int:
        """Our clock for the reader: one before 2000 also after ours was set, until a beat of a set clock is read.

        The writer's clock is set a moment after ours, or its next beat is long in coming. The age of such a beat is the
        core's to judge, by the monotonic clock: what did not advance is no fresher for this.
        """
        self._clocks_unset = self._clocks_unset or now_wall_ns < _YEAR_2000_NS
        return 0 if self._clocks_unset else now_wall_ns

    def _accepted(self, beat: Beat, now_wall_ns: int) -> Beat:
        if self._clocks_unset and min(beat.signal.timestamp_ns, now_wall_ns) >= _YEAR_2000_NS:
            self._clocks_unset = False
        return beat

    def _last_of_lines(self, reading: Reading, now_wall_ns: int) -> Beat:
        """The last whole line; the one known from before, where rotation or truncation left none yet."""
        line = last_whole_line(reading.body, complete=len(reading.body) >= reading.signature[2])
        if line is not None:
            beat = self._reader.read(line, "jsonl", self._tolerant(now_wall_ns))
            self._last_line = (reading.signature, self._accepted(beat, now_wall_ns))
        elif self._last_line is None:
            raise MalformedError(_EMPTY if not reading.body else _NO_LINE)
        return self._last_line[1]

    def _rotated_away(self) -> Beat:
        """The last known line, where its file now has the name that rotation gives, and no new one is there yet."""
        if self._last_line is not None:
            rotated = signature(self._path.with_name(f"{self._path.name}.1"))
            if rotated is not None and rotated[:2] == self._last_line[0][:2]:
                return self._last_line[1]
        raise MalformedError(f"{self._name} is gone" if self._seen else f"nobody has ever written {self._name}")


def _file_time(mtime_ns: int) -> Beat:
    if mtime_ns <= 0:
        raise MalformedError("has no modification time")
    return Beat(WorkSignal(mtime_ns))


def _observation(beat: Beat, latency_s: float) -> Observation:
    return Observation(
        beat.verdict, beat.message, latency_s, beat.metrics, beat.data, signal=beat.signal, identity=beat.identity
    )
