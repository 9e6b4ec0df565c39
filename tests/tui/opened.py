"""A program for the tests: the console on a state document in a file, which is read anew at every poll.

`python -m tests.tui.opened FILE`: the file may be replaced at any time, and may vanish. Beside it `FILE.events` may
hold a list of events. Every action is refused, in the words of the component's diagnosis.
"""

import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import msgspec

from lifesign.api.documents import Component, EventDocument, Events, State
from lifesign.api.failures import ProblemAnswer
from lifesign.text import format_timestamp
from lifesign.tui.run import run_console
from lifesign.tui.source import SnapshotFile


class LiveFile(SnapshotFile):
    """The document in the file, as if it were made at this moment."""

    def state(self) -> State:
        """The document, stamped anew."""
        return msgspec.structs.replace(super().state(), generated_at=format_timestamp(time.time_ns()))

    def events(self, since: str | None = None) -> Events:
        """Those of the file beside it, once."""
        file = self._path.with_name(f"{self._path.name}.events")
        if not file.exists():
            return super().events(since)
        return Events(
            events=[] if since else msgspec.json.decode(file.read_bytes(), type=list[EventDocument]), next="1"
        )

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
