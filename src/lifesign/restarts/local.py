"""A manager's process as this host sees it, where it is on this host at all. Not here: asking the manager."""

from lifesign.core.model import Identity
from lifesign.processes.stat import read_stat, started_at_s
from lifesign.restarts.held import refuse_kin

_SAME_START_S = 3.0  # a manager notes the time in whole seconds, a little before or after the fork


def local_identity(pid: int, told_start_s: float | None) -> Identity:
    """The identity by our /proc where it is that process, so that it equals what a process check sees; else as told.

    The number may belong to another host or namespace. Raises HandsOffError where the process is lifesign itself or an
    ancestor of it.
    """
    try:
        stat = read_stat(pid)
    except OSError:
        stat = None
    if stat is None or told_start_s is None or abs(started_at_s(stat) - told_start_s) > _SAME_START_S:
        return Identity(pid, told_start_s)
    refuse_kin(pid, children=False)  # a child of ours has its manager between us and it
    return Identity(pid, started_at_s(stat))
