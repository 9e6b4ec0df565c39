"""The state folder: made for us alone, held by one instance. What cannot be written does not stop the watch."""

import fcntl
import os
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another instance holds the folder; the text is a sentence for the user."""


def holder_of(path: Path) -> str | None:
    """Who holds the state folder `path` at this moment, in words; None where nobody does."""
    try:
        descriptor = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f"another lifesign (pid {text})" if text.isdecimal() else "another lifesign"


class StateFolder:
    """`path` with its lock. `writable` is False where the folder cannot be made or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writable = False
        self._lock: int | None = None

    @property
    def held(self) -> bool:
        """Whether the lock is ours, so that no other instance writes here."""
        return self._lock is not None

    def hold(self) -> str | None:
        """Takes the lock; a sentence of trouble where the folder cannot be used.

        Raises AlreadyRunningError where another instance holds it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._lock = os.open(self.path / "lock", flags, 0o600)
        except OSError as error:
            return f"the state folder {self.path} cannot be used: {error.strerror}"
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(self._lock)
            raise AlreadyRunningError(f"{holder} already watches with the state folder {self.path}") from None
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            return f"the state folder {self.path} cannot be written: {error.strerror}"
        self.writable = True
        return None

    def release(self) -> None:
        """Lets go of the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
