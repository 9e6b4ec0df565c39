"""Events: what happened, as data. The names and levels are the public contract's (section 8)."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from lifesign.core.model import CheckState, ComponentState, JsonValue
from lifesign.records import dataclass


class EventName(StrEnum):
    """Every name that may stand in the log and the history."""

    MONITOR_STARTED = "monitor.started"
    MONITOR_STOPPED = "monitor.stopped"
    MONITOR_STALLED = "monitor.stalled"
    CLOCK_JUMPED = "clock.jumped"
    OBSERVER_SUSPECT = "observer.suspect"
    OBSERVER_OK = "observer.ok"
    CONFIG_RELOADED = "config.reloaded"
    CONFIG_REJECTED = "config.rejected"
    CHECK_FAILING = "check.failing"
    CHECK_FAILED = "check.failed"
    CHECK_PASSED = "check.passed"
    CHECK_UNKNOWN = "check.unknown"
    COMPONENT_DEGRADED = "component.degraded"
    COMPONENT_DOWN = "component.down"
    COMPONENT_UNKNOWN = "component.unknown"
    COMPONENT_RECOVERED = "component.recovered"
    COMPONENT_HEALTHY = "component.healthy"
    COMPONENT_FLAPPING = "component.flapping"
    PROCESS_REPLACED = "process.replaced"
    PROCESS_CRASH_LOOP = "process.crash_loop"
    RESTART_SENT = "restart.sent"
    RESTART_PRODUCTIVE = "restart.productive"
    RESTART_UNPRODUCTIVE = "restart.unproductive"
    RESTART_WITHHELD = "restart.withheld"
    RESTART_EXHAUSTED = "restart.exhausted"
    ALERT_SENT = "alert.sent"
    ALERT_FAILED = "alert.failed"
    SILENCE_ADDED = "silence.added"
    SILENCE_ENDED = "silence.ended"
    HOLD_ADDED = "hold.added"
    HOLD_ENDED = "hold.ended"
    ACK_ADDED = "ack.added"
    OPERATOR_ACTION = "operator.action"


class Level(StrEnum):
    """How loud an event is, in the words of Python's logging."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


_LEVELS: Mapping[EventName, Level] = {
    EventName.MONITOR_STALLED: Level.WARNING,
    EventName.CLOCK_JUMPED: Level.WARNING,
    EventName.OBSERVER_SUSPECT: Level.WARNING,
    EventName.CONFIG_REJECTED: Level.ERROR,
    EventName.CHECK_FAILING: Level.WARNING,
    EventName.CHECK_FAILED: Level.WARNING,
    EventName.CHECK_UNKNOWN: Level.WARNING,
    EventName.COMPONENT_DEGRADED: Level.WARNING,
    EventName.COMPONENT_DOWN: Level.ERROR,
    EventName.COMPONENT_UNKNOWN: Level.WARNING,
    EventName.COMPONENT_FLAPPING: Level.WARNING,
    EventName.PROCESS_REPLACED: Level.WARNING,
    EventName.PROCESS_CRASH_LOOP: Level.ERROR,
    EventName.RESTART_SENT: Level.ERROR,
    EventName.RESTART_UNPRODUCTIVE: Level.ERROR,
    EventName.RESTART_WITHHELD: Level.ERROR,
    EventName.RESTART_EXHAUSTED: Level.ERROR,
    EventName.ALERT_FAILED: Level.WARNING,
}


OF_CHECK: Mapping[CheckState, EventName] = {
    CheckState.FAILING: EventName.CHECK_FAILING,
    CheckState.FAILED: EventName.CHECK_FAILED,
    CheckState.UNKNOWN: EventName.CHECK_UNKNOWN,
    CheckState.PASSING: EventName.CHECK_PASSED,
}
"""What tells that a check has turned to a state; of the others nothing does."""

OF_COMPONENT: Mapping[ComponentState, EventName] = {
    ComponentState.DEGRADED: EventName.COMPONENT_DEGRADED,
    ComponentState.UNKNOWN: EventName.COMPONENT_UNKNOWN,
    ComponentState.HEALTHY: EventName.COMPONENT_HEALTHY,
}
"""Likewise of a component; that one is down its incident tells."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `at_wall_ns`: nanoseconds since the epoch, UTC."""

    name: EventName
    at_wall_ns: int
    component: str | None = None
    check: str | None = None
    incident: str | None = None
    message: str = ""
    data: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """The contract's level for this name; INFO where it sets none."""
        return _LEVELS.get(self.name, Level.INFO)
