"""Reading a file that others may have replaced by anything: never blocking on it, never more than asked for.

Standard library only, because the same code runs in a disposable child without site-packages
(`python -I -S file_reading.py PATH LIMIT TAIL`) where the mount may hang. Not here: what the bytes mean.
"""

import errno
import os
import stat
import sys
from typing import NamedTuple, TypeAlias

Signature: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, size, mtime_ns, ctime_ns: equal means unchanged, but for two writes within one tick of the clock."""

_SETTLED_NS = 100_000_000  # two writes within one tick of the file clock (up to 10 ms) have one signature
_COARSE_SETTLED_NS = 3_000_000_000  # some file systems keep whole seconds only
_KIND = 0o170000  # of st_mode
_KINDS = (
    (stat.S_ISFIFO, "a FIFO (named pipe)"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Reading(NamedTuple):
    """What a path held.

    `irregular`: its kind in words, where it is no regular file (then nothing was read). `body`: the whole content, or
    the last `limit_bytes` where the tail was asked for; empty where the content is longer than the limit (`too_large`).
    """

    irregular: str
    signature: Signature
    body: bytes
    too_large: bool


def signature_of(status: os.stat_result) -> Signature:
    """The part of `status` that changes with the content."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_settled(found: Signature, now_wall_ns: int) -> bool:
    """Whether the file is old enough that a further write must change its signature."""
    mtime_ns = max(found[3], found[4])
    quiet_ns = _COARSE_SETTLED_NS if mtime_ns % 1_000_000_000 == 0 else _SETTLED_NS
    return now_wall_ns - mtime_ns > quiet_ns


def _irregular(status: os.stat_result) -> str:
    if status.st_mode & _KIND == stat.S_IFREG:
        return ""
    return next((words for test, words in _KINDS if test(status.st_mode)), "no regular file")


def read_file(path: str, limit_bytes: int, *, tail: bool = False, status: os.stat_result | None = None) -> Reading:
    """The content of a regular file of at most `limit_bytes`, or with `tail` its last `limit_bytes`.

    `status`: as it was a moment ago; then the signature may be of a file that was replaced since, by what was read:
    the next look finds another and reads again. With `limit_bytes` 0 nothing is opened. Raises OSError, and ValueError
    for a path with a NUL.
    """
    known, status = status is not None, status or os.stat(path)  # noqa: PTH116 - before opening: that can have effects
    if (irregular := _irregular(status)) or limit_bytes == 0:
        return Reading(irregular, signature_of(status), b"", too_large=False)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not known:
            status = os.fstat(descriptor)
        size = status.st_size
        if (
            status.st_mode & _KIND == stat.S_IFREG and size <= limit_bytes
        ):  # nearly all: read in one go, unless it grows
            body = os.pread(descriptor, size + 1, 0)
            if len(body) <= size:
                return Reading("", signature_of(status), body, too_large=False)
        status = os.fstat(descriptor)
        signature, size = signature_of(status), status.st_size
        if irregular := _irregular(status):
            return Reading(irregular, signature, b"", too_large=False)
        if size > limit_bytes and not tail:
            return Reading("", signature, b"", too_large=True)
        body = _read(descriptor, max(0, size - limit_bytes) if tail else 0, limit_bytes + 1)
    finally:
        os.close(descriptor)
    if len(body) > limit_bytes and not tail:
        return Reading("", signature, b"", too_large=True)
    return Reading("", signature, body[-limit_bytes:], too_large=False)


def _read(descriptor: int, offset: int, count: int) -> bytes:
    parts: list[bytes] = []
    while count > 0 and (part := os.pread(descriptor, count, offset)):
        parts.append(part)
        if len(part) < count:  # of a regular file: that was its end
            break
        offset += len(part)
        count -= len(part)
    return b"".join(parts)


def _answer(path: str, limit_bytes: int, tail: bool) -> bytes:
    import json

    try:
        reading = read_file(path, limit_bytes, tail=tail)
    except OSError as error:
        return json.dumps({"errno": error.errno or errno.EIO}).encode() + b"\n"
    head = {"irregular": reading.irregular, "signature": reading.signature, "too_large": reading.too_large}
    return json.dumps(head).encode() + b"\n" + reading.body


if __name__ == "__main__":
    sys.stdout.buffer.write(b"%d\n" % os.getpid())  # first of all: whoever is stuck must be known by its number
    sys.stdout.buffer.flush()
    sys.stdout.buffer.write(_answer(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"))
