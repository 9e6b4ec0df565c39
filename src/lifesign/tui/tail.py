"""A file that grows, as numbered lines: the place of every line is known, and none is read before it is looked at.

It survives rotation (what was there last is kept in memory), truncation and a million lines. Every call may block, so
none belongs on Textual's loop. Not here: the thread (`tailing`) and drawing.
"""

import os
import re
import stat
from array import array
from itertools import pairwise
from pathlib import Path

from lifesign.text import clean

KEPT_LINES = 2000
MOST_BYTES = 512 * 1024 * 1024  # of one file; older lines of a larger one are left out, and that is told
_CHUNK_BYTES = 1 << 20
_LINE_BYTES = 4096
_BREAK = re.compile(b"\n")
_BATCH_LINES = 2000


class Tail:
    """The lines of the file `path`. Numbers begin at 0 with the oldest line that is held."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._starts = array("Q")
        self._indexed = 0
        self._kept: list[str] = []
        self.note = ""

    @property
    def count(self) -> int:
        """How many lines there are, a last one without its end included."""
        return len(self._kept) + len(self._starts)

    def refresh(self) -> None:
        """Looks what has come. Whatever is wrong with the file stands in `note`."""
        try:
            named = self._path.stat()
            if not stat.S_ISREG(named.st_mode):
                self.note = "not a regular file"
                return
            if self._descriptor >= 0 and not os.path.samestat(named, os.fstat(self._descriptor)):
                self._keep()
            if self._descriptor < 0:
                self._open()
            self._index()
        except OSError as error:
            self.note = clean(error.strerror or "cannot be read", 100)

    def lines(self, first: int, count: int) -> tuple[str, ...]:
        """At most `count` lines from number `first` on, each cleaned."""
        first = max(first, 0)
        kept = self._kept[first : first + count]
        from_file = max(first - len(self._kept), 0)
        return (*kept, *self._read(from_file, count - len(kept)))

    def find(self, wanted: str, start: int, step: int) -> int | None:
        """The nearest line from `start` on (itself included) that contains `wanted`; `step` -1 looks at older ones."""
        wanted = wanted.casefold()
        position = min(max(start, -1), self.count)
        while 0 <= position < self.count:
            first = position if step > 0 else max(0, position - _BATCH_LINES + 1)
            length = _BATCH_LINES if step > 0 else position - first + 1
            batch = list(enumerate(self.lines(first, length), first))
            for number, line in batch if step > 0 else reversed(batch):
                if wanted in line.casefold():
                    return number
            if not batch:
                return None
            position = first + len(batch) if step > 0 else first - 1
        return None

    def close(self) -> None:
        """Gives the file back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        size = os.fstat(self._descriptor).st_size
        self.note = f"the first {(size - MOST_BYTES) >> 20} MiB are left out" if size > MOST_BYTES else ""
        self._forget(max(0, size - MOST_BYTES))

    def _forget(self, start: int) -> None:
        self._starts = array("Q")
        self._indexed = start

    def _keep(self) -> None:
        """Another file stands under the name: what the old one held last is kept."""
        self._index()
        count = len(self._starts)
        self._kept = [*self._kept, *self._read(max(0, count - KEPT_LINES), KEPT_LINES)][-KEPT_LINES:]
        self.close()
        self._forget(0)

    def _index(self) -> None:
        size = os.fstat(self._descriptor).st_size
        if size < self._indexed:
            self._forget(0)
            self.note = "the file was truncated"
        while self._indexed < size:
            data = os.pread(self._descriptor, min(_CHUNK_BYTES, size - self._indexed), self._indexed)
            if not data:
                return
            if not self._starts or self._ended_whole():
                self._starts.append(self._indexed)
            base, ends = self._indexed, [found.end() for found in _BREAK.finditer(data)]
            self._starts.extend(base + end for end in ends if end < len(data))
            self._indexed += len(data)

    def _ended_whole(self) -> bool:
        """Whether what was indexed last ended with a line's end, so that a new line begins."""
        return os.pread(self._descriptor, 1, self._indexed - 1) == b"\n"

    def _read(self, first: int, count: int) -> list[str]:
        starts = self._starts[first : first + max(count, 0)]
        if not starts:
            return []
        following = self._starts[first + len(starts)] if first + len(starts) < len(self._starts) else self._indexed
        if following - starts[0] > len(starts) * _LINE_BYTES:  # somebody writes lines without end
            ends = [*starts[1:], following]
            return [_text(self._pread(s, min(e - s, _LINE_BYTES))) for s, e in zip(starts, ends, strict=True)]
        data = self._pread(starts[0], following - starts[0])
        offsets = [start - starts[0] for start in (*starts, following)]
        return [_text(data[s:e]) for s, e in pairwise(offsets)]

    def _pread(self, start: int, length: int) -> bytes:
        try:
            return os.pread(self._descriptor, length, start)
        except OSError:
            return b""


def _text(line: bytes) -> str:
    return clean(line.rstrip(b"\r\n").decode("utf-8", "replace").expandtabs(4), 2000)
