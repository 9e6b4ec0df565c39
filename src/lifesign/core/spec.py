"""What the core is told to hold true: frozen specifications, valid once built. Durations in nanoseconds."""

from collections import Counter

from lifesign.core.model import NS_PER_S, Layer
from lifesign.records import dataclass


def _positive(name: str, value: int | None) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{name} must be positive, not {value}")


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """How a work signal is judged. `stuck_after_ns` is None where no progress value is watched."""

    stale_after_ns: int
    stuck_after_ns: int | None = None
    max_skew_ns: int = 60 * NS_PER_S

    def __post_init__(self) -> None:
        for name in ("stale_after_ns", "stuck_after_ns", "max_skew_ns"):
            _positive(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One check, thresholds resolved.

    `failure_threshold` and `success_threshold` count observations in a row (≥ 1); `failure_for_ns`
    is how long a run of failures must have lasted besides, None where the config sets none.
    `signal` is set for the checks that are judged continuously (heartbeat, push, log). `path`: the file that it reads,
    for those who show it; empty where it reads none.
    """

    name: str
    type: str
    layer: Layer
    interval_ns: int = 10 * NS_PER_S
    timeout_ns: int = 5 * NS_PER_S
    failure_threshold: int = 3
    failure_for_ns: int | None = None
    success_threshold: int = 2
    grace_ns: int = 30 * NS_PER_S
    optional: bool = False
    flap_changes: int = 20
    flap_window_ns: int = 600 * NS_PER_S
    signal: SignalPolicy | None = None
    path: str = ""

    def __post_init__(self) -> None:
        for name in ("interval_ns", "timeout_ns", "failure_for_ns", "failure_threshold", "success_threshold"):
            _positive(name, getattr(self, name))
        _positive("flap_window_ns", self.flap_window_ns)
        if self.flap_changes < 2:
            raise ValueError(f"flap_changes must be 2 or more, not {self.flap_changes}")
        if self.grace_ns < 0:
            raise ValueError(f"grace_ns must not be negative, not {self.grace_ns}")

    @property
    def unknown_after_ns(self) -> int:
        """After this long of nothing but unknown the state shown is unknown (invariant S4)."""
        return 2 * self.interval_ns + self.timeout_ns

    @property
    def stall_limit_ns(self) -> int:
        """A gap of our own longer than this makes the check's failures untrustworthy (L = max(1 s, I/2))."""
        return max(NS_PER_S, self.interval_ns // 2)


@dataclass(frozen=True, slots=True)
class RestartSpec:
    """How one component is restarted, as far as the core decides it.

    `after_ns`: how long it must have been down before an incident's first restart; `grace_ns`: how long a fresh process
    gets to resume work. Waits between restarts in vain: `backoff_initial_ns`, each further one `backoff_factor` (≥ 1)
    times longer, none longer than `backoff_max_ns`. At most `max_restarts` in any `window_ns`. `how`: what the method
    does, in words for those who ask before a restart.
    """

    method: str
    automatic: bool = False
    max_unproductive: int = 3
    max_restarts: int = 5
    after_ns: int = 300 * NS_PER_S
    grace_ns: int = 120 * NS_PER_S
    backoff_initial_ns: int = 30 * NS_PER_S
    backoff_factor: float = 2.0
    backoff_max_ns: int = 1800 * NS_PER_S
    window_ns: int = 86_400 * NS_PER_S
    how: str = ""

    def __post_init__(self) -> None:
        for name in ("max_unproductive", "max_restarts", "after_ns", "grace_ns", "backoff_initial_ns", "window_ns"):
            _positive(name, getattr(self, name))
        if not self.backoff_factor >= 1:
            raise ValueError(f"backoff_factor must be 1 or more, not {self.backoff_factor}")
        if self.backoff_max_ns < self.backoff_initial_ns:
            raise ValueError("backoff_max_ns is shorter than backoff_initial_ns")


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """One component. `depends_on` names components of the same monitor."""

    name: str
    checks: tuple[CheckSpec, ...]
    title: str = ""
    tags: tuple[str, ...] = ()
    optional: bool = False
    depends_on: tuple[str, ...] = ()
    restart: RestartSpec | None = None

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(c.name for c in self.checks).items() if count > 1]
        if twice:
            raise ValueError(f"component {self.name} has two checks named {twice[0]}")


@dataclass(frozen=True, slots=True)
class MonitorSpec:
    """Everything one monitor watches. `seed` makes the start jitter, nothing else; `dry_run` asks for no deed."""

    components: tuple[ComponentSpec, ...]
    seed: int = 0
    one_shot: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        names = Counter(component.name for component in self.components)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise ValueError(f"two components are named {twice[0]}")
        for component in self.components:
            for parent in component.depends_on:
                if parent not in names:
                    raise ValueError(f"component {component.name} depends on {parent}, which does not exist")
