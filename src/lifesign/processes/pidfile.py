"""The content of a pidfile that anyone may have written. Not here: reading the file, and whose pid it is."""

from lifesign.text import clean

MOST_BYTES = 64  # of a pidfile; a longer file is none

_MOST_PID = 2**22  # the kernel's own limit (proc(5), pid_max)


def pid_in(content: bytes) -> int:
    """The pid, above 1. Raises ValueError with the end of a sentence that begins with the file's name."""
    digits = content.strip(b" \t\r\n")
    if not digits:
        raise ValueError("is empty")
    if not digits.isdigit():  # ASCII digits alone: no sign, no second line
        raise ValueError("holds no pid")
    pid = int(digits)
    if not 1 < pid <= _MOST_PID:
        raise ValueError(f"holds {clean(str(pid), 20)}, which is no pid of a service")
    return pid
