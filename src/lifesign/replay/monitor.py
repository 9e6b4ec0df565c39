"""A monitor that is led through what another one saw: no look is ever due, and its clocks are the record's."""

from lifesign.core.effects import Effect
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import CheckId, Instant, ObserverState
from lifesign.core.monitor import NOTHING, Monitor
from lifesign.core.schedule import Schedule
from lifesign.core.spec import CheckSpec, MonitorSpec

NEVER_NS = 1 << 62
_SUSPECT = ObserverState.SUSPECT


class RecordedSchedule(Schedule):
    """Looks come as they were recorded: the run of an answer is when its look began."""

    __slots__ = ()

    def __init__(self, spec: CheckSpec, check: CheckId, now_ns: int) -> None:
        super().__init__(spec, check, 0, now_ns)
        self.due_ns = NEVER_NS

    def poll(self, now_ns: int) -> bool:
        """Nothing is ever due."""
        del now_ns
        return False

    def wake(self, now_ns: int) -> bool:
        """Whoever plays knows what would be found."""
        del now_ns
        return True

    def finish(self, run: int | None, now_ns: int) -> bool:
        """No other look follows."""
        del run, now_ns
        return False

    def begun(self, run: int | None, now_ns: int) -> int | None:
        """As it was recorded."""
        return now_ns if run is None else run

    def is_overdue(self, now_ns: int) -> bool:
        """No look is under way."""
        del now_ns
        return False

    def resume(self, now_ns: int) -> None:
        """Nothing becomes due."""

    def excuse(self, gap_ns: int) -> None:
        """Nothing is under way."""


class ReplayedMonitor(Monitor):
    """`gap`: the next call's reading of the clocks is compared with the last one, as it was when it was recorded.

    `changed`: what is due next, but for alarms, may be due earlier than was said.
    """

    def __init__(self, spec: MonitorSpec, now: Instant, memory: MonitorMemory | None = None) -> None:
        self.gap = False
        self.changed = True
        self._slow_ns = 0
        self.restless: frozenset[TrackedComponent] = frozenset()
        super().__init__(spec, now, memory)
        self.survey()

    @property
    def now(self) -> Instant:
        """The clocks as of the last call."""
        return self._now

    def _follow_checks(self) -> None:
        for component in self.components.values():
            for check in component.checks.values():
                if not isinstance(check.schedule, RecordedSchedule):
                    check.schedule = RecordedSchedule(check.spec, check.id, self._now.mono_ns)
        super()._follow_checks()
        for number, check in enumerate(self._checks):
            self._alarms.set(number, check.next_wake_ns(self._now.mono_ns))

    def _notice(self, now: Instant) -> tuple[tuple[Effect, ...], Instant]:
        """Between what was recorded the clocks were read in time, unless it is known that they were not."""
        if self.gap:
            self.gap, self.changed = False, True
            return super()._notice(now)
        self._now = now
        now_ns = now.mono_ns
        suspect = now_ns < self._observer.suspect_until_ns or self._common.is_suspected(now_ns)
        if suspect is (self._observer_state is _SUSPECT):
            return NOTHING, now
        self.changed = True
        return super()._notice(now)

    def survey(self) -> None:
        """Finds anew which components are restless: of these, every tick that began a look may tell something."""
        self.restless = frozenset(c for c in self.components.values() if not c.is_calm())

    def _refresh(self, component: TrackedComponent, now: Instant) -> tuple[Effect, ...]:
        self.changed = True
        effects = super()._refresh(component, now)
        if component.is_calm() is (component in self.restless):
            self.restless ^= {component}
        return effects

    def begin_look(self, check: CheckId, now: Instant) -> None:
        """The tick that comes now began a look of `check`."""
        number = self._number.get(check)
        if number is not None:
            self._alarms.set(number, now.mono_ns)

    def due_ns(self) -> int:
        """As `quiet_until`, but sooner found; at once where what was last said of the observer holds no longer."""
        if self.changed:
            self.changed = False
            self._slow_ns = self._next_but_alarms_ns()
        alarm_ns = self._alarms.next_ns()
        return self._slow_ns if alarm_ns is None or self._slow_ns < alarm_ns else alarm_ns

    def settle_alarms(self, until_ns: int) -> None:
        """Sets anew each alarm that would ring by then though it has moved later since it was set."""
        now_ns, alarms = self._now.mono_ns, self._alarms
        for number in alarms.ring(until_ns):
            alarms.set(number, self._checks[number].next_wake_ns(now_ns))

    def _next_but_alarms_ns(self) -> int:
        now_ns = self._now.mono_ns
        suspect = now_ns < self._observer.suspect_until_ns or self._common.is_suspected(now_ns)
        if suspect is not (self._observer_state is _SUSPECT):
            return now_ns
        moments = [
            self._observer.next_change_ns(now_ns),
            self._supervision.next_ns(self._now),
            self._governing.next_ns(),
        ]
        if self._common.is_suspected(now_ns):
            moments.append(self._common.until_ns)
        return min((moment for moment in moments if moment is not None), default=NEVER_NS)

    def pass_quietly(self, now: Instant) -> None:
        """The clocks were read then, and nothing was decided."""
        self._observer.rest(now)
        self._now = now
