"""Reading a pidfile that anyone may have written: a number above 1, or a reason why not. Not here: whose pid it is."""

from pathlib import Path

from lifesign.checks.files import FileFaultError, read_outside
from lifesign.text import clean

_MOST_BYTES = 64
_MOST_PID = 2**22  # the kernel's own limit (proc(5), pid_max)


async def read_pidfile(path: Path, timeout_s: float) -> tuple[int, int]:
    """The pid, and when it was written in nanoseconds since the epoch.

    Raises FileFaultError where the file is missing or holds no usable pid, FileUnknownError where we cannot tell.
    """
    name = clean(str(path), 200)
    reading = await read_outside(path, _MOST_BYTES, tail=False, timeout_s=timeout_s)
    if reading is None:
        raise FileFaultError(f"there is no pidfile {name}")
    if reading.irregular:
        raise FileFaultError(f"pidfile {name} is {reading.irregular}, not a regular file")
    if reading.too_large:
        raise FileFaultError(f"pidfile {name} is longer than {_MOST_BYTES} bytes")
    content = reading.body.strip(b" \t\r\n")
    if not content:
        raise FileFaultError(f"pidfile {name} is empty")
    if not content.isdigit():  # ASCII digits alone: no sign, no second line
        raise FileFaultError(f"pidfile {name} holds no pid")
    pid = int(content)
    if not 1 < pid <= _MOST_PID:
        raise FileFaultError(f"pidfile {name} holds {clean(str(pid), 20)}, which is no pid of a service")
    return pid, reading.signature[3]
