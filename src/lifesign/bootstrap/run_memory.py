"""The memory of runs of one round, in the state folder: read once a run, and written only while it is ours.

A daemon may take the folder in the midst of a run that restarts something. From then on the memory is the daemon's:
what it has read, it goes on from, and nothing of ours is written over it. Not here: what is remembered (`runs`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import msgspec

from lifesign.api.render import event_document
from lifesign.bootstrap.runs import FILE
from lifesign.bootstrap.state_folder import RoundFolder
from lifesign.core.events import Event
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import ComponentMemory, MonitorMemory
from lifesign.core.model import Instant
from lifesign.store.database import Database
from lifesign.store.remembering import decode, encode, key_of
from lifesign.text import redact


class RunMemory:
    """Of one run. `boot`: the id of this boot; what is stored is cleaned of `secrets`. May raise UnusableError."""

    def __init__(self, folder: RoundFolder, *, monitor_name: str, secrets: Sequence[str], boot: str) -> None:
        self._folder = folder
        self._monitor_name = monitor_name
        self._secrets = secrets
        self._boot = boot
        self.texts: dict[str, str] = {}
        self.known = MonitorMemory()
        self._written: dict[str, str | None] = {}

    @contextmanager
    def opened(self) -> Iterator[Database]:
        """The file, while we hold the folder."""
        database = Database(self._folder.path / FILE)
        try:
            database.open()
            yield database
        finally:
            database.close()

    def read(self, database: Database) -> None:
        """What the run before knew."""
        self.texts, _ = database.load(0)
        self.known = decode(self.texts)

    def write(
        self,
        database: Database,
        events: Sequence[Event],
        components: Mapping[str, TrackedComponent],
        now: Instant,
        texts: Mapping[str, str | None] | None = None,
    ) -> None:
        """Appends `events` together with what is held of `components`, and other `texts`."""
        memories = {
            key_of(name): encode(replace(component.memory(now), boot=self._boot, taken_mono_ns=now.mono_ns))
            for name, component in components.items()
        }
        self._written.update(memories)
        database.write([self._stored(event) for event in events], {**memories, **(texts or {})})

    def of_this_boot(self) -> list[ComponentMemory]:
        """What was known, as far as it was written since the machine was started."""
        return [memory for memory in self.known.components.values() if self._boot and memory.boot == self._boot]

    @contextmanager
    def ours(self) -> Iterator[Database | None]:
        """The file, if the folder is still ours and nobody has written since; None else. Raises OSError too."""
        with self._folder.shared() as is_free:
            if not is_free:
                yield None
                return
            with self.opened() as database:
                found, _ = database.load(0)
                is_as_left = all(found.get(key) == text for key, text in self._written.items())
                yield database if is_as_left else None

    def _stored(self, event: Event) -> tuple[str, str]:
        document = event_document(event, self._monitor_name)
        if self._secrets and document.message:
            document = msgspec.structs.replace(document, message=redact(document.message, self._secrets))
        return document.ts, msgspec.json.encode(document).decode()
