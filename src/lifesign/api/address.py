"""Where a daemon's UNIX socket is: one rule for the server that makes it and the client that looks for it.

The socket is `state_dir/lifesign.sock`. Linux keeps 108 bytes for a socket's path, one of them the NUL; where the
path would pass 107 bytes, the socket has a short path in the runtime dir, and the text file
`state_dir/lifesign.sock.path` names it. Not here: the socket itself (`api.security`).
"""

import os
import stat
from pathlib import Path

from lifesign.api.passage import closed_folder, give

SOCKET_NAME = "lifesign.sock"
POINTER_NAME = "lifesign.sock.path"
MAX_SOCKET_PATH_BYTES = 107


def socket_path(state_dir: Path) -> Path:
    """The path of the socket of the daemon that keeps its state in `state_dir`; it need not exist."""
    direct = state_dir.absolute() / SOCKET_NAME
    if fits(direct):
        return direct
    try:
        with (state_dir / POINTER_NAME).open("rb") as pointer:
            named = Path(os.fsdecode(pointer.read(4096).rstrip(b"\n")))
    except (OSError, ValueError):
        return _short_path(state_dir)
    return named if named.is_absolute() and fits(named) else _short_path(state_dir)


def prepare_socket_path(state_dir: Path, group_id: int | None = None) -> Path:
    """The path to bind: as `socket_path`, with the folder made and the pointer written where it is a short one.

    `group_id`: who else may pass through the runtime folder. Raises OSError, PermissionError where the folder
    belongs to somebody else.
    """
    direct = state_dir.absolute() / SOCKET_NAME
    if fits(direct):
        return direct
    path = runtime_dir(group_id) / _short_name(state_dir)
    _make_private(path.parent, group_id)
    pointer = state_dir / POINTER_NAME
    fresh = pointer.with_name(f"{POINTER_NAME}.{os.getpid()}")
    fresh.write_bytes(os.fsencode(path) + b"\n")
    fresh.chmod(0o600 if group_id is None else 0o644)  # whoever may pass through the state folder may read it
    fresh.replace(pointer)
    return path


def may_be_there(socket: Path) -> bool:
    """Whether there is anything at `socket`, or nobody lets us see."""
    try:
        return socket.exists()
    except OSError:
        return True


def fits(path: Path) -> bool:
    """Whether the kernel takes `path` as a socket's name."""
    return len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES


def _short_path(state_dir: Path) -> Path:
    return runtime_dir() / _short_name(state_dir)


def _short_name(state_dir: Path) -> str:
    import hashlib  # it loads OpenSSL, for the few paths that are too long

    digest = hashlib.sha256(os.fsencode(state_dir.absolute())).hexdigest()[:16]
    return f"{digest}.sock"


def runtime_dir(group_id: int | None = None) -> Path:
    """`$XDG_RUNTIME_DIR/lifesign`; for root `/run/lifesign`; else a folder of our own in /tmp.

    With `group_id` one beside it, of that group alone, and not where the group cannot get to: our own keeps secrets.
    """
    suffix = "" if group_id is None else f"-{group_id}"
    base = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    private = base / f"lifesign{suffix}"
    may_be = private.is_absolute() and fits(private / _short_name(Path())) and base.is_dir()
    if may_be and (group_id is None or closed_folder(base, group_id) is None):
        return private
    if os.getuid() == 0 and os.access("/run", os.W_OK):
        return Path(f"/run/lifesign{suffix}")
    return Path(f"/tmp/lifesign-{os.getuid()}{suffix}")  # noqa: S108 - checked to be ours before use


def _make_private(folder: Path, group_id: int | None) -> None:
    """Makes `folder`, or proves that it is a folder of ours: in /tmp somebody else may have been there first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a folder of ours: remove it, or set XDG_RUNTIME_DIR")
    if group_id is None:
        folder.chmod(0o700)
        return
    give(folder, group_id, 0o710)
