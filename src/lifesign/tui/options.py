"""How one console is set up: frozen, made by the command line. Not here: what it shows."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from lifesign.records import dataclass
from lifesign.tui.drawing.glyphs import UNICODE, Glyphs
from lifesign.tui.themes import DEFAULT_THEME, Themes


@dataclass(frozen=True, slots=True)
class Options:
    """`keys`: command ids and the keys they are remapped to. `notes`: told once when the console opens.

    `local`: the monitor runs on this machine, so that paths it names are ours too.
    `theme_folders`: where `themes` were read, the user's last, to follow what is saved there. `kept_in`: the file that
    keeps the theme which the operator chooses; None where none is kept. `author`: who sits here,
    for what they do. `archived`: the source is a file, and what it tells is not the present. `recalls`: the source is
    asked at the start what was before. `color`: False keeps to
    the `ansi` theme.
    """

    read_only: bool = False
    local: bool = False
    archived: bool = False
    recalls: bool = False
    glyphs: Glyphs = UNICODE
    themes: Themes = field(default_factory=lambda: Themes(()))
    theme_folders: tuple[Path, ...] = ()
    theme: str = DEFAULT_THEME
    kept_in: Path | None = None
    color: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    bell: bool = True
    author: str | None = None
    title: bool = True
