"""Where a monitor keeps its state, where its config does not say so."""

import os
import re
from pathlib import Path

_SYSTEM_STATE = Path("/var/lib/lifesign")


def host_name() -> str:
    """The host's name, as far as it can stand in a path."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", os.uname().nodename).strip("-.")[:64] or "localhost"


def default_state_dir(name: str, path: Path) -> Path:
    """Where the monitor called `name` of the config at the absolute `path` keeps its state."""
    if path.is_relative_to("/etc"):
        return _SYSTEM_STATE / name
    import hashlib

    from lifesign.heartbeat import user_state_dir

    return user_state_dir() / "lifesign" / f"{name}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
