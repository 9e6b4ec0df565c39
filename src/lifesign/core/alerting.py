"""Alerting: who is to hear of which incident, what, and when. A row of small stages, pure as the rest of the core.

Theory of operation. Each sink holds one conversation about each incident it wants to hear of. It begins untold. It is
opened once nothing keeps it back: its time has come (`notify_after`), no dependency is down or may be about to be,
another component does not speak for the same cause nor may come to, and neither silence nor hold lies upon it. Of those
that went down by one cause the first by name that may speak speaks for all of them, to each sink one that it wants. An
opened one is updated when the diagnosis changes in more than its running figures or the cause takes another, at most
once in `min_update`, and repeated every `remind_every` unless somebody has acknowledged the incident; the end of a
silence or hold is told too.
What was told is resolved, whatever lies upon it (S9); what was never told ends without a word. Not here: what an alert
says, how it is sent, and that it arrives (`alerts`, the outbox).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from lifesign.core.conversation import Conversation, ConversationMemory, Notify, OpenConversations, Stage
from lifesign.core.model import Instant
from lifesign.core.suspicion import GROUP_WAIT_NS, PARENT_WAIT_NS
from lifesign.core.tracked import BLINDED, BLINDED_BY_START
from lifesign.records import dataclass

STILL_DOWN = "the silence or hold is over, and it is still down"
_FIGURE = re.compile(r"(?:\d[\d.,]* ?(?:ms|[smhd])?(?![A-Za-z]))+")


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
    """How a component stands that has an incident.

    `suspected_parent`: a dependency that may be about to go down; `gathering`: those that have just gone down may yet
    have a common cause, or others may join in theirs. Both keep the first word back for a short while only
    (`suspicion`). `recovering`: whatever failed answers again, and not yet often enough, or another has just
    recovered that went down by the same cause: it may be over at the next look.
    """

    diagnosis: str
    suppressed_by: str | None = None
    silenced: bool = False
    held: bool = False
    acknowledged: bool = False
    suspected_parent: str | None = None
    gathering: bool = False
    recovering: bool = False


class Alerting:
    """All conversations. Call it with the events of incidents as they come, and `review` it from time to time."""

    def __init__(self, sinks: Iterable[SinkSpec]) -> None:
        self._sinks = {sink.name: sink for sink in sinks}
        self._open = OpenConversations()
        self._together: set[str] = set()
        self._gathers_until_boot_ns = 0
        self._names: dict[str, tuple[str, ...]] = {}  # of those that a sink wants, in order, once they are needed

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to review."""
        return not self._open

    def conversations(self) -> tuple[Conversation, ...]:
        """Those that are not over."""
        return tuple(self._open.values())

    def touched(self) -> dict[tuple[str, str], Conversation | None]:
        """What has changed since this was asked last, by sink and component; None: that one is over."""
        touched, self._open.touched = self._open.touched, set()
        return {key: self._open.get(key) for key in sorted(touched)}

    def recall(self, memories: Iterable[ConversationMemory], now: Instant) -> None:
        """Goes on with those whose sink is still there."""
        for memory in memories:
            if memory.sink in self._sinks:
                self._open[memory.sink, memory.component] = memory.recalled(now)

    def gather_until(self, boot_ns: int) -> None:
        """Who may have a common cause waits for it till then, however long ago it went down: we begin anew."""
        self._gathers_until_boot_ns = boot_ns

    def share(self, names: Collection[str]) -> None:
        """These, and no others, have gone down by one cause that is not over."""
        self._together, self._names = set(names), {}
        for key, conversation in self._open.items():
            if conversation.shared is not (key[1] in self._together):
                self._open[key] = replace(conversation, shared=not conversation.shared)

    def join(self, name: str) -> None:
        """So will another: tell it before its `down`."""
        self._together.add(name)
        self._names = {}

    def _whom_it_took(self, sink: str) -> tuple[str, ...]:
        """Of those that this sink is to hear of: it is told no other name."""
        if sink not in self._names:
            self._names[sink] = tuple(sorted(name for name in self._together if (sink, name) in self._open))
        return self._names[sink]

    def next_boot_ns(self, after_boot_ns: int) -> int | None:
        """The first moment after that one at which a review may tell something by time alone; None for none."""
        moments = [moment for c in self._open.values() for moment in self._moments(c)]
        return min((moment for moment in moments if moment > after_boot_ns), default=None)

    def _moments(self, conversation: Conversation) -> tuple[int, ...]:
        sink = self._sinks[conversation.sink]
        if not conversation.told:
            waits_ns = (sink.notify_after_ns, GROUP_WAIT_NS, PARENT_WAIT_NS)
            return (self._gathers_until_boot_ns, *(conversation.opened_boot_ns + wait_ns for wait_ns in waits_ns))
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
                begun = Conversation(sink.name, component, incident, now.boot_ns, shared=component in self._together)
                self._open[sink.name, component] = begun
                self._names = {}
        return tuple(ended)

    def insist(self, component: str, here: Circumstances, note: str, now: Instant) -> tuple[Notify, ...]:
        """Something that must not wait for `min_update`: whoever was told hears of it at once, but for a silence."""
        if _is_quiet(here):
            return ()
        told = []
        for conversation in self._about(component):
            if conversation.told:
                key = conversation.sink, component
                self._open[key] = self._for_all(_told(conversation, here, now))
                told.append(Notify(Stage.UPDATED, self._open[key], note))
        return tuple(told)

    def recovered(self, component: str) -> tuple[Notify, ...]:
        """The incident of `component` is over: whoever was told of it is told so."""
        return tuple(notify for conversation in self._about(component) for notify in self._end(conversation))

    def _about(self, component: str) -> list[Conversation]:
        found = (self._open.get((sink, component)) for sink in self._sinks)
        return [conversation for conversation in found if conversation is not None]

    def is_told(self, component: str) -> bool:
        """Whether any sink has been told of its incident."""
        return any(conversation.told for conversation in self._about(component))

    def _end(self, conversation: Conversation) -> Iterator[Notify]:
        del self._open[conversation.sink, conversation.component]
        if conversation.told:
            yield Notify(Stage.RECOVERED, conversation)

    def review(self, circumstances: Callable[[str], Circumstances], now: Instant) -> tuple[Notify, ...]:
        """What is to be told now."""
        notifies = []
        speaking = {c.sink for c in self._open.values() if c.shared and c.speaks_for}
        for key in self._in_turn(speaking):
            conversation = self._open[key]
            if _may_speak_for_all(conversation) and conversation.sink in speaking:
                continue
            sink, here = self._sinks[conversation.sink], circumstances(conversation.component)
            if now.boot_ns >= max(conversation.opened_boot_ns + GROUP_WAIT_NS, self._gathers_until_boot_ns):
                here = replace(here, gathering=False)
            if conversation.told:
                self._open[key], notify = _continued(conversation, sink, here, now, grows=self._grows(conversation))
            else:
                self._open[key], notify = _begun(conversation, sink, here, now)
            if notify is not None:
                self._open[key] = self._for_all(self._open[key], begins=not conversation.told)
                notifies.append(replace(notify, conversation=self._open[key]))
                speaking |= {sink.name} if self._open[key].speaks_for else set()
        return tuple(notifies)

    def _in_turn(self, speaking: Collection[str]) -> list[tuple[str, str]]:
        """As they began; but where nobody speaks yet for a common cause, the first by name may be the first to."""

        def turn(key: tuple[str, str]) -> str:
            return key[1] if key[0] not in speaking and _may_speak_for_all(self._open[key]) else ""

        return sorted(self._open, key=turn)

    def _grows(self, conversation: Conversation) -> bool:
        """Whether others went down by the same cause since it spoke for all."""
        known = conversation.speaks_for
        if not conversation.shared or not known or known is (took := self._whom_it_took(conversation.sink)):
            return False
        return not set(took).issubset(known)

    def _for_all(self, told: Conversation, *, begins: bool = False) -> Conversation:
        """With whom it speaks for, if it does."""
        if not told.shared or not (begins or told.speaks_for):
            return told
        return replace(told, speaks_for=self._whom_it_took(told.sink))


def _may_speak_for_all(conversation: Conversation) -> bool:
    return conversation.shared and not conversation.told


def _is_quiet(here: Circumstances) -> bool:
    return here.silenced or here.held


def _begun(
    conversation: Conversation, sink: SinkSpec, here: Circumstances, now: Instant
) -> tuple[Conversation, Notify | None]:
    """The stages before the first word: dependency, silence and hold, patience, suspicion."""
    if here.suppressed_by is not None:
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
    if here.recovering or here.gathering:
        return True
    return here.suspected_parent is not None and waited_ns < PARENT_WAIT_NS


def _continued(
    conversation: Conversation, sink: SinkSpec, here: Circumstances, now: Instant, *, grows: bool
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
    same = not grows and _gist(here.diagnosis) == _gist(conversation.diagnosis)
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
        diagnosis=conversation.diagnosis if here.recovering and conversation.told else here.diagnosis,
        was_quiet=False,
    )
