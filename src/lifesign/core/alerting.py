"""Alerting: who is to hear of which incident, what, and when. A row of small stages, pure as the rest of the core.

Theory of operation. Each sink holds one conversation about each incident it wants to hear of. It begins untold. It is
opened once nothing keeps it back: its time has come (`notify_after`), no dependency is down or may be about to be,
another component does not speak for the same cause nor may come to, and neither silence nor hold lies upon it. An
opened one is updated when the diagnosis changes in more than its running figures, at most once in `min_update`, and
repeated every `remind_every` unless somebody has acknowledged the incident; the end of a silence or hold is told too.
What was told is resolved, whatever lies upon it (S9); what was never told ends without a word. Not here: what an alert
says, how it is sent, and that it arrives (`alerts`, the outbox).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from fnmatch import fnmatchcase

from lifesign.core.model import Instant
from lifesign.core.suspicion import GROUP_WAIT_NS, PARENT_WAIT_NS
from lifesign.core.tracked import BLINDED, BLINDED_BY_START
from lifesign.records import dataclass

STILL_DOWN = "the silence or hold is over, and it is still down"
_FIGURE = re.compile(r"(?:\d[\d.,]* ?(?:ms|[smhd])?(?![A-Za-z]))+")


class Stage(StrEnum):
    """What a sink is told of an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    REMINDER = "reminder"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """When a sink hears of what. `only` and `left_out` hold component names or `tag:NAME`; `*` stands for any text."""

    name: str
    notify_after_ns: int = 0
    remind_every_ns: int | None = None
    min_update_ns: int = 300_000_000_000
    only: tuple[str, ...] = ("*",)
    left_out: tuple[str, ...] = ()

    def wants(self, component: str, tags: Iterable[str]) -> bool:
        """Whether it hears of `component` at all."""
        names = [component, *(f"tag:{tag}" for tag in tags)]
        return _match(self.only, names) and not _match(self.left_out, names)


def _match(patterns: Iterable[str], names: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a component stands that has an incident. `spokesman`: which one speaks for a common cause, "" without one.

    `suspected_parent`: a dependency that may be about to go down; `gathering`: those that have just gone down may yet
    have a common cause. Both keep the first word back for a short while only (`suspicion`). `recovering`: whatever
    failed answers again, and not yet often enough: it may be over at the next look.
    """

    diagnosis: str
    suppressed_by: str | None = None
    silenced: bool = False
    held: bool = False
    acknowledged: bool = False
    spokesman: str = ""
    suspected_parent: str | None = None
    gathering: bool = False
    recovering: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """One sink on one incident. Moments are of the clock that counts a suspend, in nanoseconds."""

    sink: str
    component: str
    incident: str
    opened_boot_ns: int
    told: bool = False
    told_boot_ns: int = 0
    reminded_boot_ns: int = 0
    diagnosis: str = ""
    was_quiet: bool = False

    def memory(self, now: Instant) -> "ConversationMemory":
        """What must survive of it."""
        return ConversationMemory(
            self.sink,
            self.component,
            self.incident,
            now.wall_ns,
            now.boot_ns - self.opened_boot_ns,
            self.told,
            now.boot_ns - self.told_boot_ns,
            now.boot_ns - self.reminded_boot_ns,
            self.diagnosis,
            self.was_quiet,
        )


@dataclass(frozen=True, slots=True)
class ConversationMemory:
    """A conversation as of `taken_wall_ns`, its moments as ages."""

    sink: str
    component: str
    incident: str
    taken_wall_ns: int
    opened_age_ns: int
    told: bool = False
    told_age_ns: int = 0
    reminded_age_ns: int = 0
    diagnosis: str = ""
    was_quiet: bool = False

    def recalled(self, now: Instant) -> Conversation:
        """Goes on; the time in which we were away counts."""
        then_ns = now.boot_ns - max(0, now.wall_ns - self.taken_wall_ns)
        return Conversation(
            self.sink,
            self.component,
            self.incident,
            then_ns - self.opened_age_ns,
            self.told,
            then_ns - self.told_age_ns,
            then_ns - self.reminded_age_ns,
            self.diagnosis,
            self.was_quiet,
        )


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell `conversation.sink`. `note`: what is to be said besides."""

    stage: Stage
    conversation: Conversation
    note: str = ""


class Alerting:
    """All conversations. Call it with the events of incidents as they come, and `review` it from time to time."""

    def __init__(self, sinks: Iterable[SinkSpec]) -> None:
        self._sinks = {sink.name: sink for sink in sinks}
        self._open: dict[tuple[str, str], Conversation] = {}

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to review."""
        return not self._open

    def conversations(self) -> tuple[Conversation, ...]:
        """Those that are not over."""
        return tuple(self._open.values())

    def recall(self, memories: Iterable[ConversationMemory], now: Instant) -> None:
        """Goes on with those whose sink is still there."""
        for memory in memories:
            if memory.sink in self._sinks:
                self._open[memory.sink, memory.component] = memory.recalled(now)

    def next_boot_ns(self, after_boot_ns: int) -> int | None:
        """The first moment after that one at which a review may tell something by time alone; None for none."""
        moments = [moment for c in self._open.values() for moment in self._moments(c)]
        return min((moment for moment in moments if moment > after_boot_ns), default=None)

    def _moments(self, conversation: Conversation) -> tuple[int, ...]:
        sink = self._sinks[conversation.sink]
        if not conversation.told:
            waits_ns = (sink.notify_after_ns, GROUP_WAIT_NS, PARENT_WAIT_NS)
            return tuple(conversation.opened_boot_ns + wait_ns for wait_ns in waits_ns)
        updated_ns = conversation.told_boot_ns + sink.min_update_ns
        if sink.remind_every_ns is None:
            return (updated_ns,)
        return (updated_ns, conversation.reminded_boot_ns + sink.remind_every_ns)

    def down(self, component: str, tags: Iterable[str], incident: str, now: Instant) -> tuple[Notify, ...]:
        """An incident has opened, or is found open after a start or reload. One already known changes nothing.

        But a sink that does not want to hear of it any more, and has not yet, never does.
        """
        ended: list[Notify] = []
        labels = tuple(tags)
        for sink in self._sinks.values():
            known, wanted = self._open.get((sink.name, component)), sink.wants(component, labels)
            if known is not None and known.incident == incident and (known.told or wanted):
                continue
            if known is not None:  # its end was lost with us, or nobody is to hear of it
                ended += self._end(known)
            if wanted:
                self._open[sink.name, component] = Conversation(sink.name, component, incident, now.boot_ns)
        return tuple(ended)

    def insist(self, component: str, here: Circumstances, note: str, now: Instant) -> tuple[Notify, ...]:
        """Something that must not wait for `min_update`: whoever was told hears of it at once, but for a silence."""
        if _is_quiet(here):
            return ()
        told = []
        for key, conversation in self._open.items():
            if key[1] == component and conversation.told:
                self._open[key] = _told(conversation, here, now)
                told.append(Notify(Stage.UPDATED, self._open[key], note))
        return tuple(told)

    def recovered(self, component: str) -> tuple[Notify, ...]:
        """The incident of `component` is over: whoever was told of it is told so."""
        known = [conversation for key, conversation in self._open.items() if key[1] == component]
        return tuple(notify for conversation in known for notify in self._end(conversation))

    def _end(self, conversation: Conversation) -> Iterator[Notify]:
        del self._open[conversation.sink, conversation.component]
        if conversation.told:
            yield Notify(Stage.RECOVERED, conversation)

    def review(self, circumstances: Callable[[str], Circumstances], now: Instant) -> tuple[Notify, ...]:
        """What is to be told now."""
        notifies = []
        for key, conversation in list(self._open.items()):
            sink, here = self._sinks[conversation.sink], circumstances(conversation.component)
            stages = _continued if conversation.told else _begun
            self._open[key], notify = stages(conversation, sink, here, now)
            if notify is not None:
                notifies.append(notify)
        return tuple(notifies)


def _is_quiet(here: Circumstances) -> bool:
    return here.silenced or here.held


def _begun(
    conversation: Conversation, sink: SinkSpec, here: Circumstances, now: Instant
) -> tuple[Conversation, Notify | None]:
    """The stages before the first word: dependency, common cause, silence and hold, patience, suspicion."""
    if here.suppressed_by is not None or here.spokesman not in ("", conversation.component):
        return conversation, None
    if _is_quiet(here):
        return conversation if conversation.was_quiet else replace(conversation, was_quiet=True), None
    waited_ns = now.boot_ns - conversation.opened_boot_ns
    if waited_ns < sink.notify_after_ns or _is_premature(here, waited_ns):
        return conversation, None
    note = STILL_DOWN if conversation.was_quiet else ""
    told = _told(conversation, here, now)
    return told, Notify(Stage.OPENED, told, note)


def _is_premature(here: Circumstances, waited_ns: int) -> bool:
    """Whether it may soon be known that another one is to be told of instead."""
    if here.recovering or (here.gathering and not here.spokesman and waited_ns < GROUP_WAIT_NS):
        return True
    return here.suspected_parent is not None and waited_ns < PARENT_WAIT_NS


def _continued(
    conversation: Conversation, sink: SinkSpec, here: Circumstances, now: Instant
) -> tuple[Conversation, Notify | None]:
    """The stages after it: silence and hold, and their end (S9); dependency, reminder, update."""
    if _is_quiet(here):
        return replace(conversation, was_quiet=True), None
    if conversation.was_quiet:
        told = _told(conversation, here, now)
        return told, Notify(Stage.REMINDER, told, STILL_DOWN)
    if here.suppressed_by is not None:
        return conversation, None
    rested_ns = now.boot_ns - conversation.reminded_boot_ns
    if sink.remind_every_ns is not None and rested_ns >= sink.remind_every_ns and not here.acknowledged:
        told = _told(conversation, here, now)
        return told, Notify(Stage.REMINDER, told)
    same = _gist(here.diagnosis) == _gist(conversation.diagnosis)
    if same or here.recovering or now.boot_ns - conversation.told_boot_ns < sink.min_update_ns:
        return conversation, None
    updated = replace(conversation, told_boot_ns=now.boot_ns, diagnosis=here.diagnosis)
    return updated, Notify(Stage.UPDATED, updated)


def _gist(diagnosis: str) -> str:
    """What it says without its running figures and our own stalls and starts: they are no news of the component."""
    return _FIGURE.sub("#", diagnosis.replace(BLINDED, "").replace(BLINDED_BY_START, ""))


def _told(conversation: Conversation, here: Circumstances, now: Instant) -> Conversation:
    return replace(
        conversation,
        told=True,
        told_boot_ns=now.boot_ns,
        reminded_boot_ns=now.boot_ns,
        diagnosis=here.diagnosis,
        was_quiet=False,
    )
