"""The chronicle: from the events that were told to the time that each component and layer spent up, down or unseen.

Theory of operation. Each component has a timeline, and one for each of its layers. A timeline stands somewhere since a
moment; a turn closes a span and begins the next. What was told last holds until something else is told, and only
while somebody watches: from `monitor.stopped` to `monitor.started`, and while the monitor did not run, nobody does. A
monitor that was killed tells no end; its next start tells for how long it was away. A step of the wall clock
closes every span by the old clock and goes on by the new one, so that no span is longer than the time that passed.

An incident is down from its opening to its recovery, whatever is told between. Not here: windows and means (`uptime`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import StrEnum

from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, ComponentState, JsonValue, Layer
from lifesign.records import dataclass


class Standing(StrEnum):
    """What a moment of a timeline counts as."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"  # somebody looked, and could not find out
    PAUSED = "paused"
    UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_ns` to `end_ns`, Unix nanoseconds."""

    start_ns: int
    end_ns: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Deed:
    """Something of which a mean is made: when it was told, and the seconds that it took (None: nobody knows)."""

    at_ns: int
    took_s: float | None


@dataclass(frozen=True, slots=True)
class Story:
    """What one component went through. `layers`: only those that it has checks of."""

    spans: tuple[Span, ...]
    layers: Mapping[Layer, tuple[Span, ...]]
    downs: tuple[Deed, ...]
    recoveries: tuple[Deed, ...]
    restarts: tuple[Deed, ...]
    productive: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the events: the layer of each check, and the state that holds now, since when."""

    layers: Mapping[str, Layer] = field(default_factory=dict)
    state: ComponentState | None = None
    since_ns: int = 0


class _Timeline:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.standing = Standing.UNWATCHED
        self._since_ns: int | None = None

    def turn(self, at_ns: int, standing: Standing) -> None:
        if standing is self.standing:
            return
        self.close(at_ns)
        self.standing, self._since_ns = standing, at_ns

    def close(self, at_ns: int) -> None:
        """Ends the span that is open; the next one begins there."""
        if self._since_ns is not None and self._since_ns < at_ns and self.standing is not Standing.UNWATCHED:
            self.spans.append(Span(self._since_ns, at_ns, self.standing))
        self._since_ns = at_ns

    def jump(self, by_ns: int, to_ns: int) -> None:
        """The clock was stepped by `by_ns`, to `to_ns`."""
        self.close(to_ns - by_ns)
        self._since_ns = to_ns

    def blank(self, from_ns: int, to_ns: int) -> None:
        """Nobody watched between the two; what stood then stands again."""
        self.close(min(from_ns, to_ns))
        self._since_ns = to_ns


class _Subject:
    """One component: where it stands by what was told of it, and its timelines."""

    def __init__(self, known: Known) -> None:
        self._layer_of = known.layers
        self.whole = _Timeline()
        self.layers = {layer: _Timeline() for layer in Layer if layer in known.layers.values()}
        self._told = Standing.UNWATCHED
        self._in_incident = False
        self._checks: dict[str, Standing] = {}
        self.downs: list[Deed] = []
        self.recoveries: list[Deed] = []
        self.restarts: list[Deed] = []
        self.productive: list[Deed] = []

    @property
    def timelines(self) -> list[_Timeline]:
        return [self.whole, *self.layers.values()]

    def hold(self, state: ComponentState, since_ns: int) -> None:
        """It is in that state since that moment, though no event that is left tells so."""
        if state is not ComponentState.STARTING:
            self._told = _STANDING_OF_STATE[state]
            self.stand(since_ns)

    def hear(self, event: Event) -> None:
        at_ns = event.at_wall_ns
        if event.name in _STANDING_OF_EVENT:
            self._told = _STANDING_OF_EVENT[event.name]
        match event.name:
            case EventName.COMPONENT_DOWN:
                self._in_incident = True
                self.downs.append(Deed(at_ns, _number(event.data.get("detected_after_s"))))
            case EventName.COMPONENT_RECOVERED:
                self._in_incident = False
                self._checks = {name: held for name, held in self._checks.items() if held is not Standing.DOWN}
                self.recoveries.append(Deed(at_ns, _number(event.data.get("down_s"))))
            case EventName.COMPONENT_HEALTHY:
                self._checks.clear()
            case EventName.CHECK_FAILED | EventName.CHECK_UNKNOWN | EventName.CHECK_PASSED:
                self._checks[event.check or ""] = _STANDING_OF_CHECK[event.name]
            case EventName.RESTART_SENT:
                self.restarts.append(Deed(at_ns, None))
            case EventName.RESTART_PRODUCTIVE:
                self.productive.append(Deed(at_ns, _number(event.data.get("work_after_s"))))
            case EventName.OPERATOR_ACTION:
                self._operated(event.data.get("action"))
            case _:
                pass
        self.stand(at_ns)

    def _operated(self, action: JsonValue) -> None:
        if action == "pause":
            self._told = Standing.PAUSED
        elif action == "resume":
            self._told = Standing.UNWATCHED  # until it is told how it stands
            self._checks.clear()

    def stand(self, at_ns: int) -> None:
        """Turns every timeline to what holds by now."""
        told = self._told
        whole = Standing.DOWN if self._in_incident and told is not Standing.PAUSED else told
        self.whole.turn(at_ns, whole)
        for layer, timeline in self.layers.items():
            timeline.turn(at_ns, self._of_layer(layer) if whole in _SEEN else whole)

    def _of_layer(self, layer: Layer) -> Standing:
        held = {standing for check, standing in self._checks.items() if self._layer_of.get(check) is layer}
        return next((worst for worst in (Standing.DOWN, Standing.UNKNOWN) if worst in held), Standing.UP)

    def leave(self, at_ns: int) -> None:
        """Nobody watches any more."""
        for timeline in self.timelines:
            timeline.turn(at_ns, Standing.UNWATCHED)

    def story(self, until_ns: int) -> Story:
        for timeline in self.timelines:
            timeline.close(until_ns)
        return Story(
            spans=tuple(self.whole.spans),
            layers={layer: tuple(timeline.spans) for layer, timeline in self.layers.items()},
            downs=tuple(self.downs),
            recoveries=tuple(self.recoveries),
            restarts=tuple(self.restarts),
            productive=tuple(self.productive),
        )


_SEEN = (Standing.UP, Standing.DOWN, Standing.UNKNOWN)
_STANDING_OF_EVENT = {
    EventName.COMPONENT_HEALTHY: Standing.UP,
    EventName.COMPONENT_DEGRADED: Standing.UP,
    EventName.COMPONENT_RECOVERED: Standing.UP,
    EventName.COMPONENT_UNKNOWN: Standing.UNKNOWN,
    EventName.COMPONENT_DOWN: Standing.DOWN,
}
_STANDING_OF_CHECK = {
    EventName.CHECK_FAILED: Standing.DOWN,
    EventName.CHECK_UNKNOWN: Standing.UNKNOWN,
    EventName.CHECK_PASSED: Standing.UP,
}
_STANDING_OF_STATE = {
    ComponentState.HEALTHY: Standing.UP,
    ComponentState.DEGRADED: Standing.UP,
    ComponentState.DOWN: Standing.DOWN,
    ComponentState.UNKNOWN: Standing.UNKNOWN,
    ComponentState.PAUSED: Standing.PAUSED,
}


def chronicle(events: Iterable[Event], known: Mapping[str, Known], until_ns: int) -> Mapping[str, Story]:
    """The story of each component of `known`, from events in the order in which they were told.

    `until_ns`: up to when somebody has watched, where no event tells that he stopped.
    """
    subjects = {name: _Subject(facts) for name, facts in known.items()}
    unheard = {name: _held(facts) for name, facts in known.items() if facts.state is not None}
    watched, last_ns = True, 0
    for event in events:
        name = event.component
        if event.name in _STANDING_OF_EVENT:
            unheard.pop(name or "", None)
        if event.name in _OF_THE_MONITOR:
            everyone = (*subjects.values(), *unheard.values())
            watched = _watch(event, everyone, watched=watched, last_ns=last_ns)
        elif name in subjects and event.name is not EventName.MONITOR_STOPPED:
            watched = True
            subjects[name].hear(event)
            if name in unheard:
                unheard[name].hear(event)
        last_ns = event.at_wall_ns
    return {name: unheard.get(name, subject).story(until_ns) for name, subject in subjects.items()}


def _held(facts: Known) -> _Subject:
    """As it was if no event that is left tells where it stands; they are too many to be gone through twice."""
    subject = _Subject(facts)
    if facts.state is not None:
        subject.hold(facts.state, facts.since_ns)
    return subject


_OF_THE_MONITOR = (
    EventName.MONITOR_STARTED,
    EventName.MONITOR_STOPPED,
    EventName.MONITOR_STALLED,
    EventName.CLOCK_JUMPED,
)


def _watch(event: Event, subjects: Iterable[_Subject], *, watched: bool, last_ns: int) -> bool:
    """What an event of the monitor itself makes of every timeline; whether somebody watches after it."""
    at_ns = event.at_wall_ns
    for subject in subjects:
        match event.name:
            case EventName.MONITOR_STOPPED:
                subject.leave(at_ns)
            case EventName.MONITOR_STARTED:
                if watched:  # it was killed, and told no end
                    away_s = _number(event.data.get("away_s"))
                    subject.leave(last_ns if away_s is None else max(last_ns, at_ns - round(away_s * NS_PER_S)))
                subject.stand(at_ns)
            case EventName.MONITOR_STALLED:
                stalled_ns = round((_number(event.data.get("stalled_s")) or 0.0) * NS_PER_S)
                for timeline in subject.timelines:
                    timeline.blank(at_ns - stalled_ns, at_ns)
            case EventName.CLOCK_JUMPED:
                step_ns = round((_number(event.data.get("step_s")) or 0.0) * NS_PER_S)
                for timeline in subject.timelines:
                    timeline.jump(step_ns, at_ns)
            case _:
                pass
    return event.name is not EventName.MONITOR_STOPPED


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
