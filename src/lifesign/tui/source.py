"""Where the console gets its documents from: the seam that `lifesign.api.client.Client` fits.

Not here: when it is asked (`tui.feed`), and what an answer means (`tui.snapshot`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from lifesign.api.documents import Component, EventDocument, Events, State
from lifesign.api.failures import BadAnswer, ClientError, ProblemAnswer
from lifesign.api.past import Past, Step
from lifesign.api.past_incidents import PastIncidents
from lifesign.api.report_documents import Report
from lifesign.text import clean

MAX_FILE_BYTES = 64 * 1024 * 1024


class StateSource(Protocol):
    """One daemon, seen from the console. Each call may block, and raises ClientError; never on Textual's loop."""

    def state(self) -> State:
        """The state document of this moment."""
        ...

    def probe(self, component: str) -> Component:
        """Looks at `component` now; the component as it stands afterwards."""
        ...

    def act(
        self,
        component: str,
        action: str,
        *,
        author: str | None = None,
        reason: str | None = None,
        duration_s: float | None = None,
    ) -> Component:
        """Does one of the operator's actions; the component as it stands afterwards."""
        ...

    def events(self, since: str | None = None) -> Events:
        """The history from `since` on."""
        ...

    def follow_events(self) -> Iterator[EventDocument]:
        """Every event from now on, when it happens, for as long as the daemon tells."""
        ...

    def report(self, component: str | None = None) -> Report:
        """Uptime in the usual windows, of one component or of all."""
        ...

    def past(self, component: str, step: Step) -> Past:
        """How `component` stood at a change of its own."""
        ...

    def past_incidents(self, step: Step) -> PastIncidents:
        """What was open, silenced or held at a turn of it."""
        ...


class SnapshotFile:
    """A state document in a file: it is shown as it was, and nothing in it can be checked again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def state(self) -> State:
        """The document. Raises BadAnswer with one line for the user."""
        try:
            with self._path.open("rb") as file:
                body = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise BadAnswer(f"{clean(str(self._path), 120)}: {error.strerror or 'cannot be read'}") from error
        if len(body) > MAX_FILE_BYTES:
            raise BadAnswer(f"{clean(str(self._path), 120)} is larger than {MAX_FILE_BYTES >> 20} MiB")
        try:
            return msgspec.json.decode(body, type=State)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadAnswer(f"{clean(str(self._path), 120)} is no state document: {clean(str(error), 120)}") from error

    def probe(self, component: str) -> Component:
        """A file cannot look. Raises ProblemAnswer."""
        raise ProblemAnswer(409, "not possible", f"{clean(component, 60)} is shown from a file")

    def act(
        self,
        component: str,
        action: str,
        *,
        author: str | None = None,
        reason: str | None = None,
        duration_s: float | None = None,
    ) -> Component:
        """A file cannot act. Raises ProblemAnswer."""
        del action, author, reason, duration_s
        return self.probe(component)

    def events(self, since: str | None = None) -> Events:
        """A file holds no history. Raises ClientError."""
        raise ClientError(f"a snapshot holds no events{f' since {clean(since, 40)}' if since else ''}")

    def follow_events(self) -> Iterator[EventDocument]:
        """A file knows no news. Raises ClientError."""
        raise ClientError("in a snapshot nothing happens")

    def report(self, component: str | None = None) -> Report:
        """A file holds no history. Raises ClientError."""
        raise ClientError(f"a snapshot holds no history, not of {clean(component or 'anything', 60)} either")

    def past(self, component: str, step: Step) -> Past:
        """A file holds no history. Raises ClientError."""
        del step
        raise ClientError(f"a snapshot holds no history: how {clean(component, 60)} stood before is not in it")

    def past_incidents(self, step: Step) -> PastIncidents:
        """A file holds no history. Raises ClientError."""
        del step
        raise ClientError("a snapshot holds no history: what was open before is not in it")
