"""One component as it is followed: its incident, its process, and the events that tell of both.

An incident opens when the component goes down and ends once: when every check that was to blame
has shown an improvement of its own (of a work signal: work of the present process), none of them
flaps, and the component is neither down, unknown nor starting. Between, however often it changes, no
second one opens, nor is a second down told (S6, S7): of a restart in vain tells `restart.unproductive`.
"""

from collections.abc import Collection, Mapping, Sequence

from lifesign.core.component import component_state, failed_checks, is_seen, stand_as_before, unseen_s
from lifesign.core.diagnosis import diagnose, what_they_say
from lifesign.core.events import OF_CHECK, OF_COMPONENT, Event, EventName
from lifesign.core.governor import Governor
from lifesign.core.incarnation import CRASH_LOOP_REPLACEMENTS, ProcessWatch
from lifesign.core.memory import ComponentMemory
from lifesign.core.model import NS_PER_S, CheckState, ComponentState, Identity, Instant
from lifesign.core.operations import Notice, Operations
from lifesign.core.outage import Incident
from lifesign.core.recollection import remember
from lifesign.core.reincarnation import go_on_restarting
from lifesign.core.restart import Phase, RestartMemory
from lifesign.core.spec import ComponentSpec
from lifesign.core.tracked import TrackedCheck
from lifesign.text import format_duration, format_timestamp

NOTHING: Sequence[Event] = ()

_DOWN, _DEGRADED = ComponentState.DOWN, ComponentState.DEGRADED
_UNSETTLED = (ComponentState.DOWN, ComponentState.UNKNOWN, ComponentState.STARTING, ComponentState.PAUSED)


class TrackedComponent:
    """Everything that is known of one component."""

    def __init__(self, spec: ComponentSpec, now: Instant, *, seed: int, one_shot: bool, dry_run: bool = False) -> None:
        self.spec = spec
        self._dry_run = dry_run
        self.revision = now.mono_ns  # grows with all that happens to it, and is of no former one of its name
        self.checks = {c.name: TrackedCheck(spec.name, c, now, seed=seed, one_shot=one_shot) for c in spec.checks}
        self.state = component_state(self.checks.values(), crash_loop=False)
        self._told = ComponentState.STARTING  # of which no event tells
        self.since_wall_ns = now.wall_ns
        self.incident: Incident | None = None
        self._incidents = 0
        self.process = ProcessWatch(spec.checks, now)
        self.crash_loop = False
        self.flapping = False
        self.operations = Operations()
        self.governor: Governor | None = None
        self._recalled_restart: RestartMemory | None = None
        self._follow_restart(now)

    def _follow_restart(self, now: Instant) -> None:
        """What is configured of its restart holds from now on; what is under way goes on."""
        if self.spec.restart is None:
            self.governor = None
        elif self.governor is None:
            self.governor = Governor(self.spec.name, self.spec.restart, now, dry_run=self._dry_run)
        else:
            self.governor.follow(self.spec.restart)

    def memory(self, now: Instant) -> ComponentMemory:
        """What must survive of it."""
        now_ns = now.mono_ns
        identity, replaced_ages_ns = self.process.memory(now_ns)
        return ComponentMemory(
            name=self.spec.name,
            taken_wall_ns=now.wall_ns,
            state=self.state,
            told=self._told,
            since_wall_ns=self.since_wall_ns,
            incidents=self._incidents,
            incident=self.incident.memory(now_ns) if self.incident else None,
            incarnation=self.process.incarnation,
            identity=identity,
            crash_loop=self.crash_loop,
            replaced_ages_ns=replaced_ages_ns,
            checks={name: check.memory(now) for name, check in self.checks.items()},
            silence=self.operations.silence.memory(now) if self.operations.silence else None,
            hold=self.operations.hold.memory(now) if self.operations.hold else None,
            acknowledged=self.operations.acknowledged.memory(now) if self.operations.acknowledged else None,
            paused=self.operations.paused.memory(now) if self.operations.paused else None,
            restart=remember(self.governor, now) if self.governor and not self._dry_run else self._recalled_restart,
            taken_boot_ns=now.boot_ns,
        )

    def recall(self, memory: ComponentMemory, now: Instant) -> None:
        """Goes on where `memory` was taken and tells nothing by that. Checks that are gone are forgotten."""
        away_ns = memory.away_ns(now)
        for name, check in self.checks.items():
            if name in memory.checks:
                check.recall(memory.checks[name], now, away_ns)
        self._incidents, self._told = memory.incidents, memory.told
        if memory.incident is not None:
            self.incident = Incident.recalled(memory.incident, now, self.checks)
        self.process.incarnation = memory.incarnation
        self.process.recall(memory.identity, memory.replaced_ages_ns, now.mono_ns, away_ns)
        self.crash_loop = memory.crash_loop and self.process.source is not None
        self.flapping = any(check.flaps.flapping for check in self.checks.values())
        self.state = component_state(self.checks.values(), crash_loop=self.crash_loop)
        self.operations.recall(memory, now)
        if self.operations.paused is not None:
            self.pause(self.operations.paused, now)
        if self.state is memory.state:
            self.since_wall_ns = memory.since_wall_ns
        self._recalled_restart = memory.restart
        if self.governor is not None and memory.restart is not None and not self._dry_run:
            go_on_restarting(self, self.governor, memory, now)

    def reconfigure(self, spec: ComponentSpec, begin_anew: Collection[str], now: Instant, *, seed: int) -> None:
        """Follows `spec` from now on and tells nothing by that; an open incident stays open (S8).

        A check that is specified as before, and is not named in `begin_anew`, keeps all that is held of it.
        """
        before, held = self.checks, self.state
        self.checks = {
            check.name: before[check.name]
            if check.name in before and before[check.name].spec == check and check.name not in begin_anew
            else TrackedCheck.succeeding(before.get(check.name), spec.name, check, now, seed)
            for check in spec.checks
        }
        self.spec = spec
        self._follow_process(before, now)
        self._follow_restart(now)
        if self.incident is not None:
            self.incident.blamed &= self.checks.keys()
        self.flapping = any(check.flaps.flapping for check in self.checks.values())
        self.state = component_state(self.checks.values(), crash_loop=self.crash_loop)
        if self.operations.paused is not None:
            self._stop_checks()
        if self.state is not held:
            self.since_wall_ns = now.wall_ns

    def _follow_process(self, before: Mapping[str, TrackedCheck], now: Instant) -> None:
        """Where another check tells of the process now, what is seen next may well be another one by right."""
        fresh, source = ProcessWatch(self.spec.checks, now), self.process.source
        if fresh.source == source and (source is None or self.checks[source] is before[source]):
            return
        fresh.incarnation = self.process.incarnation
        self.process, self.crash_loop = fresh, False

    def pause(self, notice: Notice, now: Instant) -> None:
        """Stops its checks. The open incident stays open."""
        self.operations.paused = notice
        self.operations.revision += 1
        self.since_wall_ns = now.wall_ns
        self._stop_checks()

    def _stop_checks(self) -> None:
        for check in self.checks.values():
            check.pause()
        self.state = self._told = ComponentState.PAUSED

    def resume(self, now: Instant) -> None:
        """Starts its checks again, with a grace as after our own start."""
        self.operations.paused = None
        self.operations.revision += 1
        for check in self.checks.values():
            check.resume(now.mono_ns)
        self.state = component_state(self.checks.values(), crash_loop=self.crash_loop)
        self.since_wall_ns = now.wall_ns

    def see_identity(self, check: TrackedCheck, identity: Identity, now: Instant) -> list[Event]:
        """Takes the process that a look saw. Another one than before is a new incarnation."""
        governor = self.governor
        ours = governor is not None and governor.brings(identity)
        replacement = self.process.see(identity, now, ours=ours) if check.spec.name == self.process.source else None
        if replacement is None:
            return []
        if governor is not None and ours:
            governor.renewed(identity, replacement.started_ns, now.mono_ns)
            if governor.phase is Phase.VERIFYING:
                for tracked in self.checks.values():
                    until_ns = governor.attempts.last.verify_until_ns
                    tracked.confirm_incarnation(replacement.started_ns, now.mono_ns, until_ns)
            return []
        events = [self.event(EventName.PROCESS_REPLACED, now, replacement.words, check=check)]
        if self.process.loops(check.spec.flap_window_ns, now.mono_ns):
            if not self.crash_loop:
                words = f"its process was replaced {CRASH_LOOP_REPLACEMENTS} times or more"
                events.append(self.event(EventName.PROCESS_CRASH_LOOP, now, words, check=check))
            self.crash_loop = True
            return events
        for tracked in self.checks.values():
            tracked.begin_incarnation(replacement.started_ns, now.mono_ns)
        return events

    @property
    def is_verified(self) -> bool:
        """Whether a restart of ours is being verified."""
        return self.governor is not None and self.governor.phase is Phase.VERIFYING

    def refresh(self, now: Instant) -> Sequence[Event]:
        """Brings every state up to `now`; the events of what changed, in the order of cause and effect."""
        if self.operations.paused is not None:
            return NOTHING
        if self._is_settled() and stand_as_before(self.checks.values(), now.mono_ns, flapping=self.flapping):
            return NOTHING
        events: list[Event] = []
        if self.crash_loop and self.process.source in self.checks:
            window_ns = self.checks[self.process.source].spec.flap_window_ns
            self.crash_loop = self.process.loops(window_ns, now.mono_ns)
        for check in self.checks.values():
            events += self._refresh_check(check, now)
        self._refresh_flapping(events, now)
        before = self.state
        self.state = component_state(self.checks.values(), crash_loop=self.crash_loop)
        if self.state is not before:
            self.since_wall_ns = now.wall_ns
        self._refresh_incident(events, now)
        self._tell_state(events, now)
        return events

    def _is_settled(self) -> bool:
        """Whether it changes only with one of its checks: all is told, and an incident is open if it is down."""
        if self.crash_loop or self.state is not self._told:
            return False
        return (self.incident is not None) is (self.state is _DOWN)

    def is_calm(self) -> bool:
        """Whether nothing of it can change unless the state of one of its checks does."""
        if self.flapping or (self.governor is not None and self.governor.is_watching):
            return False
        return self._is_settled()

    def _tell_state(self, events: list[Event], now: Instant) -> None:
        """Tells a changed state, but no health while the incident is open, and none that nobody has seen yet."""
        is_healthy = self.state is ComponentState.HEALTHY
        if self.state is self._told or (is_healthy and self.incident is not None):
            return
        if not is_healthy:
            if not is_seen(self.state, self.checks.values(), crash_loop=self.crash_loop):
                return
            self.since_wall_ns = now.wall_ns
        self._told = self.state
        if self.state in OF_COMPONENT:
            events.append(self.event(OF_COMPONENT[self.state], now, self.diagnosis(now)))

    def _refresh_check(self, check: TrackedCheck, now: Instant) -> Sequence[Event]:
        before, check.state = check.state, check.machine.state(now.mono_ns)
        if check.state is before or check.state not in OF_CHECK:
            return NOTHING
        if check.state is CheckState.PASSING and check.told in (None, CheckState.PASSING):
            return NOTHING
        check.told = check.state
        return [self.event(OF_CHECK[check.state], now, check.message(now.mono_ns), check=check)]

    def _refresh_flapping(self, events: list[Event], now: Instant) -> None:
        before, self.flapping = self.flapping, any(check.flaps.flapping for check in self.checks.values())
        if self.flapping and not before:
            words = diagnose(_DEGRADED, what_they_say(self.checks.values(), now.mono_ns), crash_loop=False)
            events.append(self.event(EventName.COMPONENT_FLAPPING, now, words))

    def _refresh_incident(self, events: list[Event], now: Instant) -> None:
        if self.incident is None and self.state is ComponentState.DOWN:
            stamp = format_timestamp(now.wall_ns).translate({ord(c): None for c in "-:."})
            self._incidents += 1  # the wall clock may be stepped back and come by again
            self.incident = Incident(f"{self.spec.name}-{stamp}-{self._incidents}", now)
            after_s = round(unseen_s(self.checks.values(), now.mono_ns), 3)
            events.append(self.event(EventName.COMPONENT_DOWN, now, self.diagnosis(now), detected_after_s=after_s))
        if self.incident is None:
            return
        self.incident.blamed |= failed_checks(self.checks.values())
        if self._has_recovered():
            down_s = (now.mono_ns - self.incident.opened.mono_ns) / NS_PER_S
            words = f"recovered after {format_duration(down_s)}"
            if not self.incident.blamed:
                words += ": what was to blame is no longer in the config"
            events.append(self.event(EventName.COMPONENT_RECOVERED, now, words, down_s=round(down_s, 3)))
            self.incident = self.operations.acknowledged = None

    def _has_recovered(self) -> bool:
        assert self.incident is not None
        improved = all(self.checks[name].has_improved for name in self.incident.blamed)
        return improved and self.state not in _UNSETTLED

    def event(
        self, name: EventName, now: Instant, message: str, *, check: TrackedCheck | None = None, **data: float
    ) -> Event:
        """One of its events, with the incident that is open."""
        return Event(
            name=name,
            at_wall_ns=now.wall_ns,
            component=self.spec.name,
            check=check.spec.name if check else None,
            incident=self.incident.id if self.incident else None,
            message=message,
            data=data,
        )

    def diagnosis(self, now: Instant) -> str:
        """Why it is in its state."""
        return diagnose(self.state, what_they_say(self.checks.values(), now.mono_ns), crash_loop=self.crash_loop)
