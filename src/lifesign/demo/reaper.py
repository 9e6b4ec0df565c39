"""The last one out: waits until the demo has ended, however it did, then ends its process group and removes its folder.

Run as `python -m lifesign.demo.reaper FOLDER` with the lifeline as standard input, as the leader of the group.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

READY = b"ready"  # said once no signal that a dying session sends can end it any more
ORDERLY_S = 5.0  # what a daemon may take to end in good order


def _members() -> set[int]:
    """Who is alive in our process group, ourselves and the dead left out."""
    group, found = os.getpgrp(), set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                state, _, number = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(number) == group and state not in "ZX":
                    found.add(int(entry.name))
    return found - {os.getpid()}


def _signal(pid: int, number: signal.Signals) -> None:
    """By pidfd, and only while it is of our group: between look and signal the number may have found a new owner."""
    with suppress(OSError):
        pidfd = os.pidfd_open(pid)
        try:
            if os.getpgid(pid) == os.getpgrp():
                signal.pidfd_send_signal(pidfd, number)
                signal.pidfd_send_signal(pidfd, signal.SIGCONT)  # a stopped one would never hear of it
        finally:
            os.close(pidfd)


def _end_group() -> None:
    begun = time.monotonic()
    asked: set[int] = set()
    while members := _members():
        age_s = time.monotonic() - begun
        for pid in members if age_s > ORDERLY_S else members - asked:
            _signal(pid, signal.SIGKILL if age_s > ORDERLY_S else signal.SIGTERM)
        asked |= members
        if age_s > 2 * ORDERLY_S:
            return  # the kernel will not let it die
        time.sleep(0.05)


def main() -> None:
    """Waits, ends, removes."""
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    os.write(1, READY)
    while os.read(0, 4096):
        pass
    _end_group()
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
