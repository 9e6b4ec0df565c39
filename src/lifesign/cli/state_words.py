"""What is told of a state to people, whatever it is drawn with: the words of each part, clean. No layout, no colour."""

from lifesign.api.documents import Component, State
from lifesign.text import clean, format_duration
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.words import why

LAYERS = ("startable", "alive", "ready", "working")
COLUMNS = ("state", "component", *LAYERS, "last work")


def troubles(component: Component) -> list[tuple[str, str, str]]:
    """State, name and words of each check that does not pass."""
    found = []
    for check in component.checks:
        if check.state != "passing":
            times = f" x{check.consecutive_failures}" if check.consecutive_failures > 1 else ""
            optional = ", optional" if check.optional else ""
            found.append((check.state, check.name, f"({check.layer}, {check.state}{times}{optional}) {check.message}"))
    return found


def wants_words(component: Component) -> bool:
    """Whether there is more to say of it than its row."""
    return component.state != "healthy" or bool(troubles(component))


def summary(state: State) -> str:
    """How many components are in each state that one is in."""
    counts = ((name, getattr(state.counts, name)) for name in state.counts.__struct_fields__)
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "no components"


def work(component: Component) -> str:
    """How long ago work was finished, and its limit."""
    if component.staleness_s is None:
        missing = "unknown" if component.layers.working == "unknown" else "never"
        return missing if component.stale_after_s is not None else "-"
    limit = f" of {format_duration(component.stale_after_s)}" if component.stale_after_s is not None else ""
    return f"{format_duration(component.staleness_s)}{limit}"


def about(state: State, glyphs: Glyphs) -> str:
    """What stands behind the monitor's name: how many are in which state, when, and by which version."""
    dot = glyphs.dot
    return plain(f"{summary(state)} {dot} {state.generated_at} {dot} lifesign {state.monitor.version}", glyphs)


def reason(component: Component, glyphs: Glyphs) -> str:
    """Why it is in its state, as it reads beside that."""
    return plain(why(component.state, component.diagnosis), glyphs)


def word(glyphs: Glyphs, state: str) -> str:
    """A component's state: its sign and its name."""
    return f"{glyphs.of_state(state)[0]} {plain(state, glyphs)}"


def plain(text: str, glyphs: Glyphs) -> str:
    """Data fit to be drawn: clean, and ASCII where nothing else can be shown."""
    text = clean(text, 1000)
    return text.replace("…", "...").encode("ascii", "replace").decode() if glyphs.plain else text
