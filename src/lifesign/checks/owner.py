"""Which number a user's name stands for. Never blocks on a directory service."""

import sys
from pathlib import Path

_ASK = "import pwd, sys; print(pwd.getpwnam(sys.argv[1]).pw_uid)"


async def uid_of_user(user: str, timeout_s: float) -> int | None:
    """The uid of a name or a number, None where there is none. A name that is not local is asked for in a child."""
    if user.isdecimal():
        return int(user)
    local = _local_uid(user)
    if local is not None:
        return local
    from lifesign.processes.child import run_child

    result = await run_child([sys.executable, "-I", "-S", "-c", _ASK, user], timeout_s=timeout_s)
    answer = result.stdout.strip()
    return int(answer) if answer.isdigit() else None


def _local_uid(user: str) -> int | None:
    try:
        with Path("/etc/passwd").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                fields = line.split(":")
                if len(fields) > 3 and fields[0] == user and fields[2].isdecimal():
                    return int(fields[2])
    except OSError:
        pass
    return None
