"""The UNIX socket as a file: made without a race, replaced after a dead daemon, never stolen from a live one."""

import grp
import os
import socket
import stat
from pathlib import Path

from lifesign.api.address import MAX_SOCKET_PATH_BYTES, fits
from lifesign.api.passage import give

_BACKLOG = 128
_LIVE_TEST_TIMEOUT_S = 1.0


class SocketInUseError(OSError):
    """Another daemon serves on that path, or what is there is not ours to replace."""


def bind_unix_socket(path: Path, group_id: int | None = None) -> tuple[socket.socket, int]:
    """A listening socket at `path`, mode 0600, or 0660 with that group, and its file's inode. It does not block.

    Raises SocketInUseError where a live daemon has it or something else is there, OSError where the kernel refuses.
    """
    if not fits(path):
        raise OSError(f"{path} is longer than {MAX_SOCKET_PATH_BYTES} bytes, which is what the kernel takes")
    _clear(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # The file is made with the mode of the socket behind it: there is no moment with a wider one.
        os.fchmod(sock.fileno(), 0o600)
        sock.bind(str(path))
        if group_id is not None:
            try:
                give(path, group_id, 0o660)
            except PermissionError:
                path.unlink(missing_ok=True)
                raise
        sock.listen(_BACKLOG)
        return sock, path.lstat().st_ino
    except BaseException:
        sock.close()
        raise


def group_id_of(group: str | None) -> int | None:
    """The id of a group by its name or number. Raises ValueError with a sentence for the user."""
    if group is None:
        return None
    if group.isascii() and group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ValueError(f"socket_group: this machine has no group {group!r}") from None


def _clear(path: Path) -> None:
    """Removes what a dead daemon left at `path`."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketInUseError(f"{path} is in the way and is no socket: move it")
    if _is_live(path):
        raise SocketInUseError(f"another lifesign serves on {path}")
    path.unlink(missing_ok=True)


def _is_live(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_LIVE_TEST_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # a full backlog or no permission: somebody is there
        return True
