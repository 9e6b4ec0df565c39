"""The history as it is stored, for whoever asks while no daemon runs: the runs of `lifesign check` leave one too."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from lifesign.api.documents import EventDocument
from lifesign.bootstrap.runs import FILE
from lifesign.store.reading import stored_texts

POLL_EVERY_S = 0.5


def has_history(folder: Path) -> bool:
    """Whether anything was ever stored in the state folder that can be read now."""
    try:
        return (folder / FILE).is_file()
    except OSError:
        return False


def stored_events(folder: Path, since: str | None = None, kinds: Sequence[str] = ()) -> Iterator[EventDocument]:
    """Every event that the state folder holds from `since` on (RFC 3339), oldest first.

    `kinds`: only those whose name begins with one of these.
    """
    for _, event in _numbered(folder, since=since, kinds=kinds):
        yield event


def followed_events(folder: Path, since: str | None = None) -> Iterator[EventDocument]:
    """The same, and whatever any run of lifesign adds from now on, for ever."""
    after = 0
    while True:
        for number, event in _numbered(folder, after=after, since=since):
            after = number
            yield event
        time.sleep(POLL_EVERY_S)


def _numbered(
    folder: Path, *, after: int = 0, since: str | None = None, kinds: Sequence[str] = ()
) -> Iterator[tuple[int, EventDocument]]:
    for number, text in stored_texts(folder / FILE, after=after, since=since or "", kinds=kinds):
        with contextlib.suppress(msgspec.DecodeError):
            event = msgspec.json.decode(text, type=EventDocument)
            if not kinds or event.event.startswith(tuple(kinds)):
                yield number, event
