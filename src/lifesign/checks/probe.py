"""What every check is to the engine, and which system errors are our own trouble. Not here: any check."""

import errno
from typing import Protocol

from lifesign.core.model import Observation

_OUR_TROUBLE = {
    errno.EMFILE: "lifesign has no file descriptor left",
    errno.ENFILE: "this machine has no file descriptor left",
    errno.ENOMEM: "this machine has no memory left",
    errno.ENOBUFS: "this machine has no buffer space left",
    errno.EADDRNOTAVAIL: "this machine has no local address or port left",
    errno.EAFNOSUPPORT: "this machine does not speak this kind of address",
    errno.EACCES: "no permission",
    errno.EPERM: "not permitted",
}


class Probe(Protocol):
    """One check of one component, called by the engine again and again, never twice at once."""

    async def look(self, now_wall_ns: int) -> Observation:
        """One look at the target; `now_wall_ns` is CLOCK_REALTIME in nanoseconds since the epoch.

        Ends within the probe's own timeout. A failing target is an observation, never an exception.
        """
        ...

    def close(self) -> None:
        """Release what is held. May be called twice."""
        ...


def os_trouble(error: OSError) -> str | None:
    """A message where `error` is the observer's trouble (so: `unknown`), None where it is the target's."""
    return _OUR_TROUBLE.get(error.errno or 0)
