"""Looking at a file from the event loop: at once on a local mount, through a disposable child where it may hang.

Not here: what the content means (`heartbeat_formats`, `pidfile`).
"""

import errno
import os
import sys
import time
from pathlib import Path

from lifesign.checks import file_reading
from lifesign.checks.file_reading import Reading, Signature, read_file, signature_of
from lifesign.checks.mounts import LOCAL, may_hang
from lifesign.checks.probe import os_trouble
from lifesign.checks.turns import BusyError, Turns
from lifesign.text import clean

_stuck: dict[str, int] = {}  # path → the child that the kernel will not let die, so that no second one follows it
_TURNS = Turns()  # one job per path: two checks of one file have one child at a time

_UNANSWERED = {
    errno.EIO: "input/output error",
    errno.ESTALE: "stale file handle",
    errno.ETIMEDOUT: "the file system timed out",
    errno.EHOSTDOWN: "the file server is down",
    errno.ENOTCONN: "the file system's server is gone",
    errno.ECONNABORTED: "the file system's server is gone",
    errno.EINTR: "interrupted",
}
_FAULTS = {
    errno.ELOOP: "is a loop of symbolic links",
    errno.ENOTDIR: "lies below something that is not a folder",
    errno.ENAMETOOLONG: "is a name too long for this file system",
}


class FileUnknownError(Exception):
    """We could not find out what is in the file; the text is a sentence for the user."""


class FileFaultError(Exception):
    """The path cannot hold a file at all; the text is a sentence for the user."""


def signature(path: Path | str) -> Signature | None:
    """A cheap fingerprint that changes when the file does; never blocks.

    None where it tells nothing: missing, forbidden, or on a mount that may hang (there only a look tells).
    """
    try:
        status = LOCAL.status(str(path))
        if status is None and not may_hang(path):
            status = os.stat(path)  # noqa: PTH116 - once a second for each of thousands of files
    except (OSError, ValueError):
        return None
    return status and signature_of(status)


async def read_outside(path: Path, limit_bytes: int, *, tail: bool, timeout_s: float) -> Reading | None:
    """The file's content as `read_file` gives it, None where there is no such file.

    Raises FileUnknownError where we could not find out, FileFaultError where the path is at fault.
    """
    try:
        if may_hang(path):
            return await _read_in_child(str(path), limit_bytes, tail=tail, timeout_s=timeout_s)
        return read_file(str(path), limit_bytes, tail=tail)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _verdict(path, error) from error
    except ValueError as error:
        raise FileFaultError(f"{clean(str(path))} is not a path") from error


def _verdict(path: Path, error: OSError) -> FileUnknownError | FileFaultError:
    name, number = clean(str(path)), error.errno or 0
    if number in _FAULTS:
        return FileFaultError(f"{name} {_FAULTS[number]}")
    reason = os_trouble(error) or _UNANSWERED.get(number) or os.strerror(number)
    return FileUnknownError(f"could not read {name}: {reason}")


async def _read_in_child(path: str, limit_bytes: int, *, tail: bool, timeout_s: float) -> Reading:
    silent = f"the file system of {clean(path)} does not answer"
    began_s = time.monotonic()
    try:
        async with _TURNS.of(path, timeout_s):
            left_s = timeout_s - (time.monotonic() - began_s)
            return await _ask_child(path, limit_bytes, tail=tail, timeout_s=max(left_s, 0.001))
    except BusyError:
        raise FileUnknownError(f"{silent} the look at it that is under way") from None


async def _ask_child(path: str, limit_bytes: int, *, tail: bool, timeout_s: float) -> Reading:
    from lifesign.processes.child import run_child

    silent = f"the file system of {clean(path)} does not answer"
    if _is_stuck(path):
        raise FileUnknownError(f"{silent}, and the last reader still hangs in it")
    argv = [sys.executable, "-I", "-S", file_reading.__file__, path, str(limit_bytes), "1" if tail else "0"]
    result = await run_child(argv, timeout_s=timeout_s, max_output_bytes=limit_bytes + 4096)
    if result.start_error is not None:
        raise FileUnknownError(result.start_error)
    number, _, rest = result.stdout.partition(b"\n")
    if result.timed_out:
        if result.returncode is None and number.isdigit():
            _stuck[path] = int(number)
        raise FileUnknownError(silent)
    if result.returncode != 0 or result.truncated:
        raise FileUnknownError(f"could not read {clean(path)}: its reader ended with {result.returncode}")
    return _decode(rest)


def _decode(answer: bytes) -> Reading:
    import json

    head, _, body = answer.partition(b"\n")
    told = json.loads(head)
    if "errno" in told:
        raise OSError(told["errno"], os.strerror(told["errno"]))
    device, inode, size, mtime_ns, ctime_ns = told["signature"]
    return Reading(told["irregular"], (device, inode, size, mtime_ns, ctime_ns), body, too_large=told["too_large"])


def _is_stuck(path: str) -> bool:
    pid = _stuck.get(path)
    if pid is None:
        return False
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # reaped meanwhile
        del _stuck[path]
        return False
    return True
