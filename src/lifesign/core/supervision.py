"""Supervision: what operators ask for is carried out or refused, and what they laid upon components ends in time.

Every command leaves one event with its author and reason. Not here: looking, states, and restarts (`governing`).
"""

from collections.abc import Iterable, Mapping
from typing import assert_never

from lifesign.core.commands import (
    Acknowledge,
    Hold,
    NotPossibleError,
    OperatorCommand,
    Pause,
    Rearm,
    Release,
    RestartNow,
    Resume,
    Silence,
    Unsilence,
)
from lifesign.core.effects import Effect, Record
from lifesign.core.events import Event, EventName
from lifesign.core.governing import Governing
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import NS_PER_S, Instant, JsonValue
from lifesign.core.operations import Notice
from lifesign.text import format_duration

_ACTIONS: Mapping[type[OperatorCommand], str] = {
    Pause: "pause",
    Resume: "resume",
    Rearm: "rearm",
    RestartNow: "restart",
}


class Supervision:
    """Over the components of one monitor. Raises KeyError for a name that does not exist."""

    def __init__(self, components: Mapping[str, TrackedComponent], governing: Governing) -> None:
        self._components = components
        self._governing = governing
        self._ends_boot_ns: int | None = None
        self._plan_ends()

    def command(self, command: OperatorCommand, now: Instant) -> list[Effect]:
        """Carries out what an operator asks for. NotPossibleError: it cannot be done now."""
        match command:
            case Silence():
                event = self._silence(command, now)
            case Unsilence():
                event = self._unsilence(command, now)
            case Hold():
                event = self._hold(command, now)
            case Release():
                event = self._release(command, now)
            case Acknowledge():
                event = self._acknowledge(command, now)
            case Pause():
                event = self._pause(command, now)
            case Resume():
                event = self._resume(command, now)
            case Rearm():
                left = self._governing.rearm(self._components[command.component], now)
                event = self._acted(command, f"re-armed its restarts, {left}", now)
            case RestartNow():
                component = self._components[command.component]
                deeds = self._governing.order(component, command.author, command.reason, now)
                return [Record(self._acted(command, "asked for a restart", now)), *deeds]
            case _:
                assert_never(command)
        self._plan_ends()
        return [Record(event)]

    def _silence(self, command: Silence, now: Instant) -> Event:
        component = self._components[command.component]
        component.operations.silence = Notice.begun(command.author, command.reason, now, command.duration_ns)
        component.operations.revision += 1
        return _told(EventName.SILENCE_ADDED, now, component, command, "silenced it")

    def _unsilence(self, command: Unsilence, now: Instant) -> Event:
        component = self._components[command.component]
        if component.operations.silence is None:
            raise NotPossibleError(f"{command.component} is not silenced")
        component.operations.silence = None
        component.operations.revision += 1
        return _told(EventName.SILENCE_ENDED, now, component, command, "ended the silence")

    def _hold(self, command: Hold, now: Instant) -> Event:
        notice = Notice.begun(command.author, command.reason, now, command.duration_ns)
        for component in self._chosen(command.component):
            held = component.operations.hold
            if command.component is None and held is not None and not held.ends_before(notice):
                continue  # a hold of its own that lasts longer is somebody's investigation
            component.operations.hold = notice
            component.operations.revision += 1
        one = self._components[command.component] if command.component is not None else None
        return _told(EventName.HOLD_ADDED, now, one, command, "holds it" if one else "holds everything")

    def _release(self, command: Release, now: Instant) -> Event:
        held = [component for component in self._chosen(command.component) if component.operations.hold is not None]
        if not held:
            raise NotPossibleError(f"{command.component or 'nothing'} is {'not ' if command.component else ''}held")
        for component in held:
            component.operations.hold = None
            component.operations.revision += 1
        one = held[0] if command.component is not None else None
        return _told(EventName.HOLD_ENDED, now, one, command, "released it" if one else "released everything")

    def _acknowledge(self, command: Acknowledge, now: Instant) -> Event:
        component = self._components[command.component]
        if component.incident is None:
            raise NotPossibleError(f"{command.component} has no open incident")
        component.operations.acknowledged = Notice.begun(command.author, command.reason, now)
        component.operations.revision += 1
        return _told(EventName.ACK_ADDED, now, component, command, "acknowledged the incident")

    def _pause(self, command: Pause, now: Instant) -> Event:
        component = self._components[command.component]
        if component.operations.paused is not None:
            raise NotPossibleError(f"{command.component} is paused already")
        component.pause(Notice.begun(command.author, command.reason, now), now)
        return _told(EventName.OPERATOR_ACTION, now, component, command, "paused its checks")

    def _resume(self, command: Resume, now: Instant) -> Event:
        component = self._components[command.component]
        if component.operations.paused is None:
            raise NotPossibleError(f"{command.component} is not paused")
        component.resume(now)
        return _told(EventName.OPERATOR_ACTION, now, component, command, "resumed its checks")

    def _acted(self, command: Rearm | RestartNow, deed: str, now: Instant) -> Event:
        return _told(EventName.OPERATOR_ACTION, now, self._components[command.component], command, deed)

    def _chosen(self, name: str | None) -> Iterable[TrackedComponent]:
        return self._components.values() if name is None else [self._components[name]]

    def advance(self, now: Instant) -> list[Effect]:
        """Lets time pass: ends what is over. A hold that was laid upon everything ends with one event."""
        if self._ends_boot_ns is None or now.boot_ns < self._ends_boot_ns:
            return []
        events: list[Event] = []
        holds: dict[int, list[TrackedComponent]] = {}
        for component in self._components.values():
            laid = component.operations
            if laid.silence is not None and laid.silence.has_ended(now):
                events.append(_ended(EventName.SILENCE_ENDED, now, component, laid.silence))
                laid.silence = None
                laid.revision += 1
                component.revision += 1
            if laid.hold is not None and laid.hold.has_ended(now):
                holds.setdefault(laid.hold.since_wall_ns, []).append(component)
        for held in holds.values():
            notice = held[0].operations.hold
            assert notice is not None
            events.append(_ended(EventName.HOLD_ENDED, now, held[0] if len(held) == 1 else None, notice))
            for component in held:
                component.operations.hold = None
                component.operations.revision += 1
                component.revision += 1
        self._plan_ends()
        return [Record(event) for event in events]

    def next_ns(self, now: Instant) -> int | None:
        """When `advance` is due by itself, on the monotonic clock."""
        return None if self._ends_boot_ns is None else now.mono_ns + max(0, self._ends_boot_ns - now.boot_ns)

    def _plan_ends(self) -> None:
        ends = [component.operations.next_end_boot_ns() for component in self._components.values()]
        self._ends_boot_ns = min((end for end in ends if end is not None), default=None)


def end_what_is_over(component: TrackedComponent, now: Instant) -> list[Event]:
    """The ends of a silence and a hold of one component, for a run of one round."""
    laid, events = component.operations, []
    if laid.silence is not None and laid.silence.has_ended(now):
        events.append(_ended(EventName.SILENCE_ENDED, now, component, laid.silence))
        laid.silence = None
    if laid.hold is not None and laid.hold.has_ended(now):
        events.append(_ended(EventName.HOLD_ENDED, now, component, laid.hold))
        laid.hold = None
    return events


def _told(
    name: EventName, now: Instant, component: TrackedComponent | None, command: OperatorCommand, deed: str
) -> Event:
    """`root silenced it for 1 h: vendor outage`."""
    reason, duration_ns = getattr(command, "reason", ""), getattr(command, "duration_ns", None)
    data: dict[str, JsonValue] = {"author": command.author}
    if name is EventName.OPERATOR_ACTION:
        data["action"] = _ACTIONS[type(command)]
    words = f"{command.author} {deed}"
    if duration_ns is not None:
        data["duration_s"] = round(duration_ns / NS_PER_S, 3)
        words += f" for {format_duration(duration_ns / NS_PER_S)}"
    if reason:
        data["reason"] = reason
        words += f": {reason}"
    return _event(name, now, component, words, data)


def _ended(name: EventName, now: Instant, component: TrackedComponent | None, notice: Notice) -> Event:
    what = "the silence" if name is EventName.SILENCE_ENDED else "the hold"
    words = f"{what} of {notice.author} is over"
    return _event(name, now, component, words, {"author": notice.author, "reason": notice.reason})


def _event(
    name: EventName, now: Instant, component: TrackedComponent | None, words: str, data: dict[str, JsonValue]
) -> Event:
    incident = component.incident.id if component is not None and component.incident is not None else None
    return Event(
        name, now.wall_ns, component.spec.name if component else None, incident=incident, message=words, data=data
    )
