"""From what happens to what is told: events become documents without secrets, are kept, and reach journal and log."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from lifesign.api.documents import EventDocument
from lifesign.api.journal import Journal
from lifesign.api.render import event_document, event_line
from lifesign.api.tally import Tally
from lifesign.bootstrap.archive import StoredPast
from lifesign.bootstrap.history import stored_events
from lifesign.bootstrap.keeping import Keeper
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.core.events import Event, EventName
from lifesign.core.model import JsonValue
from lifesign.engine.clock import read_clocks
from lifesign.engine.log import LineLog
from lifesign.text import format_timestamp, redact

_LOOKED_THROUGH = 500


class Teller:
    """Tells the events of the monitor `name`, none of `secrets` in them. `form` of the log: json or text."""

    def __init__(self, log: LineLog, form: str, journal: Journal, folder: StateFolder, *, history_s: float) -> None:
        self.name = ""
        self.secrets: Sequence[str] = ()
        self._log = log
        self._form = form
        self._journal = journal
        self._folder = folder.path
        self.tally = Tally()
        self.archive = StoredPast(folder.path, journal, lambda: self.keeper.writable)
        self.keeper = Keeper(folder if folder.held else None, history_s=history_s, announce=self._announce)

    def tell(
        self,
        name: EventName,
        message: str,
        component: str | None = None,
        data: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Tells what the core knows nothing of, as of now."""
        self.record(Event(name, read_clocks().wall_ns, component=component, message=message, data=data or {}))

    def tell_of_config(self, name: EventName, message: str, data: Mapping[str, JsonValue]) -> None:
        """Tells what became of a config that was read anew."""
        self.tell(name, message, data=data)

    def record(self, event: Event) -> None:
        """Tells an event, once it is kept."""
        document = event_document(event, self.name)
        if self.secrets and document.message:
            document = msgspec.structs.replace(document, message=redact(document.message, self.secrets))
        self.keeper.record(document)

    def told(self, kinds: Sequence[str]) -> Iterable[EventDocument]:
        """Every event that is kept whose name begins with one of `kinds`, oldest first; as `Backend.told`."""
        if self.keeper.writable:
            return stored_events(self._folder, kinds=kinds)
        return [event for event in self._journal.documents() if event.event.startswith(tuple(kinds))]

    def lines_of(self, component: str) -> list[str]:
        """The newest events of `component`, a line each, oldest first; of those that are long past none is sought."""
        return [event_line(document) for document in self._journal.concerning(component, _LOOKED_THROUGH)]

    def _announce(self, document: EventDocument) -> None:
        self.tally.tell(document)
        self._journal.append(document)
        self._log.write(self._line(document), dropped=self._dropped_line)

    def _line(self, document: EventDocument) -> str:
        return msgspec.json.encode(document).decode() if self._form == "json" else event_line(document)

    def _dropped_line(self, count: int) -> str:
        now = format_timestamp(read_clocks().wall_ns)
        words = f"{count} events were not logged: the log could not be written fast enough"
        return self._line(EventDocument(ts=now, level="ERROR", event="operator.action", message=words))

    def close(self) -> None:
        """Ends the log."""
        self._log.close()
