"""Keeping: an event is announced once it is stored together with what it made of its component.

So whatever kills us, what was announced is known after it, and is not announced again. The event loop never waits for
the store: an event that cannot be stored within `HOLD_S` is announced all the same. Everything here but `_settled` is
called on the event loop. Not here: what is remembered (`core.memory`), and the file (`store`).
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping

import msgspec

from lifesign.api.documents import EventDocument
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import NS_PER_S, ComponentState
from lifesign.core.monitor import Monitor
from lifesign.engine.clock import read_clocks
from lifesign.store.remembering import decode, encode, is_of_component, key_of
from lifesign.store.store import Store

FILE = "state.db"
HOLD_S = 1.0
SAVE_EVERY_S = 5.0
SAVE_STEADY_EVERY_S = 30.0  # a component of which nothing is wrong: what its next look sees says as much
_SAVED_AT_ONCE = 20  # components, so that a thousand of them do not hold up the loop
_ALL = 2**63

logger = logging.getLogger(__name__)


class Keeper:
    """Between those who tell events and those who announce them. `folder` None: nothing survives us."""

    def __init__(
        self, folder: StateFolder | None, *, history_s: float, announce: Callable[[EventDocument], None]
    ) -> None:
        self._announce = announce
        self._loop: asyncio.AbstractEventLoop | None = None
        self._monitor: Monitor | None = None
        self._new: list[EventDocument] = []
        self._forgotten: list[str] = []
        self._held: deque[tuple[int, list[EventDocument], list[Callable[[], None]]]] = deque()
        self._securing: list[tuple[int, asyncio.Future[None]]] = []
        self._saved: dict[str, list[int]] = {}
        self._saved_ns: dict[str, int] = {}
        self._revisions: dict[str, int] = {}
        self._troubled = False
        self.texts: dict[str, str] = {}  # as they were loaded
        self._lasting: dict[str, str] = {}  # of others than the core
        self._files = 1
        self._kept: dict[str, str | None] = {}
        self._then: list[Callable[[], None]] = []
        self._store: Store | None = None
        if folder is not None:
            path, others = folder.path / FILE, folder.other_holder
            self._store = Store.open(path, history_s=history_s, settled=self._settled, others=others)

    @property
    def writable(self) -> bool:
        """Whether what happens now survives us."""
        return self._store is not None and self._store.writable

    def recall(self) -> tuple[MonitorMemory, list[EventDocument]]:
        """What survived: the memory and the newest events, oldest first. May wait for the disk, for two seconds."""
        if self._store is None:
            return MonitorMemory(), []
        loaded = self._store.load()
        self.texts = dict(loaded.memory)
        self._lasting = {key: text for key, text in loaded.memory.items() if not is_of_component(key)}
        self._tell_trouble()
        events = []
        for text in loaded.events:
            with contextlib.suppress(msgspec.DecodeError):
                events.append(msgspec.json.decode(text, type=EventDocument))
        return decode(dict(loaded.memory)), events

    def _tell_trouble(self) -> None:
        trouble = self._store.trouble if self._store is not None else ""
        if trouble and not self._troubled:
            logger.warning("lifesign: warning: what happens now will not survive a restart: %s", trouble)
        elif self._troubled and not trouble:
            logger.warning("lifesign: what happens survives a restart again")
        self._troubled = bool(trouble)

    def follow(self, monitor: Monitor) -> None:
        """From now on on the running loop: events are stored with what `monitor` holds."""
        self._loop, self._monitor = asyncio.get_running_loop(), monitor

    def keep(self, texts: Mapping[str, str | None], then: Callable[[], None] | None = None) -> None:
        """Stores what others than the core want to find again, with the events of this moment; None forgets a text.

        `then` is called once it is stored, or cannot be for now.
        """
        if self._store is None or self._loop is None:
            if then is not None:
                then()
            return
        if not (self._new or self._kept or self._then):
            self._loop.call_soon(self._hand_over)
        self._kept.update(texts)
        self._lasting.update({key: text for key, text in texts.items() if text is not None})
        for key in [key for key, text in texts.items() if text is None]:
            self._lasting.pop(key, None)
        self._then += [then] if then is not None else []

    def forget(self, component: str) -> None:
        """With the next event, the memory of a component that is no more."""
        self._saved.pop(component, None)
        self._saved_ns.pop(component, None)
        self._revisions.pop(component, None)
        self._forgotten.append(component)

    def record(self, document: EventDocument) -> None:
        """Stores an event with what the present call to the core made of its component, then announces it."""
        if self._store is None or self._loop is None:
            self._announce(document)
            return
        if not (self._new or self._kept or self._then):
            self._loop.call_soon(self._hand_over)  # the effects of one call to the core are carried out in one go
        self._new.append(document)

    def _hand_over(self) -> None:
        if self._store is None or self._loop is None or not (self._new or self._kept or self._then):
            return
        documents, self._new = self._new, []
        kept, self._kept = self._kept, {}
        then, self._then = self._then, []
        forgotten, self._forgotten = self._forgotten, []
        texts = [(document.ts, msgspec.json.encode(document).decode()) for document in documents]
        names = {document.component for document in documents if document.component}
        if any(document.component is None for document in documents):
            names |= self._operated()
        memory = self._memory_of(names)
        number = self._store.record(texts, {**memory, **{key_of(name): None for name in forgotten}, **kept})
        self._held.append((number, documents, then))
        if self._store.writable:
            self._loop.call_later(HOLD_S, self._release, number)
        else:
            self._release(number)

    def _operated(self) -> set[str]:
        """The components upon which an operator has laid something, or ended it, since they were last saved."""
        components = self._monitor.components if self._monitor else {}
        changed = {name for name, c in components.items() if self._revisions.get(name, 0) != c.operations.revision}
        self._revisions.update({name: components[name].operations.revision for name in changed})
        return changed

    def _memory_of(self, names: Iterable[str]) -> dict[str, str | None]:
        if self._monitor is None:
            return {}
        now, components = read_clocks(), self._monitor.components
        return {key_of(name): encode(components[name].memory(now)) for name in names if name in components}

    async def secure(self, component: str, timeout_s: float = 2.0) -> bool:
        """Stores what is held of `component` now; whether it is committed, within `timeout_s`."""
        if self._store is None or self._loop is None:
            return False
        self._hand_over()
        memory = self._memory_of({component})
        if memory.get(key_of(component)) is None:
            return False
        settled: asyncio.Future[None] = self._loop.create_future()
        self._securing.append((self._store.record([], memory), settled))
        try:
            async with asyncio.timeout(timeout_s):
                await settled
        except TimeoutError:
            return False
        return self._store.writable

    def _settled(self, number: int) -> None:
        """Called by the store's thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._commit, number)

    def _commit(self, number: int) -> None:
        """What was recorded up to `number` is committed, or cannot be for now."""
        for secured, settled in self._securing:
            if secured <= number and not settled.done():
                settled.set_result(None)
        self._securing = [waiting for waiting in self._securing if not waiting[1].done()]
        self._release(number)

    def _release(self, number: int) -> None:
        """Announces what was held up to `number`, in order."""
        while self._held and self._held[0][0] <= number:
            _, documents, then = self._held.popleft()
            for document in documents:
                self._announce(document)
            for go_on in then:
                go_on()

    async def run(self) -> None:
        """Saves what every component holds, each every few seconds if anything was observed of it."""
        while self._store is not None and self._monitor is not None:
            names = list(self._monitor.components)
            chunks = [names[first : first + _SAVED_AT_ONCE] for first in range(0, len(names), _SAVED_AT_ONCE)]
            for chunk in chunks:
                self._follow_the_file()
                self._save(chunk)
                self._tell_trouble()
                await asyncio.sleep(SAVE_EVERY_S / len(chunks))
            if not chunks:
                return

    def _follow_the_file(self) -> None:
        """What another file than before must be told again, for it was told to one that is gone."""
        assert self._store is not None
        files = self._store.files
        if files > self._files:
            self._files = files
            self._saved.clear()
            self._store.record([], self._lasting)

    def _save(self, names: Iterable[str]) -> None:
        assert self._store is not None
        assert self._monitor is not None
        changed, now_ns = [], read_clocks().mono_ns
        for name in names:
            component = self._monitor.components[name]
            restarts = component.governor.revision if component.governor else 0
            observed = [restarts, component.operations.revision, *(c.observed_ns for c in component.checks.values())]
            known = self._saved.get(name)
            if known == observed or (known and known[:2] == observed[:2] and self._can_wait(component, now_ns)):
                continue
            self._saved[name], self._saved_ns[name] = observed, now_ns
            changed.append(name)
        if changed:
            self._store.record([], self._memory_of(changed))

    def _can_wait(self, component: TrackedComponent, now_ns: int) -> bool:
        """Whether nothing is lost that the first look of another life would not tell again."""
        recent = now_ns - self._saved_ns[component.spec.name] < SAVE_STEADY_EVERY_S * NS_PER_S
        return recent and component.state is ComponentState.HEALTHY

    async def close(self, timeout_s: float = 1.0) -> None:
        """Stores all there is, for at most `timeout_s`, and announces what was held."""
        if self._store is not None:
            self._hand_over()
            self._store.record([], self._memory_of(self._monitor.components if self._monitor else ()))
            await asyncio.to_thread(self._store.close, timeout_s)
        self._release(_ALL)
