"""The signs of the console, in two sets: one for UTF-8 terminals, one of plain ASCII. Every sign goes with its word."""

from lifesign.records import dataclass

ROLE_OF_CHECK = {
    "passing": "healthy",
    "warning": "degraded",
    "failing": "degraded",
    "failed": "down",
    "unknown": "unknown",
    "pending": "starting",
}
_STATES = ("healthy", "degraded", "down", "unknown", "starting", "paused")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set. `plain`: data is brought down to ASCII too, because the terminal cannot show more."""

    healthy: str = "●"
    degraded: str = "▲"
    down: str = "✖"
    unknown: str = "?"
    starting: str = "◌"
    paused: str = "‖"
    none: str = "·"
    ellipsis: str = "…"
    arrow: str = "→"
    full: str = "━"
    rest: str = "─"
    edge: str = "▌"
    dot: str = "·"
    mark: str = "◆"
    plain: bool = False

    def of_state(self, state: str) -> tuple[str, str]:
        """Sign and role of a component's state; a state that this console does not know is drawn as unknown."""
        role = state if state in _STATES else "unknown"
        return str(getattr(self, role)), role

    def of_check(self, state: str | None) -> tuple[str, str]:
        """Sign and role of the state of a check or layer; None is a layer without checks."""
        if state is None:
            return self.none, "muted"
        return self.of_state(ROLE_OF_CHECK.get(state, "unknown"))


UNICODE = Glyphs()
ASCII = Glyphs(
    healthy="+",
    degraded="!",
    down="X",
    starting="o",
    paused="=",
    none=".",
    ellipsis="~",
    arrow="->",
    full="#",
    rest="-",
    edge="|",
    dot="-",
    mark="*",
    plain=True,
)


def glyphs_for(term: str, encoding: str) -> Glyphs:
    """The set that a terminal of this type and encoding can show."""
    unicode_ok = encoding.lower().replace("-", "") in {"utf8", "utf8sig"} and term != "linux"
    return UNICODE if unicode_ok else ASCII
