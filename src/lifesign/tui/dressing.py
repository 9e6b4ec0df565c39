"""The app as far as it wears themes: it paints in the chosen one, offers the others, and follows what is saved.

Not here: what it shows (`app`).
"""

from textual.theme import Theme

from lifesign.tui.kept import keep
from lifesign.tui.options import Options
from lifesign.tui.painter import Painter
from lifesign.tui.screens.themes import ThemePicker
from lifesign.tui.sparing import SparingApp
from lifesign.tui.themes import ANSI_THEME, FALLBACK_VARIABLES
from lifesign.tui.wardrobe import Wardrobe


class DressedApp(SparingApp):
    """An app in one of lifesign's themes."""

    def __init__(self, options: Options) -> None:
        self._options = options
        # NO_COLOR must find native colours when Textual chooses its filter, or failures end up black on black.
        super().__init__(ansi_color=None if options.color else True)
        self.animation_level = "none"
        self._wardrobe = Wardrobe(options.themes, options.theme_folders)
        for theme in options.themes.themes:
            self.register_theme(theme)
        wanted = options.theme if options.color else ANSI_THEME
        self.theme = wanted if wanted in self.available_themes else "textual-dark"
        self.painter = Painter.of(self.current_theme)

    def follow_themes(self) -> None:
        """From now on a change of the theme repaints."""
        self.theme_changed_signal.subscribe(self, self._repaint)

    def renew_themes(self) -> None:
        """A theme file that was saved changes the running screen; a bad one is told, and changes nothing."""
        changed, problems = self._wardrobe.renew(self.register_theme)
        if self.theme in changed:
            self._watch_theme(self.theme)
        for problem in problems:
            self.tell(problem, severity="warning")

    def action_choose_theme(self) -> None:
        """Opens the theme picker."""
        if not self._options.color or not self._wardrobe.names:
            self.tell("NO_COLOR is set: the console keeps to the terminal's own colours")
        else:
            self.push_screen(ThemePicker(self._wardrobe.names, self.theme))

    def keep_theme(self, name: str) -> None:
        """The operator stays with `name`: the next console wears it too, where that can be kept."""
        file = self._options.kept_in
        problem = keep(file, name) if file is not None else ""
        if problem:
            self.tell(f"theme {name}, for this console alone: {problem}", severity="warning")
        else:
            self.tell(f"theme {name}{', kept for the next console too' if file is not None else ''}")

    def tell(self, text: str, severity: str = "information") -> None:
        """An answer to the operator's own action."""
        raise NotImplementedError

    def _repaint(self, theme: Theme) -> None:
        self.painter = Painter.of(theme)
        self.call_after_refresh(self._repaint_everything)

    def _repaint_everything(self) -> None:
        """Also what lies below a dialog, and what no style sheet knows to have changed."""
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.query("*"):
                widget.refresh()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for a theme of Textual's that lacks them."""
        return dict(FALLBACK_VARIABLES)
