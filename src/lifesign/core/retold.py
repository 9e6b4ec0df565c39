"""What was told of one component until a moment, event by event: of its state, its checks, what operators laid upon it.

Not here: what of it still held at that moment (`hindsight`).
"""

from collections.abc import Iterable

from lifesign.core.events import OF_CHECK, OF_COMPONENT, Event, EventName
from lifesign.core.model import CheckState, ComponentState
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """What was told of a check last."""

    state: CheckState | None = None
    told_ns: int = 0
    message: str = ""


_TOLD_OF_CHECK = {name: state for state, name in OF_CHECK.items()}
_TOLD_OF_COMPONENT = {name: state for state, name in OF_COMPONENT.items()} | {
    EventName.COMPONENT_DOWN: ComponentState.DOWN,
}
_ADDED = {EventName.SILENCE_ADDED: "silence", EventName.HOLD_ADDED: "hold", EventName.ACK_ADDED: "ack"}
_ENDED = {EventName.SILENCE_ENDED: "silence", EventName.HOLD_ENDED: "hold", EventName.COMPONENT_RECOVERED: "ack"}
_WHILE_OPEN = ("check.", "component.", "silence.", "hold.", "ack.")  # alerts and restarts name one that has ended
_RENEWED = (EventName.RESTART_SENT, EventName.PROCESS_REPLACED)


class Told:
    """Hears events in their order. `checks`: those that are known by now, by name.

    `begun_ns`: since when every check may have begun anew, so that what was told of it before proves nothing.
    `renewed_ns`: since when there may be another process, which means the same for a check that its signal judges.
    """

    def __init__(self, checks: Iterable[str]) -> None:
        self.checks = {name: Held() for name in checks}
        self.state: ComponentState | None = None
        self.state_ns = 0
        self.words = ""
        self.incident: str | None = None
        self.opened_ns: int | None = None
        self.restart = ""
        self.notices: dict[str, str] = {}
        self.begun_ns = 0
        self.renewed_ns = 0

    def hear(self, event: Event) -> None:
        """The next event."""
        if event.name in _TOLD_OF_CHECK:
            self.checks[event.check or ""] = Held(_TOLD_OF_CHECK[event.name], event.at_wall_ns, event.message)
        elif event.name.startswith("component."):
            self._hear_state(event)
        elif event.name is EventName.OPERATOR_ACTION:
            self._operated(event)
        elif event.name.startswith(("monitor.", "config.")):
            self._hear_monitor(event)
        if self.incident is None and event.name.startswith(_WHILE_OPEN) and event.name not in _ENDED:
            self.incident = event.incident  # if it is open, its beginning is no longer told
        if event.name in _ADDED:
            self.notices[_ADDED[event.name]] = event.message
        if event.name in _ENDED:
            self.notices.pop(_ENDED[event.name], None)
        if event.name in _RENEWED:
            self.renewed_ns = event.at_wall_ns
        if event.name.startswith("restart."):
            self.restart = event.message

    def _hear_state(self, event: Event) -> None:
        at_ns = event.at_wall_ns
        if event.name in _TOLD_OF_COMPONENT:
            self.state, self.state_ns, self.words = _TOLD_OF_COMPONENT[event.name], at_ns, event.message
        match event.name:
            case EventName.COMPONENT_HEALTHY:
                self._all_are(CheckState.PASSING, at_ns)
            case EventName.COMPONENT_DOWN:
                self.incident, self.opened_ns, self.restart = event.incident, at_ns, ""
            case EventName.COMPONENT_RECOVERED:
                self.incident, self.opened_ns, self.restart = None, None, ""
            case _:
                pass

    def _hear_monitor(self, event: Event) -> None:
        if event.name is EventName.CONFIG_RELOADED:
            self.begun_ns = event.at_wall_ns
        elif event.name is EventName.MONITOR_STARTED and "away_s" not in event.data:  # it knew nothing of before
            self._all_are(None, 0)
            self.state, self.incident, self.opened_ns, self.restart = None, None, None, ""
            self.notices.clear()

    def _operated(self, event: Event) -> None:
        action, at_ns = event.data.get("action"), event.at_wall_ns
        if action == "pause":
            self.state, self.state_ns, self.words = ComponentState.PAUSED, at_ns, event.message
            self._all_are(CheckState.UNKNOWN, at_ns)
        elif action == "resume":
            self.state, self.begun_ns = None, at_ns
            self._all_are(None, at_ns)

    def _all_are(self, state: CheckState | None, at_ns: int) -> None:
        self.checks = dict.fromkeys(self.checks, Held(state, at_ns))
