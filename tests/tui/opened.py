"""A program for the tests: the console on a state document in a file, which is read anew at every poll.

`python -m tests.tui.opened FILE`: the file may be replaced at any time, and may vanish. Beside it `FILE.events` may
hold a list of events, `FILE.past` how components stood before, by name, and `FILE.past_incidents` a list of what was
open before, newest first. Every action is refused, in the words of the component's diagnosis.
"""

import signal
import sys
import time
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from lifesign.api.documents import Component, EventDocument, Events, State
from lifesign.api.failures import ProblemAnswer
from lifesign.api.past import PAST_SCHEMA, Past, PastState, Step
from lifesign.api.past_incidents import SCHEMA, IncidentsThen, PastIncidents
from lifesign.text import format_timestamp
from lifesign.tui.run import run_console
from lifesign.tui.source import SnapshotFile

_Kept = TypeVar("_Kept")


class LiveFile(SnapshotFile):
    """The document in the file, as if it were made at this moment."""

    def state(self) -> State:
        """The document, stamped anew."""
        return msgspec.structs.replace(super().state(), generated_at=format_timestamp(time.time_ns()))

    def events(self, since: str | None = None) -> Events:
        """Those of the file beside it, once."""
        kept = self._beside("events", list[EventDocument])
        return super().events(since) if kept is None else Events(events=[] if since else kept, next="1")

    def past(self, component: str, step: Step) -> Past:
        """That of the file beside it, and nothing later than that."""
        kept = self._beside("past", dict[str, PastState]) or {}
        moment = None if step.later else kept.get(component)
        return Past(schema=PAST_SCHEMA, generated_at=step.moment, component=component, moment=moment)

    def past_incidents(self, step: Step) -> PastIncidents:
        """That of the file beside it which comes after the one shown, and nothing later."""
        kept = self._beside("past_incidents", list[IncidentsThen]) or []
        shown = next((place for place, one in enumerate(kept) if one.at == step.moment), -1)
        earlier = kept[shown + step.count : shown + step.count + 1]
        moment = earlier[0] if earlier and not step.later else None
        return PastIncidents(schema=SCHEMA, generated_at=step.moment, moment=moment)

    def _beside(self, ending: str, kind: type[_Kept]) -> _Kept | None:
        file = self._path.with_name(f"{self._path.name}.{ending}")
        return msgspec.json.decode(file.read_bytes(), type=kind) if file.exists() else None

    def probe(self, component: str) -> Component:
        """Refused."""
        [found] = [one for one in self.state().components if one.name == component]
        raise ProblemAnswer(409, found.name, found.diagnosis)


def _interrupt(number: int, frame: object) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run_console(lambda _: LiveFile(Path(sys.argv[1]))))
