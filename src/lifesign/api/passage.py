"""How the members of a group get to a socket that is open to them: through every folder above it.

Not here: the socket's own mode (`api.sockets`). Access lists are not read: they may let more pass than is seen here.
"""

import os
import stat
from pathlib import Path


def let_pass(folder: Path, group_id: int) -> None:
    """Lets the group go through `folder`, and not list it, where it is ours and of no other group. Raises OSError."""
    found = folder.stat()
    is_anothers = found.st_mode & stat.S_IRWXG and found.st_gid != group_id
    if not _passes(found, group_id) and found.st_uid == os.geteuid() and not is_anothers:
        give(folder, group_id, stat.S_IMODE(found.st_mode) | stat.S_IXGRP)


def give(path: Path, group_id: int, mode: int) -> None:
    """`path` to the group, with that mode. Raises PermissionError with a sentence for the user, OSError."""
    try:
        os.chown(path, -1, group_id, follow_symlinks=False)
        path.chmod(mode)
    except PermissionError:
        why = f"socket_group: we may not give {path} to group {group_id}: run as one of its members, or as root"
        raise PermissionError(why) from None


def closed_folder(folder: Path, group_id: int) -> Path | None:
    """The outermost of `folder` and those above it through which the group cannot go; None for none. Raises OSError."""
    found = folder.resolve()
    return next((above for above in (*reversed(found.parents), found) if not _passes(above.stat(), group_id)), None)


def _passes(found: os.stat_result, group_id: int) -> bool:
    return bool(found.st_mode & (stat.S_IXGRP if found.st_gid == group_id else stat.S_IXOTH))
