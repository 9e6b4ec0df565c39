"""Sweeping: how many false alarms against how late a detection, for each value of a threshold.

An outage lasts from the last good sign (the last work or, without a work signal, the first failure) until its incident
is over. It was no outage, and its incident a false alarm, if it lasted less than `brief` and ended by itself: without a
restart, and without somebody's acknowledgement. How late a true one was told is measured from the last good sign. An
outage that another value has told of and this one has not is missed. What was seen after a restart is what that restart
did: no record can tell what would have come without it.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from lifesign.core.effects import Restart
from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S
from lifesign.records import dataclass
from lifesign.replay.tape import Told


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when (None: it was not over), when it was told, and whether somebody did something about it."""

    component: str
    onset_ns: int
    told_ns: int
    ended_ns: int | None
    treated: bool

    def is_true(self, brief_ns: int) -> bool:
        """Whether it was worth telling."""
        return self.treated or self.ended_ns is None or self.ended_ns - self.onset_ns >= brief_ns

    def overlaps(self, other: "Outage") -> bool:
        """Whether both are about the same time of the same component."""
        if self.component != other.component:
            return False
        forever = 1 << 80
        return self.onset_ns <= (other.ended_ns or forever) and other.onset_ns <= (self.ended_ns or forever)


def outages_of(told: Iterable[Told], onsets: Mapping[str, int]) -> list[Outage]:
    """The outages that were told of; `onsets`: by incident, where a work signal tells since when."""
    found: list[Outage] = []
    open_: dict[str, tuple[int, int]] = {}
    failing: dict[str, int] = {}
    treated: set[str] = set()
    for one in told:
        if isinstance(one.what, Restart):
            treated.add(one.what.component)
        elif isinstance(one.what, Event) and one.what.component:
            _take(one.what, one.what.component, one.wall_ns, failing, open_, treated, onsets, found)
    found += [Outage(name, onset, told_ns, None, name in treated) for name, (onset, told_ns) in open_.items()]
    return sorted(found, key=lambda outage: outage.told_ns)


def _take(
    event: Event,
    name: str,
    wall_ns: int,
    failing: dict[str, int],
    open_: dict[str, tuple[int, int]],
    treated: set[str],
    onsets: Mapping[str, int],
    found: list[Outage],
) -> None:
    match event.name:
        case EventName.CHECK_FAILING | EventName.CHECK_FAILED:
            failing.setdefault(name, wall_ns)
        case EventName.COMPONENT_HEALTHY:
            failing.pop(name, None)
        case EventName.ACK_ADDED:
            treated.add(name)
        case EventName.COMPONENT_DOWN:
            onset_ns = min(onsets.get(event.incident or "", wall_ns), failing.get(name, wall_ns))
            open_[name] = onset_ns, wall_ns
        case EventName.COMPONENT_RECOVERED if name in open_:
            found.append(Outage(name, *open_.pop(name), wall_ns, name in treated))
            treated.discard(name)
            failing.pop(name, None)
        case _:
            return


@dataclass(frozen=True, slots=True)
class Point:
    """What one value comes to. Delays in seconds, None where nothing true was told."""

    value: str
    incidents: int
    false_alarms: int
    missed: int
    median_delay_s: float | None
    longest_delay_s: float | None


def points(values: Sequence[str], found: Sequence[Sequence[Outage]], brief_ns: int) -> list[Point]:
    """One for each value, with the outages that it told of."""
    true = [outage for outages in found for outage in outages if outage.is_true(brief_ns)]
    distinct: list[Outage] = []
    for outage in sorted(true, key=lambda outage: outage.onset_ns):
        if not any(outage.overlaps(other) for other in distinct):
            distinct.append(outage)
    return [_point(value, outages, distinct, brief_ns) for value, outages in zip(values, found, strict=True)]


def _point(value: str, outages: Sequence[Outage], distinct: Sequence[Outage], brief_ns: int) -> Point:
    delays = [(o.told_ns - o.onset_ns) / NS_PER_S for o in outages if o.is_true(brief_ns)]
    missed = sum(not any(outage.overlaps(told) for told in outages) for outage in distinct)
    false = sum(not any(told.overlaps(outage) for outage in distinct) for told in outages)
    middle, longest = (median(delays), max(delays)) if delays else (None, None)
    return Point(value, len(outages), false, missed, middle, longest)


def recommended(found: Sequence[Point]) -> Point:
    """Of those that miss the fewest the one with the fewest false alarms; of these the one that tells the soonest."""
    return min(found, key=lambda p: (p.missed, p.false_alarms, p.median_delay_s or 0.0))
