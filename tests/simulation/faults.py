"""What may go wrong in a simulated life, and a plan of it that a seed makes and a shrinker can cut."""

from dataclasses import dataclass
from enum import IntEnum
from random import Random

from lifesign.core.model import Layer
from lifesign.core.spec import CheckSpec, ComponentSpec, SignalPolicy

S = 1_000_000_000


class Kind(IntEnum):
    """One way to break, or to disturb. Those from STALL to RELOAD strike the whole machine."""

    BLIP = 0  # one look fails
    OUTAGE = 1  # every look fails
    WARNING = 2
    BLIND = 3  # looks find nothing out
    ALTERNATE = 4  # every other look fails
    SLOW = 5  # looks take longer than they may
    LOST = 6  # looks never come back
    GARBAGE = 7  # the heartbeat cannot be read
    HUNG = 8  # the writer does not write
    STUCK = 9  # fresh timestamps, the counter rests
    IDLE = 10  # the counter rests, and the writer says that there is no work
    RESTART = 11  # a new process, which works after a while
    STALL = 12  # the monitor alone does not run
    FREEZE = 13  # nobody runs, and the monitor wakes first
    SUSPEND = 14  # likewise, and the monotonic clock stands
    STEP = 15  # the wall clock is set
    DEATH = 16  # the monitor is killed, and begun again from what it had written down
    RELOAD = 17  # the config is read again, and says the same
    SILENCE = 18  # an operator wants no alerts of a component for a while: no fault, and it must change nothing


# Names of the module: a member of an enum is found six times as slowly, and these are asked for at every look.
BLIP, OUTAGE, WARNING, BLIND, ALTERNATE, SLOW = (Kind(number) for number in range(6))
LOST, GARBAGE, HUNG, STUCK, IDLE = (Kind(number) for number in range(6, 11))

WHOLE = (Kind.STALL, Kind.FREEZE, Kind.SUSPEND, Kind.STEP, Kind.DEATH, Kind.RELOAD)
_LOOKS = (Kind.BLIP, Kind.OUTAGE, Kind.WARNING, Kind.BLIND, Kind.ALTERNATE, Kind.SLOW, Kind.LOST, Kind.SILENCE)
_WRITER = (Kind.GARBAGE, Kind.HUNG, Kind.STUCK, Kind.IDLE)
# No multiples of the writers' pace: the very nanosecond of the last heartbeat again would be a heartbeat unchanged.
STEPS_S = (3_600.317, -3_600.571, -1_790_000_000.113, 2_340_000_000.239, 300.131, -300.293)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `pause_s`: calm time since the one before began; `amount_s`: how far a clock is set."""

    pause_s: float
    kind: Kind
    component: str = ""
    check: str = ""
    duration_s: float = 0.0
    amount_s: float = 0.0

    def __str__(self) -> str:
        where = f" {self.component}/{self.check}".rstrip("/") if self.component else ""
        size = f" by {self.amount_s:+.0f} s" if self.amount_s else f" for {self.duration_s:.1f} s"
        return f"after {self.pause_s:.1f} s: {self.kind.name.lower()}{where}{size}"


def services(random: Random, intervals_s: tuple[int, ...] = (10, 30, 60)) -> tuple[ComponentSpec, ...]:
    """Four services as a user might set them: two with a working signal, one that hangs on another, one optional."""

    def check(name: str, kind: str, layer: Layer, **more: object) -> CheckSpec:
        made: dict[str, object] = {
            "interval_ns": random.choice(intervals_s) * S,
            "timeout_ns": random.choice((2, 5, 8)) * S,
            "failure_threshold": random.choice((1, 2, 3, 4)),
            "failure_for_ns": random.choice((None, None, 45 * S, 120 * S)),
            "success_threshold": random.choice((1, 2, 3)),
            "grace_ns": random.choice((0, 10, 30, 90)) * S,
            "flap_changes": random.choice((6, 20)),
            "flap_window_ns": random.choice((300, 600)) * S,
        }
        return CheckSpec(name=name, type=kind, layer=layer, **(made | more))  # type: ignore[arg-type]

    def beat() -> CheckSpec:
        limit_s = random.choice((120, 300))
        policy = SignalPolicy(limit_s * S, random.choice((limit_s, 2 * limit_s)) * S)
        once = {"failure_threshold": 1, "success_threshold": 1, "failure_for_ns": None}
        return check("beat", "heartbeat", Layer.WORKING, signal=policy, **once)

    return (
        ComponentSpec("gateway", (check("port", "tcp", Layer.READY),)),
        ComponentSpec(
            "mind",
            (check("process", "process", Layer.ALIVE), beat(), check("page", "http", Layer.READY, optional=True)),
            depends_on=("gateway",),
        ),
        ComponentSpec("feed", (check("process", "process", Layer.ALIVE), beat())),
        ComponentSpec("tools", (check("port", "tcp", Layer.READY),), optional=True),
    )  # fmt: skip


def plan(random: Random, components: tuple[ComponentSpec, ...], count: int, mean_pause_s: float) -> tuple[Fault, ...]:
    """So many faults, of which some strike alone and most in company: three of four pauses are short."""
    return tuple(_fault(random, components, mean_pause_s) for _ in range(count))


def _fault(random: Random, components: tuple[ComponentSpec, ...], mean_pause_s: float) -> Fault:
    pause_s = random.expovariate(1 / (4 * mean_pause_s)) if random.random() < 0.25 else random.uniform(0, 120)
    if random.random() < 0.15:
        kind = random.choice(WHOLE)
        if kind is Kind.STEP:
            return Fault(pause_s, kind, amount_s=random.choice(STEPS_S))
        return Fault(pause_s, kind, duration_s=random.choice((1.5, 4, 6, 20, 40, 600, 30_000)) * random.uniform(1, 2))
    component = random.choice(components)
    check = random.choice(component.checks)
    kinds = [*_LOOKS, *(_WRITER * 2 if check.signal else ()), *((Kind.RESTART,) if len(component.checks) > 1 else ())]
    kind = random.choice(kinds)
    longest_s = 12 * check.interval_ns / S if check.signal is None else 3 * check.signal.stale_after_ns / S
    return Fault(pause_s, kind, component.name, check.name, duration_s=random.uniform(0.02, 1) * longest_s)
