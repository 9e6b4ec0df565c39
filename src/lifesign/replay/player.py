"""The player: leads a monitor and a herald through one life of a tape, and tells what they tell, ask for and decide.

Time passes between two entries of the tape by the ticks that were: of them, only those at which something is due are
made (`Monitor.quiet_until`). So what decides the same decides it at the same moment. A restart that the record knows is
reported as it was; another one is taken for sent at once, and what was seen afterwards is what was seen.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from lifesign.core.alerting import SinkSpec
from lifesign.core.commands import NotPossibleError, OperatorCommand
from lifesign.core.conversation import Notify
from lifesign.core.effects import Effect, Look, Record, Restart
from lifesign.core.events import Event, EventName
from lifesign.core.heralding import REVIEW_EVERY_NS, Herald
from lifesign.core.model import NS_PER_S, CheckId, CheckState, Instant
from lifesign.core.restart import RestartReport, Sent
from lifesign.core.transcript import Attended, Reconfigured, Reported
from lifesign.replay.monitor import ReplayedMonitor
from lifesign.replay.tape import Item, Outcome, Stretch, TapeClock, Told, key_of
from lifesign.store.block import MOST_RANK
from lifesign.store.findings import RANK_BITS

FOREVER = 1 << 80
_A_SLICE = 5_000 << RANK_BITS  # what is looked at in a round belongs to it
_A_ROUND = 200_000 << RANK_BITS  # the review of a round comes at its end
TAKEN_FOR_SENT = Sent("a replay takes it for sent")


class Player:
    """Of one life. `follows`: it is reconfigured as the record says. `known`: the restarts that the record knows.

    `standing`: how a component stood here when something was told of it then. `onsets`: by incident, since when its
    work had rested, on the wall clock.
    """

    def __init__(
        self,
        monitor: ReplayedMonitor,
        herald: Herald,
        *,
        follows: bool,
        sinks: Sequence[tuple[int, tuple[SinkSpec, ...]]],
        known: frozenset[tuple[str, int, int]],
    ) -> None:
        self._monitor = monitor
        self._herald = herald
        self._follows = follows
        self._sinks = sinks
        self._known = known
        self._told: list[Told] = []
        self._reports: list[tuple[str, int, RestartReport]] = []
        self._clock = TapeClock(())
        self._next_key = 0
        self._stirred = True
        self._by_time_ns: int | None = None
        self._stretch: Stretch | None = None
        self._looks_due: tuple[object, int] = (None, 0)
        self.observations = 0
        self.standing: dict[tuple[int, str], str] = {}
        self.onsets: dict[str, int] = {}

    def taken(self) -> list[Told]:
        """What was told since the last time."""
        taken, self._told = self._told, []
        return taken

    def play(self, stretch: Stretch) -> Iterator[Told]:
        """Through `stretch`, the next one of the life."""
        self._stretch, self._clock = stretch, TapeClock(stretch.clocks)
        self._looks_due = (None, 0)
        monitor, clock, gaps, due_key = self._monitor, self._clock, stretch.gaps, 0
        for item in stretch.items:
            key, check, began_ns, what = item
            if key >= due_key:
                self._pass(stretch, key)
            self._next_key = key + 1
            if gaps and key in gaps:
                self._read_late(gaps[key])
            if check is None:
                self._do(item, clock.instant(key))
                monitor.survey()
            else:
                self.observations += 1
                effects = monitor.observe(check, what, clock.instant(key), began_ns)  # type: ignore[arg-type]
                if effects:
                    self._carry_out(effects)
                self._stirred = True
            due_key = self._due_key()
            if self._told:
                yield from self.taken()
        self._pass(stretch, stretch.end_key)
        yield from self.taken()

    def _read_late(self, before_us: int) -> None:
        """Nobody read the clocks between that moment and the entry that comes now."""
        last = self._monitor.now
        quiet_ns = before_us * 1_000 - last.mono_ns
        self._monitor.pass_quietly(last.after(quiet_ns) if quiet_ns > 0 else last)
        self._monitor.gap = True

    def _due_key(self) -> int:
        """The key from which on something may be due."""
        if self._monitor.restless:
            return 0
        due_ns, review_ns = self._monitor.due_ns(), self._herald.next_review_ns()
        if review_ns is not None and review_ns < due_ns:
            due_ns = review_ns
        return due_ns // 1_000 << RANK_BITS

    def _pass(self, stretch: Stretch, until_key: int) -> None:
        """Time passes up to that entry: ticks and reviews that are due before it."""
        self._monitor.settle_alarms((until_key >> RANK_BITS) * 1_000)
        if self._due_key() > until_key:
            return
        while True:
            tick_key = _first(stretch.ticks, max(key_of(self._monitor.due_ns()), self._next_key))
            review_key = self._next_review(stretch)
            look_key = self._next_look(stretch)
            key = min(tick_key, review_key, look_key)
            if key >= until_key:
                return
            self._next_key = key + 1
            now = self._clock.instant(key)
            if key in (tick_key, look_key):
                self._begin_looks(stretch, key, now)
                self._carry_out(self._monitor.tick(now))
                self._monitor.changed = self._stirred = True
            else:
                self._review(now)

    def _next_look(self, stretch: Stretch) -> int:
        """The next tick that began a look of a component that may tell something by that."""
        held, key = self._looks_due
        if held is self._monitor.restless and key >= self._next_key:
            return key
        key = min((self._next_look_of(stretch, c.spec.name) for c in self._monitor.restless), default=FOREVER)
        self._looks_due = self._monitor.restless, key
        return key

    def _next_look_of(self, stretch: Stretch, component: str) -> int:
        looks, ticks = stretch.looks_of(component), stretch.ticks
        if not ticks:
            return FOREVER
        place = bisect_left(looks, (self._next_key >> RANK_BITS,))
        while place < len(looks):
            began_us = looks[place][0]
            key = _first(ticks, began_us << RANK_BITS)
            if key >> RANK_BITS == began_us and key >= self._next_key:
                return key
            place += 1
        return FOREVER

    def _begin_looks(self, stretch: Stretch, key: int, now: Instant) -> None:
        began_us, begun = key >> RANK_BITS, []
        for component in self._monitor.restless:
            looks = stretch.looks_of(component.spec.name)
            place = bisect_left(looks, (began_us,))
            while place < len(looks) and looks[place][0] == began_us:
                begun.append(looks[place])
                place += 1
        for _, _, check in sorted(begun):
            self._monitor.begin_look(check, now)

    def _next_review(self, stretch: Stretch) -> int:
        due_ns = self._herald.next_review_ns()
        if due_ns is None:
            return FOREVER
        if not self._stirred:
            if self._by_time_ns is None:
                return FOREVER
            now = self._monitor.now
            due_ns = max(due_ns, self._by_time_ns - now.boot_ns + now.mono_ns)
        due_key = max(key_of(due_ns), self._next_key)
        place = bisect_left(stretch.reviews, due_key)
        if place:  # reviews are so far apart, whether or not they were left out here
            due_key = max(due_key, stretch.reviews[place - 1] + (REVIEW_EVERY_NS // 1_000 << RANK_BITS))
        recorded_key = stretch.reviews[place] if place < len(stretch.reviews) else FOREVER
        tick_key = _first(stretch.ticks, due_key)
        if recorded_key < tick_key + _A_ROUND or tick_key == FOREVER:
            return recorded_key
        return (tick_key if stretch.ticks is None else tick_key + _A_SLICE) | MOST_RANK

    def _review(self, now: Instant) -> None:
        self._monitor.pass_quietly(now)
        notifies = self._herald.review(now)
        self._stirred = False
        self._by_time_ns = self._herald.next_by_time_boot_ns(now.boot_ns)
        self._decide(notifies)

    def _decide(self, notifies: Iterable[Notify] | None) -> None:
        now = self._monitor.now
        for notify in notifies or ():
            self._told.append(Told(now.mono_ns // 1_000, now.wall_ns, notify))

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        now = self._monitor.now
        for effect in effects:
            if isinstance(effect, Record):
                self._tell(now, effect.event)
                if effect.event.name is EventName.COMPONENT_DOWN:
                    self._note_onset(effect.event, now)
                self._decide(self._herald.hear(effect.event, now))
            elif isinstance(effect, Look):
                self._look(effect.check, now)
            elif isinstance(effect, Restart):
                self._tell(now, effect)
                if (effect.component, effect.attempt, now.mono_ns // 1_000) not in self._known:
                    self._reports.append((effect.component, effect.attempt, TAKEN_FOR_SENT))
        while self._reports:
            component, attempt, report = self._reports.pop(0)
            self._carry_out(self._monitor.restart_reported(component, attempt, report, now))

    def _look(self, check: CheckId, now: Instant) -> None:
        """A look is wanted at once. One that was begun by now is on the tape; else it finds what there was to be found.

        That is what the next look found, if it was so by now already, else what the last one did.
        """
        upcoming = self._stretch.next_answer(check, self._next_key) if self._stretch else None
        last = self._monitor.components[check.component].checks[check.check].last
        if upcoming is None or last is None or upcoming[0] <= now.mono_ns:
            return
        signal = upcoming[1].signal
        found = upcoming[1] if signal is not None and signal.timestamp_ns <= now.wall_ns else last
        self._carry_out(self._monitor.observe(check, found, now, now.mono_ns))

    def _tell(self, now: Instant, what: Outcome) -> None:
        self._told.append(Told(now.mono_ns // 1_000, now.wall_ns, what))

    def recall(self, notifies: Iterable[Notify]) -> None:
        """What the herald decides upon at the start."""
        self._decide(notifies)

    def _do(self, item: Item, now: Instant) -> None:
        what, monitor = item[3], self._monitor
        monitor.changed = self._stirred = True
        match what:
            case None:
                self._carry_out(monitor.tick(now))
            case Attended():
                self._carry_out(monitor.attend(now))
            case Reported():
                self._carry_out(monitor.restart_reported(what.component, what.attempt, what.report, now))
            case Reconfigured():
                if self._follows:
                    self._carry_out(monitor.reconfigure(what.spec, what.changed, now))
                    self._follow_sinks(item[0], now)
            case _ if isinstance(what, OperatorCommand):
                try:
                    self._carry_out(monitor.command(what, now))
                except (NotPossibleError, KeyError):
                    return  # not possible here, though it was then
            case Event() | Restart() | Notify():
                self._compare(item[0] >> RANK_BITS, what, now)
            case _:
                return

    def _compare(self, mono_us: int, what: Outcome, now: Instant) -> None:
        name = what.conversation.component if isinstance(what, Notify) else what.component
        component = self._monitor.components.get(name or "")
        if component is not None and name is not None:
            self.standing[mono_us, name] = f"{component.state} ({component.diagnosis(now)})"

    def _note_onset(self, event: Event, now: Instant) -> None:
        component = self._monitor.components.get(event.component or "")
        if component is None or event.incident is None:
            return
        rested_s = [
            check.staleness_s(now.mono_ns)[0] or 0.0
            for check in component.checks.values()
            if check.state is CheckState.FAILED and check.judge is not None
        ]
        if rested_s:
            self.onsets[event.incident] = now.wall_ns - round(max(rested_s) * NS_PER_S)

    def _follow_sinks(self, key: int, now: Instant) -> None:
        held = [sinks for began_key, sinks in self._sinks if began_key >> RANK_BITS <= key >> RANK_BITS]
        if held:
            memories = [conversation.memory(now) for conversation in self._herald.conversations()]
            self._herald.follow(held[-1])
            self._decide(self._herald.recall(memories, now))


def _first(keys: Sequence[int] | None, from_key: int) -> int:
    """The first of `keys` from there on; where nobody ticked, that moment itself."""
    if keys is None:
        return from_key
    place = bisect_left(keys, from_key)
    return keys[place] if place < len(keys) else FOREVER
