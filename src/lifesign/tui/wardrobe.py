"""The themes that the app can wear: registered, and read anew when a file of the user's changes.

Not here: what a theme file says (`themes`), and choosing one (`screens.themes`).
"""

from collections.abc import Callable
from pathlib import Path

from textual.theme import Theme

from lifesign.tui.themes import Themes, load_themes

Stamp = tuple[tuple[str, int, int], ...]


class Wardrobe:
    """`folders`: where themes lie, the user's last; none where the themes are given once and for all."""

    def __init__(self, themes: Themes, folders: tuple[Path, ...] = ()) -> None:
        self.themes = themes
        self._folders = folders
        self._stamp = self._stamp_now()

    @property
    def names(self) -> list[str]:
        """The names of the themes."""
        return [theme.name for theme in self.themes.themes]

    def renew(self, register: Callable[[Theme], object]) -> tuple[set[str], tuple[str, ...]]:
        """Reads the folders again where a file has changed: which themes are others now, and what is bad of them."""
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return set(), ()
        self._stamp = stamp
        before = {theme.name: theme for theme in self.themes.themes}
        told_before = self.themes.problems
        self.themes = load_themes(*self._folders)
        changed = [theme for theme in self.themes.themes if before.get(theme.name) != theme]
        for theme in changed:
            register(theme)
        problems = tuple(problem for problem in self.themes.problems if problem not in told_before)
        return {theme.name for theme in changed}, problems

    def _stamp_now(self) -> Stamp:
        """Name, size and time of every file of the user's folder, which is the last."""
        found: list[tuple[str, int, int]] = []
        for folder in self._folders[-1:]:
            try:
                for path in folder.iterdir():
                    known = path.stat()
                    found.append((path.name, known.st_mtime_ns, known.st_size))
            except OSError:
                continue
        return tuple(sorted(found))
