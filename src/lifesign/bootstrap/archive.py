"""What a daemon can still tell of the past: the events and the looks that its state folder keeps."""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from lifesign.api.documents import EventDocument
from lifesign.api.journal import Journal
from lifesign.api.past_incidents import KINDS, is_turn
from lifesign.bootstrap.runs import FILE
from lifesign.core.hindsight import PastLook
from lifesign.store.past_looks import looks_until
from lifesign.store.reading import texts_near

_OF_THE_MONITOR = ("monitor.started", "config.reloaded", "hold.")


class StoredPast:
    """Of one state folder, as `api.backend.Archive`. `journal`: what is told while nothing `is_stored`."""

    def __init__(self, folder: Path, journal: Journal, is_stored: Callable[[], bool]) -> None:
        self._folder = folder
        self._journal = journal
        self._is_stored = is_stored

    def told_of(self, component: str | None, moment: str, *, later: bool, most: int) -> Sequence[EventDocument]:
        """Events of the component and of the monitor before `moment`, or after it, the nearest first."""
        tell = self._stored if self._is_stored() else self._remembered
        return tell(component, moment, later=later, most=most)

    def looks(self, component: str, until_ns: int) -> Mapping[str, PastLook]:
        """By check the newest look that is kept until then."""
        return looks_until(self._folder, component, (), until_ns)

    def _stored(self, component: str | None, moment: str, *, later: bool, most: int) -> list[EventDocument]:
        kinds = _OF_THE_MONITOR if component is not None else (*KINDS, "monitor.started")
        needles = [f'"event":"{kind}' for kind in kinds]
        if component is not None:
            needles.insert(0, f'"component":{json.dumps(component, ensure_ascii=False)}')
        events: list[EventDocument] = []
        for text in texts_near(self._folder / FILE, needles, moment, later=later, most=most):
            with contextlib.suppress(msgspec.DecodeError):
                event = msgspec.json.decode(text, type=EventDocument)
                if _concerns(event, component):
                    events.append(event)
        return events

    def _remembered(self, component: str | None, moment: str, *, later: bool, most: int) -> list[EventDocument]:
        events = [event for event in self._journal.documents() if _concerns(event, component)]
        near = [event for event in events if (event.ts > moment if later else event.ts < moment)]
        return near[:most] if later else near[: -most - 1 : -1]


def _concerns(event: EventDocument, component: str | None) -> bool:
    if component is None:
        return is_turn(event) or event.event == "monitor.started"
    return event.component == component or (event.component is None and event.event.startswith(_OF_THE_MONITOR))
