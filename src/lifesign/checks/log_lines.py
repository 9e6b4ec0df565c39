"""Lines of a log as they come in: what is new since the last look, over rotation and truncation, and which lines count.

Pure: bytes and signatures in, hits out. Not here: reading (`files`), and what a hit means (`log`).
"""

import re
from collections.abc import Iterator
from datetime import datetime

from lifesign.checks.expectation import Pattern
from lifesign.checks.file_reading import Reading
from lifesign.records import dataclass
from lifesign.text import clean

LONGEST_LINE_BYTES = 64 * 1024
_STAMP = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?")
_STAMP_WITHIN_BYTES = 200
KEPT_LINES = 20
_KEPT_WITHIN_BYTES = 16 * 1024
_LONGEST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """The newest line that counts. `failed`: it matches `fail_pattern`."""

    line: bytes
    failed: bool

    def written_ns(self) -> int | None:
        """The ISO 8601 time at the beginning of the line, in nanoseconds since the epoch; None where there is none.

        One without a zone is local time.
        """
        found = _STAMP.search(self.line[:_STAMP_WITHIN_BYTES])
        if found is None:
            return None
        try:
            moment = datetime.fromisoformat(found[0].decode().replace(",", ".").replace(" +", "+").replace(" -", "-"))
            return int(moment.timestamp() * 1_000_000_000)
        except (ValueError, OverflowError, OSError):
            return None


def newest_hit(data: bytes, pattern: Pattern, fail_pattern: Pattern | None) -> Hit | None:
    """The last line of `data` that matches either; of one that matches both, the failure counts.

    The whole is searched once before its lines are: most of what a log says matches nothing.
    """
    if not pattern.found_in(data) and (fail_pattern is None or not fail_pattern.found_in(data)):
        return None
    for line in _backwards(data):
        if fail_pattern is not None and fail_pattern.found_in(line):
            return Hit(line, failed=True)
        if pattern.found_in(line):
            return Hit(line, failed=False)
    return None


def newest_lines(before: tuple[str, ...], data: bytes) -> tuple[str, ...]:
    """The last twenty lines that are not empty, clean, oldest first: those of `before`, then those of `data`."""
    found = data[-_KEPT_WITHIN_BYTES:].decode("utf-8", "replace").splitlines()[-2 * KEPT_LINES :]
    cleaned = (clean(line, _LONGEST_KEPT) for line in found)
    return (*before, *filter(None, cleaned))[-KEPT_LINES:]


def _backwards(data: bytes) -> Iterator[bytes]:
    """The lines of `data`, the last one first, each as far as `LONGEST_LINE_BYTES`."""
    end = len(data)
    while end > 0:
        begin = data.rfind(b"\n", 0, end) + 1
        yield data[begin : min(end, begin + LONGEST_LINE_BYTES)].rstrip(b"\r")
        end = begin - 1


class LogLines:
    """Where one log has been read to. `skipped_bytes`: what came faster than it was read."""

    def __init__(self) -> None:
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._partial = b""
        self.skipped_bytes = 0

    @property
    def file(self) -> tuple[int, int] | None:
        """Device and inode of the file that is followed; None before the first."""
        return self._file

    def unread_bytes(self, file: tuple[int, int], size_bytes: int) -> int:
        """How much of a file of that size is new."""
        known = file == self._file and size_bytes >= self._offset
        return size_bytes - self._offset if known else size_bytes

    def take(self, reading: Reading) -> bytes:
        """The whole lines that are new in `reading`, the tail of the file; the rest of a line waits for its end."""
        file, size_bytes = reading.signature[:2], reading.signature[2]
        size_bytes = max(size_bytes, len(reading.body))
        begins_at = size_bytes - len(reading.body)
        if file != self._file:
            self._file, self._offset, self._partial = file, begins_at, b""
        elif size_bytes < self._offset:  # truncated in place
            self._offset, self._partial = 0, b""
        if begins_at > self._offset:
            self.skipped_bytes += begins_at - self._offset
            self._offset, self._partial = begins_at, b""
        new = reading.body[self._offset - begins_at :]
        self._offset = size_bytes
        whole, newline, rest = (self._partial + new).rpartition(b"\n")
        self._partial = rest[:LONGEST_LINE_BYTES]
        return whole + newline
