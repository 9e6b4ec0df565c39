"""What a drawing needs besides its component: the snapshot, the moment, the signs. And the words all drawings share."""

from dataclasses import field

from lifesign.api.documents import Component
from lifesign.records import dataclass
from lifesign.text import format_timestamp
from lifesign.tui.drawing.glyphs import UNICODE, Glyphs
from lifesign.tui.drawing.spans import Span, age, safe
from lifesign.tui.memory import Memory
from lifesign.tui.snapshot import Snapshot

_ROUNDED_S = 2.0  # an age and a moment that mean the same may differ by so much
LAYERS = ("startable", "alive", "ready", "working")


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment of the console. `now_s` is on the console's own clock.

    `frozen_for_s`: for how long the operator has frozen the display at this moment; None where it runs.
    """

    snapshot: Snapshot = field(default_factory=Snapshot)
    now_s: float = 0.0
    glyphs: Glyphs = UNICODE
    frozen_for_s: float | None = None
    memory: Memory = field(default_factory=Memory, compare=False)

    @property
    def live(self) -> bool:
        """Whether what is shown is known to hold."""
        return self.snapshot.live(self.now_s)

    def age(self, moment: str | None, *, calm: bool = False) -> str:
        """How long ago `moment` was, for people. `calm`: as `spans.age` has it."""
        return age(self.snapshot.age_s(moment, self.now_s), self.glyphs, calm=calm)

    def staleness(self, component: Component, *, calm: bool = False) -> tuple[str, str, str]:
        """The age of the work signal, its limit, and the role in which both are drawn. `calm`: as in `age`."""
        staleness_s = self.snapshot.staleness_s(component, self.now_s)
        limit_s = component.stale_after_s
        over = staleness_s is not None and limit_s is not None and staleness_s > limit_s
        role = "down" if over else "muted" if staleness_s is None else "text"
        return age(staleness_s, self.glyphs, calm=calm), age(limit_s, self.glyphs), role

    def is_reborn(self, component: Component) -> bool:
        """Whether the staleness counts from the beginning of a life in which no work was seen yet."""
        staleness_s = self.snapshot.staleness_s(component, self.now_s)
        worked_s = self.snapshot.age_s(component.last_work_at, self.now_s)
        return staleness_s is not None and worked_s is not None and worked_s > staleness_s + _ROUNDED_S


def layer_states(component: Component) -> tuple[tuple[str, str | None], ...]:
    """Each layer's name and state."""
    layers = component.layers
    return tuple(zip(LAYERS, (layers.startable, layers.alive, layers.ready, layers.working), strict=True))


def flags(component: Component, *, notices: bool = True) -> list[str]:
    """What stands beside the state, never instead of it. `notices`: also what operators have laid upon it."""
    words = [
        ("optional", component.optional),
        ("flapping", component.flapping),
        ("silenced", notices and component.silence is not None),
        ("held", notices and component.hold is not None),
        ("acknowledged", notices and component.acknowledged is not None),
        (f"waits for {component.suppressed_by}", component.suppressed_by is not None),
    ]
    return [word for word, holds in words if holds]


def flag_spans(component: Component, glyphs: Glyphs, *, notices: bool = True) -> list[Span]:
    """The flags as spans, each with a separator behind it."""
    return [(f"{safe(word, glyphs, 80)} {glyphs.dot} ", "accent") for word in flags(component, notices=notices)]


def diagnosis_of(component: Component) -> str:
    """The diagnosis without the word that the state beside it says already."""
    words = component.diagnosis.removeprefix(f"{component.state}: ")
    return "" if words == component.state else words


def clock_text(now_ns: int) -> str:
    """The time of day in UTC: `14:03:22Z`."""
    return format_timestamp(now_ns)[11:19] + "Z"


def moment_text(now_ns: int) -> str:
    """Date and time in UTC: `2026-11-21 14:03:22Z`."""
    return format_timestamp(now_ns)[:19].replace("T", " ") + "Z"
