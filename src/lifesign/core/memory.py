"""What must survive us: plain values of each component and its checks, to be written down and read back.

A memory holds no moment of a clock that a new start could not read: durations are ages ("so long before it was
taken"), the rest is wall clock. Time between the taking and the recalling is like a stall of our own: no duration
counts it, a failure right after it is not evidence, and the recalling announces nothing. Only the age of the work
itself goes on, as it does while we stall. Unknown fields are left out, missing ones have defaults: an older or newer
memory is read as far as it goes. Not here: how a machine takes and recalls its part, and where it is stored.
"""

from collections.abc import Collection, Mapping
from dataclasses import field

from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, CheckState, ComponentState, Instant, JsonValue, Verdict
from lifesign.core.restart import RestartMemory
from lifesign.records import dataclass


def _require(condition: bool, words: str) -> None:
    if not condition:
        raise ValueError(f"a memory that cannot be: {words}")


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """Of a check's state machine. Levels: 0 ok, 1 warn, 2 fail; runs: worse for (warn, fail), better for (ok, warn).

    `grace_left_ns`, `blind_left_ns`: how long it would still have lasted, 0 or less where it was over.
    """

    pending: bool
    failed_in_grace: bool = False
    level: int = 0
    last: int | None = None
    worse_runs: tuple[int, int] = (0, 0)
    worse_ages_ns: tuple[int, int] = (0, 0)
    better_runs: tuple[int, int] = (0, 0)
    consecutive_failures: int = 0
    consecutive_successes: int = 0
    known_age_ns: int = 0
    grace_left_ns: int = 0
    blind_left_ns: int = -1
    blind_stalls: int = 0

    def __post_init__(self) -> None:
        _require(self.level in (0, 1, 2) and self.last in (None, 0, 1, 2), "a level is 0, 1 or 2")
        counts = (*self.worse_runs, *self.better_runs, self.consecutive_failures, self.consecutive_successes)
        _require(min(*counts, self.blind_stalls) >= 0, "a count is not negative")


@dataclass(frozen=True, slots=True)
class SignalMemory:
    """Of a work signal. `timestamp_ns`: the newest proof, wall clock; `progress_age_ns`: how long the value rested."""

    timestamp_ns: int
    work_age_ns: int
    work_boot_age_ns: int
    counts: bool = False
    progress: int | float | str | None = None
    progress_age_ns: int | None = None
    incarnation_age_ns: int | None = None
    grace_left_ns: int = 0
    owes_work: bool = False


@dataclass(frozen=True, slots=True)
class FlapMemory:
    """Of a flap detector: the ages of the changes, the oldest first."""

    ok: bool | None = None
    flapping: bool = False
    change_ages_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckMemory:
    """Of one check. `type` tells whether the name still means the same kind of look."""

    type: str
    machine: MachineMemory
    flaps: FlapMemory = FlapMemory()
    signal: SignalMemory | None = None
    told: CheckState | None = None
    last_verdict: Verdict | None = None
    last_message: str = ""
    last_wall_ns: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentMemory:
    """Of the open incident of a component."""

    id: str
    opened_wall_ns: int
    age_ns: int = 0
    blamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IdentityMemory:
    """Of the process that was last seen."""

    pid: int
    started_at: float | None = None
    seen_age_ns: int = 0


@dataclass(frozen=True, slots=True)
class NoticeMemory:
    """Of a silence, a hold, an acknowledgement or a pause. `left_ns`: how much of it is left; None without an end."""

    author: str
    reason: str = ""
    since_wall_ns: int = 0
    left_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ComponentMemory:
    """Of one component, as of `taken_wall_ns`.

    `boot`, `taken_mono_ns`: which boot, and when on its monotonic clock; empty where whoever took it does not say.
    """

    name: str
    taken_wall_ns: int
    state: ComponentState
    told: ComponentState
    since_wall_ns: int
    incidents: int = 0
    incident: IncidentMemory | None = None
    incarnation: int = 0
    identity: IdentityMemory | None = None
    crash_loop: bool = False
    replaced_ages_ns: tuple[int, ...] = ()
    checks: Mapping[str, CheckMemory] = field(default_factory=dict)
    silence: NoticeMemory | None = None
    hold: NoticeMemory | None = None
    acknowledged: NoticeMemory | None = None
    paused: NoticeMemory | None = None
    restart: RestartMemory | None = None
    taken_boot_ns: int = 0
    boot: str = ""
    taken_mono_ns: int = 0

    def away_ns(self, now: Instant) -> int:
        """How long ago it was taken, by the wall clock; never less than nothing, whatever that clock did."""
        return max(0, now.wall_ns - self.taken_wall_ns)

    def least_away_ns(self, now: Instant) -> int:
        """The same by the clock that says less, where the machine may have run on: a wall clock can be set ahead."""
        on_ns = now.boot_ns - self.taken_boot_ns
        return min(self.away_ns(now), on_ns) if on_ns >= 0 else self.away_ns(now)


@dataclass(frozen=True, slots=True)
class MonitorMemory:
    """Of everything, by the names of the components."""

    components: Mapping[str, ComponentMemory] = field(default_factory=dict)


def absence(memory: MonitorMemory, now: Instant) -> dict[str, JsonValue]:
    """For how long nobody has watched, in the data of an event; empty where nobody ever did."""
    away_ns = [component.away_ns(now) for component in memory.components.values()]
    return {"away_s": round(min(away_ns) / NS_PER_S, 3)} if away_ns else {}


def removed(memory: MonitorMemory, names: Collection[str], now: Instant) -> list[Event]:
    """The ends of the incidents of components that are no longer there: each down has exactly one end (S7, S8)."""
    return [
        Event(
            EventName.COMPONENT_RECOVERED,
            now.wall_ns,
            component=name,
            incident=component.incident.id,
            message="removed from the config",
        )
        for name, component in memory.components.items()
        if name not in names and component.incident is not None
    ]
