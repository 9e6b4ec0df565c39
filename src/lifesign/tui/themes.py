"""Colour themes from TOML files: shipped ones, then the user's. A bad file is reported, and never stops the console.

Every colour is parsed here, because Textual lets a bad one explode only when it is painted.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from lifesign.records import dataclass
from lifesign.text import clean

DEFAULT_THEME = "night"
ANSI_THEME = "ansi"
STATES = ("healthy", "degraded", "down", "unknown", "starting", "paused")
_BASE = ("foreground", "background", "surface", "panel", "primary", "accent")
_OWN = ("muted", "cursor", "card", "track", "gone")
_MAX_FILE_BYTES = 64 * 1024

FALLBACK_VARIABLES = {
    "ls-healthy": "#7cc495",
    "ls-degraded": "#e3b95c",
    "ls-down": "#ff7b82",
    "ls-unknown": "#c0a4f7",
    "ls-starting": "#74bdf3",
    "ls-paused": "#9aa6b5",
    "ls-muted": "#8592a3",
    "ls-cursor": "#2b3648",
    "ls-card": "#171c24",
    "ls-track": "#343e4d",
    "ls-gone": "#77818e",
}


class BadTheme(ValueError):  # noqa: N818 - the kind is the name
    """A theme file that cannot be used, in one line for the user."""


@dataclass(frozen=True, slots=True)
class Themes:
    """The themes that can be used, and one line for each file that cannot."""

    themes: tuple[Theme, ...]
    problems: tuple[str, ...] = ()


def shipped_folder() -> Path:
    """The folder of the themes that come with lifesign."""
    return Path(__file__).resolve().parent.parent / "themes"


def user_folder() -> Path:
    """`$XDG_CONFIG_HOME/lifesign/themes`, which need not exist."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path("~/.config").expanduser()) / "lifesign" / "themes"


def load_themes(*folders: Path) -> Themes:
    """Every `*.toml` of `folders`; a later folder's theme replaces an earlier one of the same name."""
    found: dict[str, Theme] = {}
    problems: list[str] = []
    for folder in folders:
        for path in _files(folder):
            try:
                theme = read_theme(path)
            except BadTheme as error:
                problems.append(f"theme {clean(path.name, 60)}: {error}")
            else:
                found[theme.name] = theme
    return Themes(tuple(found.values()), tuple(problems))


def read_theme(path: Path) -> Theme:
    """The theme in the file `path`, which gives it its name. Raises BadTheme."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
        document = tomllib.loads(raw.decode()) if len(raw) <= _MAX_FILE_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise BadTheme(clean(str(error), 200)) from error
    if document is None:
        raise BadTheme("larger than 64 KiB")
    colors = _colors(document)
    dark = document.get("dark", True)
    return Theme(
        name=clean(path.stem, 40),
        dark=dark if isinstance(dark, bool) else True,
        ansi=document.get("ansi") is True,
        primary=colors["primary"],
        accent=colors["accent"],
        foreground=colors["foreground"],
        background=colors["background"],
        surface=colors["surface"],
        panel=colors["panel"],
        success=colors["healthy"],
        warning=colors["degraded"],
        error=colors["down"],
        variables=_ansi_variables(document) | {f"ls-{name}": colors[name] for name in (*STATES, *_OWN)},
    )


def _ansi_variables(document: Mapping[str, object]) -> dict[str, str]:
    """What Textual's own style sheet asks of a theme in the terminal's own colours."""
    return dict(BUILTIN_THEMES["ansi-dark"].variables) if document.get("ansi") is True else {}


def _colors(document: Mapping[str, object]) -> dict[str, str]:
    colors: dict[str, str] = {}
    wanted = {"colors": (*_BASE, *_OWN), "states": STATES}
    for section, names in wanted.items():
        table = document.get(section)
        if not isinstance(table, dict):
            raise BadTheme(f"[{section}] is missing")
        if extra := sorted(set(table) - set(names)):
            raise BadTheme(f"{section}.{clean(extra[0], 40)}: no such colour; there are {', '.join(names)}")
        for name in names:
            colors[name] = _color(f"{section}.{name}", table.get(name))
    if extra := sorted(set(document) - {"colors", "states", "dark", "ansi"}):
        raise BadTheme(f"{clean(extra[0], 40)}: no such key; there are dark, ansi, [colors] and [states]")
    return colors


def _color(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadTheme(
            f"{key}: a colour is text such as '#12ab34', and is missing" if value is None else f"{key}: no text"
        )
    try:
        color = Color.parse(value)
    except ColorParseError as error:
        raise BadTheme(f"{key}: {clean(value, 40)!r} is no colour") from error
    if color.a < 1 or value.strip().startswith("auto"):
        raise BadTheme(f"{key}: {clean(value, 40)!r} is not opaque")
    return value


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError:
        return []
