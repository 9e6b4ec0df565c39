"""The budget that all monitors of one user on one host share for one target (reliability.md, R14).

One small file a target: a JSON line for each automatic restart, written before the deed. What cannot be written is not
done. Not here: a monitor's own budget, which survives a reboot; this one ends with the boot.
"""

import errno
import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lifesign.text import clean

_MOST_LINES = 1000  # no line of a boot beyond the newest so many is kept or counted
_MOST_BYTES = 256 * _MOST_LINES
_LOCK_TRIES, _LOCK_PAUSE_S = 20, 0.002  # whoever has the lock writes one line: or was stopped in the midst of it
_S = 1_000_000_000


class LedgerError(Exception):
    """The ledger cannot be read or written, so there is no restart. One sentence for the user."""


class Ledger:
    """The restarts of one target. `key` names the target alike in every monitor, as in `systemd:mind.service`."""

    def __init__(self, key: str, *, monitor: str, folder: Path, boot_id: str | None = None) -> None:
        """`folder`: below the runtime dir, made if need be; it must be ours alone."""
        self._monitor = clean(monitor, 80)
        self._folder = folder
        self._path = folder / f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.jsonl"
        self._boot_id = boot_id
        self._seen: tuple[int, int, int] | None = (0, 0, 0)  # of the file as it was last read; None: there was none

    def spend(self, most: int, window_s: float, now_boot_ns: int) -> bool:
        """Writes one restart at `now_boot_ns` (CLOCK_BOOTTIME) where fewer than `most` (>= 1) lie within `window_s`.

        False: the budget is spent, nothing was written. Raises LedgerError. Blocks for 40 ms at most.
        """
        try:
            with self._opened() as descriptor:
                times, is_untidy = self._read(descriptor, now_boot_ns)
                since_ns = now_boot_ns - int(window_s * _S)
                if sum(time_ns > since_ns for time_ns, _ in times) >= min(most, _MOST_LINES):
                    if is_untidy:
                        self._rewrite(descriptor, times)
                    return False
                times.append((now_boot_ns, self._monitor))
                if is_untidy or len(times) > _MOST_LINES:
                    self._rewrite(descriptor, times[-_MOST_LINES:])
                else:
                    _write(descriptor, self._line(*times[-1]), os.lseek(descriptor, 0, os.SEEK_END))
                return True
        except OSError as error:
            raise LedgerError(self._sentence(error)) from error

    def withdraw(self, boot_ns: int, now_boot_ns: int) -> None:
        """The restart that this monitor wrote for `boot_ns` was not made after all. Raises LedgerError."""
        try:
            with self._opened() as descriptor:
                times, _ = self._read(descriptor, now_boot_ns)
                if (boot_ns, self._monitor) in times:
                    times.remove((boot_ns, self._monitor))
                    self._rewrite(descriptor, times)
        except OSError as error:
            raise LedgerError(self._sentence(error)) from error

    def moments(self, now_boot_ns: int) -> tuple[int, ...] | None:
        """When restarts were made in this boot, whoever made them (CLOCK_BOOTTIME); None as long as nothing changed.

        Only reads: a ledger that is not there is empty. Raises LedgerError.
        """
        try:
            status = self._path.stat()
        except FileNotFoundError:
            signature = None
        except OSError as error:
            raise LedgerError(self._sentence(error)) from error
        else:
            signature = (status.st_ino, status.st_size, status.st_mtime_ns)
        if signature == self._seen:
            return None
        found: tuple[int, ...] = ()
        if signature is not None:
            try:
                with self._opened() as descriptor:
                    found = tuple(moment_ns for moment_ns, _ in self._read(descriptor, now_boot_ns)[0])
            except OSError as error:
                raise LedgerError(self._sentence(error)) from error
        self._seen = signature
        return found

    def _sentence(self, error: OSError) -> str:
        reason = error.strerror if error.errno is None or error.filename is None else os.strerror(error.errno)
        return f"cannot write the ledger of restarts {self._path}: {reason or error}"

    @contextmanager
    def _opened(self) -> Iterator[int]:
        _make_private(self._folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise OSError(errno.EPERM, "it is no file of ours")
            _lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int, now_boot_ns: int) -> tuple[list[tuple[int, str]], bool]:
        """The restarts of this boot, and whether other lines stand there too.

        A line of another boot counts no more; one that cannot be read counts as a restart just now.
        """
        body = os.pread(descriptor, _MOST_BYTES, max(0, os.fstat(descriptor).st_size - _MOST_BYTES))
        *lines, rest = body.split(b"\n")
        boot_id, times = self._boot(), []
        is_untidy = bool(rest)
        for line in [*lines, rest] if rest else lines:
            entry = _entry(line)
            if entry is None:
                is_untidy = True
                times.append((now_boot_ns, "unreadable"))
            elif entry[0] == boot_id:
                times.append((min(entry[1], now_boot_ns), entry[2]))
            else:
                is_untidy = True
        return times[-_MOST_LINES:], is_untidy

    def _boot(self) -> str:
        if self._boot_id is None:
            self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return self._boot_id

    def _line(self, time_ns: int, monitor: str) -> bytes:
        return json.dumps([self._boot(), time_ns, monitor]).encode() + b"\n"

    def _rewrite(self, descriptor: int, times: list[tuple[int, str]]) -> None:
        body = b"".join(self._line(*entry) for entry in times)
        _write(descriptor, body, 0)
        os.ftruncate(descriptor, len(body))


def _entry(line: bytes) -> tuple[str, int, str] | None:
    try:
        boot_id, time_ns, monitor = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    if type(boot_id) is not str or type(time_ns) is not int or type(monitor) is not str:
        return None
    return boot_id, time_ns, monitor


def _write(descriptor: int, data: bytes, offset: int) -> None:
    """All of it or OSError: a full disk takes a part without a word."""
    if os.pwrite(descriptor, data, offset) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _lock(descriptor: int) -> None:
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return
    raise OSError(errno.EAGAIN, "another monitor holds it")


def _make_private(folder: Path) -> None:
    """Makes `folder`, or proves that it is ours: in /tmp somebody else may have been there first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise OSError(errno.EPERM, f"{folder} is not a folder of ours alone")
