"""The state folder: made for us alone, held by one instance. What cannot be written does not stop the watch."""

import contextlib
import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROUND_WRITES_S = 2.0  # a run of one round has the folder for as long as it writes, which takes milliseconds
_TRY_EVERY_S = 0.02


_FILES = ("lock", "state.db")
_OPEN_LOCK = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


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


def can_see(path: Path) -> bool:
    """Whether there is anything at `path`, and nobody keeps us from seeing it."""
    try:
        return path.exists()
    except OSError:
        return False


def trouble_with(path: Path, error: OSError) -> str:
    """Why the state folder `path` is of no use, in a sentence."""
    why = "it is no folder" if isinstance(error, FileExistsError) else error.strerror or str(error)
    return f"the state folder {path} cannot be used: {why}"


def is_state_folder(path: Path) -> bool:
    """Whether a lifesign keeps, or kept, its state in `path`."""
    return all((path / name).is_file() for name in _FILES)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f"another lifesign (pid {text})" if text.isdecimal() else "another lifesign"


def _take(descriptor: int) -> bool:
    """Whether the lock is ours now. A run of one round that writes at this moment is waited for."""
    deadline_s = time.monotonic() + ROUND_WRITES_S
    while not _try(descriptor, fcntl.LOCK_EX):
        if not _try(descriptor, fcntl.LOCK_SH) or time.monotonic() > deadline_s:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # it is shared: two that both ask for it must not keep it from both
        time.sleep(_TRY_EVERY_S)
    return True


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class RoundFolder:
    """The state folder for a run of one round: such runs wait for each other, and never keep a daemon from starting.

    Daemons hold the file `lock` alone; a run of one round shares it while it writes, and holds `round.lock` throughout.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def alone(self, patience_s: float) -> Iterator[bool]:
        """Whether no other run of one round is under way, once at most `patience_s` have passed. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(self.path / "round.lock") as descriptor:
            deadline_s = time.monotonic() + patience_s
            while not (is_alone := _try(descriptor, fcntl.LOCK_EX)) and time.monotonic() < deadline_s:
                time.sleep(_TRY_EVERY_S)
            yield is_alone

    @contextlib.contextmanager
    def shared(self) -> Iterator[bool]:
        """Whether no daemon has the folder, nor can get it before this is over. Raises OSError."""
        with _opened(self.path / "lock") as descriptor:
            yield _try(descriptor, fcntl.LOCK_SH)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class StateFolder:
    """`path` with its lock. `writable` is False where the folder cannot be made or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writable = False
        self.made_anew = 0  # how often, since somebody took it away
        self._lock: int | None = None
        self._found: os.stat_result | None = None
        self._taking = threading.Lock()  # while it is taken anew, it is not ours yet and no other's either

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
            self._lock = os.open(self.path / "lock", _OPEN_LOCK, 0o600)
            self._found = self.path.stat()
        except OSError as error:
            return trouble_with(self.path, error)
        if not _take(self._lock):
            holder = _holder(self._lock)
            raise AlreadyRunningError(f"{holder} already watches with the state folder {self.path}")
        try:
            self._sign(self._lock)
        except OSError as error:
            return f"the state folder {self.path} cannot be written: {error.strerror}"
        self.writable = True
        return None

    def stays_held(self) -> bool:
        """Whether nobody else has the folder. A lock whose file was taken away, or made anew, is taken anew.

        So is the folder: whoever makes it first and has its lock keeps it.
        """
        with self._taking:
            return self._lock is not None and self._is_ours(self._lock)

    def _is_ours(self, held: int) -> bool:
        try:
            lock = self._opened_lock()
        except OSError:
            return False
        is_taken_anew = False
        try:
            if os.path.sameopenfile(lock, held):
                return True
            is_taken_anew = _try(lock, fcntl.LOCK_EX)
        finally:
            os.close(held if is_taken_anew else lock)
        if is_taken_anew:
            self._lock = lock
            with contextlib.suppress(OSError):
                self._sign(lock)
        return is_taken_anew

    def _opened_lock(self) -> int:
        try:
            return os.open(self.path / "lock", _OPEN_LOCK, 0o600)
        except FileNotFoundError:
            self.path.mkdir(mode=0o700, parents=True)
        lock = os.open(self.path / "lock", _OPEN_LOCK, 0o600)
        self.made_anew += 1
        with contextlib.suppress(OSError):  # then it is ours alone
            if self._found is not None:
                os.chown(self.path, -1, self._found.st_gid)
                self.path.chmod(stat.S_IMODE(self._found.st_mode))
        return lock

    def other_holder(self) -> str:
        """Which other instance has it, in words, since it was taken away under us; empty for none. From any thread."""
        with self._taking:
            with contextlib.suppress(OSError):
                if self._lock is not None and os.path.samestat((self.path / "lock").stat(), os.fstat(self._lock)):
                    return ""
            return holder_of(self.path) or ""

    @staticmethod
    def _sign(lock: int) -> None:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Lets go of the lock."""
        with self._taking:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
