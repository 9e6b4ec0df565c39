"""Whether files and folders are still as they were, told without a child. Not here: what they hold."""

import os
from collections.abc import Mapping

from lifesign.checks.mounts import may_hang

MOST_PLACES = 500  # a stat and its way there cost some 10 µs, on the event loop


def are_unchanged(keys: Mapping[str, list[int]]) -> bool:
    """Whether every path still has its key: device, inode, size, mtime_ns, ctime_ns.

    False also where that cannot be told without danger: on a mount that may hang, or for too many paths.
    """
    return len(keys) <= MOST_PLACES and all(_is_unchanged(path, key) for path, key in keys.items())


def _is_unchanged(path: str, key: list[int]) -> bool:
    if may_hang(path):
        return False
    try:
        status = os.stat(path)  # noqa: PTH116 - it is text already, and there are many
    except OSError:
        return False
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns] == key
