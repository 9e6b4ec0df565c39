"""Reading a pidfile that anyone may have written: a number above 1, or a reason why not. Not here: whose pid it is."""

from pathlib import Path

from lifesign.checks.file_reading import Signature, read_file
from lifesign.checks.files import FileFaultError, read_outside
from lifesign.checks.mounts import LOCAL
from lifesign.processes.pidfile import MOST_BYTES, pid_in
from lifesign.text import clean


async def read_pidfile(path: Path, timeout_s: float) -> tuple[int, Signature]:
    """The pid, and the signature of the file that names it.

    Raises FileFaultError where the file is missing or holds no usable pid, FileUnknownError where we cannot tell.
    """
    name = clean(str(path), 200)
    reading = await read_outside(path, MOST_BYTES, tail=False, timeout_s=timeout_s)
    if reading is None:
        raise FileFaultError(f"there is no pidfile {name}")
    if reading.irregular:
        raise FileFaultError(f"pidfile {name} is {reading.irregular}, not a regular file")
    if reading.too_large:
        raise FileFaultError(f"pidfile {name} is longer than {MOST_BYTES} bytes")
    try:
        return pid_in(reading.body), reading.signature
    except ValueError as error:
        raise FileFaultError(f"pidfile {name} {error}") from None


def read_pidfile_at_once(path: Path) -> tuple[int, Signature] | None:
    """The same where the file lies on a local mount and names a pid; None where only `read_pidfile` can tell."""
    try:
        if LOCAL.status(str(path)) is None:
            return None
        reading = read_file(str(path), MOST_BYTES)
        return None if reading.irregular or reading.too_large else (pid_in(reading.body), reading.signature)
    except (OSError, ValueError):
        return None
