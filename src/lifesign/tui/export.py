"""Writing the state shown to a file, here or beside the browser: `lifesign console --snapshot FILE` opens it again."""

import re
from io import BytesIO
from pathlib import Path

import msgspec
from textual.app import App

from lifesign.api.documents import State
from lifesign.tui.snapshot import Snapshot

NOTHING = "there is no state to write yet"


def name_of(state: State) -> str:
    """What the file is called."""
    stamp = re.sub(r"[^0-9TZ]", "", state.generated_at[:19])
    return f"lifesign-{stamp or 'state'}.json"


def content_of(state: State) -> bytes:
    """What stands in it."""
    return msgspec.json.format(msgspec.json.encode(state)) + b"\n"


def export_state(app: App[int], snapshot: Snapshot) -> tuple[str, bool]:
    """One line for the operator, and whether it was handed over. A browser saves it as it does with any file."""
    if not app.is_web:
        return write_state(snapshot)
    if snapshot.state is None:
        return NOTHING, False
    name = name_of(snapshot.state)
    app.deliver_binary(BytesIO(content_of(snapshot.state)), save_filename=name, mime_type="application/json")
    return f"the browser saves {name}", True


def write_state(snapshot: Snapshot, folder: Path | None = None) -> tuple[str, bool]:
    """One line for the operator, and whether it was written. It never overwrites a file."""
    if snapshot.state is None:
        return NOTHING, False
    path = (folder or Path.cwd()) / name_of(snapshot.state)
    try:
        with path.open("xb") as file:
            file.write(content_of(snapshot.state))
    except FileExistsError:
        return f"{path.name} is there already", False
    except OSError as error:
        return f"{path}: {error.strerror or 'cannot be written'}", False
    return f"written to {path}", True
