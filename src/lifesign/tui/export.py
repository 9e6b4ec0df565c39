"""Writing the state shown to a file, which `lifesign console --snapshot FILE` opens again."""

import re
from pathlib import Path

import msgspec

from lifesign.tui.snapshot import Snapshot


def write_state(snapshot: Snapshot, folder: Path | None = None) -> tuple[str, bool]:
    """One line for the operator, and whether it was written. It never overwrites a file."""
    if snapshot.state is None:
        return "there is no state to write yet", False
    stamp = re.sub(r"[^0-9TZ]", "", snapshot.state.generated_at[:19])
    path = (folder or Path.cwd()) / f"lifesign-{stamp or 'state'}.json"
    try:
        with path.open("xb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(snapshot.state)) + b"\n")
    except FileExistsError:
        return f"{path.name} is there already", False
    except OSError as error:
        return f"{path}: {error.strerror or 'cannot be written'}", False
    return f"written to {path}", True
