"""From roles to the terminal's colours, for one theme. Not here: where a role is used (`tui.drawing`)."""

from collections.abc import Mapping
from dataclasses import field

from rich.style import Style
from textual.color import Color

from lifesign.records import dataclass
from lifesign.tui.themes import STATES


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles by role, on the plain ground, on a card and under the cursor. `gone`: everything is grey."""

    grounds: Mapping[str, Style]
    inks: Mapping[str, Style]
    cache: dict[tuple[str, str, bool], Style] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, variables: Mapping[str, str], *, ansi: bool) -> "Palette":
        """The palette of the resolved variables of a Textual theme."""

        def ink(name: str, bold: bool = False, reverse: bool = False, dim: bool = False) -> Style:
            color = Color.parse(variables[name]).rich_color
            return Style(color=color, bold=bold or None, reverse=reverse or None, dim=dim or None)

        def ground(name: str) -> Style:
            color = Color.parse(variables[name])
            solid = color if color.a else Color.parse(variables["background"])  # in ANSI themes panels are see-through
            return Style(bgcolor=solid.rich_color)

        inks = {state: ink(f"ls-{state}", bold=state in {"down", "unknown"}) for state in STATES}
        inks |= {f"badge-{state}": ink(f"ls-{state}", bold=True, reverse=True) for state in STATES}
        inks |= {
            "text": ink("foreground"),
            "strong": ink("foreground", bold=True),
            "muted": ink("ls-muted"),
            "head": ink("ls-muted", bold=ansi),
            "accent": ink("accent"),
            "next": ink("accent"),
            "key": ink("primary", bold=True),
            "bar": ink("primary"),
            "track": ink("ls-track"),
            "warn": ink("ls-degraded", bold=True),
            "gone": ink("ls-gone", dim=ansi),
            "badge-gone": ink("ls-gone", bold=True, reverse=True),
        }
        cursor = Style(reverse=True) if ansi else ground("ls-cursor")
        grounds = {"plain": ground("background"), "card": ground("ls-card"), "bar": ground("panel"), "cursor": cursor}
        return cls(grounds, inks)

    def style(self, role: str, ground: str, *, gone: bool = False) -> Style:
        """The style of `role` on `ground`. Without a live link no role but the plain text's keeps its colour."""
        if gone:
            role = "badge-gone" if role.startswith("badge") else "gone"
        key = (role, ground, gone)
        if key not in self.cache:
            base = self.grounds["plain"] + self.grounds[ground]
            ink = self.inks.get(role, self.inks["text"])
            if base.reverse:  # one calm bar; coloured inks would turn it into patches
                ink = Style(bold=ink.bold, dim=ink.dim)
            self.cache[key] = base + ink
        return self.cache[key]
