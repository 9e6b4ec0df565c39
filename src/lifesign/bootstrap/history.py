"""The history as it is stored, for whoever asks while no daemon runs: the runs of `lifesign check` leave one too."""

import contextlib
from pathlib import Path

import msgspec

from lifesign.api.documents import EventDocument
from lifesign.bootstrap.runs import FILE
from lifesign.store.database import Database
from lifesign.store.store import NEWEST_EVENTS


def stored_events(folder: Path) -> list[EventDocument] | None:
    """The newest events that the state folder holds, oldest first; None where nothing was ever stored there."""
    if not (folder / FILE).is_file():
        return None
    _, texts = Database(folder / FILE).peek(NEWEST_EVENTS)
    events = []
    for text in texts:
        with contextlib.suppress(msgspec.DecodeError):
            events.append(msgspec.json.decode(text, type=EventDocument))
    return events
