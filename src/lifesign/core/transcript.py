"""The transcript: every call to a monitor that may decide something, in order, with the clocks as they were read.

Led through the same calls, another monitor decides the same (S5): that is what `lifesign replay` does. A tick is its
reading of the clocks, an observation a tuple: one is made for every look. All else, and what the monitor told and asked
for, is a `Moment`. Asking for a look is not written down, for what it finds is. Not here: keeping it.
"""

from collections.abc import Collection, Iterable
from typing import TypeAlias

from lifesign.core.commands import LookNow, OperatorCommand
from lifesign.core.conversation import Notify
from lifesign.core.effects import Effect, Record, Restart
from lifesign.core.events import Event
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import CheckId, Instant, Observation
from lifesign.core.monitor import Monitor
from lifesign.core.restart import RestartReport
from lifesign.core.spec import MonitorSpec
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class Reported:
    """What came of a restart."""

    component: str
    attempt: int
    report: RestartReport


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """Another config; `changed` names checks that look at something else though their spec is the same."""

    spec: MonitorSpec
    changed: tuple[CheckId, ...]


@dataclass(frozen=True, slots=True)
class Attended:
    """The clocks were read and told something, in a call that is not written down."""


Deed: TypeAlias = OperatorCommand | Reported | Reconfigured | Attended
Outcome: TypeAlias = Event | Restart | Notify


@dataclass(frozen=True, slots=True)
class Moment:
    """One call, or one thing that came of the call before it."""

    now: Instant
    what: Deed | Outcome


@dataclass(frozen=True, slots=True)
class Reviewed:
    """After a round: the alerts were reviewed, as of the last reading of the clocks."""

    now: Instant


Seen: TypeAlias = tuple[Instant, CheckId, int, Observation]
"""When it was taken, of which check, when the look began on the monotonic clock, what was found."""

Entry: TypeAlias = Instant | Seen | Moment | Reviewed


class RecordedMonitor(Monitor):
    """A monitor that writes its transcript, which whoever keeps it takes from time to time."""

    def __init__(self, spec: MonitorSpec, now: Instant, memory: MonitorMemory | None = None) -> None:
        super().__init__(spec, now, memory)
        self._transcript: list[Entry] = []

    @property
    def now(self) -> Instant:
        """The clocks as they were read for the last call."""
        return self._now

    @property
    def waiting(self) -> int:
        """How many entries wait to be taken."""
        return len(self._transcript)

    def take(self) -> list[Entry]:
        """What was written since the last time."""
        taken, self._transcript = self._transcript, []
        return taken

    def reviewed(self) -> None:
        """The alerts are reviewed now."""
        self._transcript.append(Reviewed(self._now))

    def note(self, notify: Notify) -> None:
        """An alert was decided upon what was told last."""
        self._transcript.append(Moment(self._now, notify))

    def _write(self, deed: Deed, effects: Iterable[Effect]) -> None:
        self._transcript.append(Moment(self._now, deed))
        self._tell(effects)

    def _tell(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Record):
                self._transcript.append(Moment(self._now, effect.event))
            elif isinstance(effect, Restart):
                self._transcript.append(Moment(self._now, effect))

    def observe(
        self, check: CheckId, observation: Observation, now: Instant, run: int | None = None
    ) -> tuple[Effect, ...]:
        """As a monitor does; what is not taken is not written either, but for what the clocks told."""
        number = self._number.get(check)
        began_ns = None if number is None else self._checks[number].schedule.begun(run, now.mono_ns)
        if began_ns is None:
            effects = super().observe(check, observation, now, run)
            if effects:
                self._write(Attended(), effects)
            return effects
        effects = super().observe(check, observation, now, run)
        assert number is not None
        # When the look began is known only now: a stall that this reading of the clocks told has moved it.
        self._transcript.append((now, check, self._checks[number].looked_ns, observation))
        if effects:
            self._tell(effects)
        return effects

    def tick(self, now: Instant) -> tuple[Effect, ...]:
        """As a monitor does."""
        self._transcript.append(now)
        effects = super().tick(now)
        if effects:
            self._tell(effects)
        return effects

    def attend(self, now: Instant) -> tuple[Effect, ...]:
        """As a monitor does."""
        effects = super().attend(now)
        self._write(Attended(), effects)
        return effects

    def command(self, command: LookNow | OperatorCommand, now: Instant) -> tuple[Effect, ...]:
        """As a monitor does. A command that is refused is not written."""
        effects = super().command(command, now)
        if not isinstance(command, LookNow):
            self._write(command, effects)
        return effects

    def wake(self, checks: Iterable[CheckId], now: Instant) -> tuple[Effect, ...]:
        """As a monitor does."""
        effects = super().wake(checks, now)
        if effects and isinstance(effects[0], Record):  # what the clocks told comes first
            self._write(Attended(), effects)
        return effects

    def restart_reported(self, component: str, attempt: int, report: RestartReport, now: Instant) -> tuple[Effect, ...]:
        """As a monitor does."""
        effects = super().restart_reported(component, attempt, report, now)
        self._write(Reported(component, attempt, report), effects)
        return effects

    def reconfigure(self, spec: MonitorSpec, changed: Collection[CheckId], now: Instant) -> tuple[Effect, ...]:
        """As a monitor does."""
        effects = super().reconfigure(spec, changed, now)
        self._write(Reconfigured(spec, tuple(changed)), effects)
        return effects
