"""Every command of the console, once: its key, footer label, palette entry, help line and the id it is remapped by.

Not here: what a command does. `action` names a method `action_...` of the screen or the app that shows it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from textual.binding import Binding

from lifesign.records import dataclass

_SPELLED = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "ctrl+p": "^p",
    "ctrl+c": "^c",
    "ctrl+l": "^l",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `keys`: Textual's names, separated by commas; empty for one that stands in the palette alone.

    `rank`: its place in the footer, 0 for one that stands only in the palette and the help. `acts`: it asks the daemon
    to do something, so that a read-only console does not have it.
    """

    id: str
    keys: str
    action: str
    label: str
    help: str
    rank: int = 0
    acts: bool = False

    def binding(self) -> Binding:
        """The binding that Textual routes, remappable by `id`."""
        return Binding(self.keys, self.action, self.label, show=False, id=self.id)

    def spelled_keys(self, *, plain: bool = False) -> str:
        """The keys as they are printed on a keyboard; `plain` in ASCII."""
        names = [key.strip() for key in self.keys.split(",")]
        arrows = {"up", "down", "left", "right"} if plain else set()
        return " ".join(name if name in arrows else _SPELLED.get(name, name) for name in names)


QUIT = Command("console.quit", "q", "app.quit", "quit", "end the console", rank=8)
HELP = Command("console.help", "question_mark", "app.help", "help", "this page", rank=1)
PALETTE = Command(
    "console.palette", "colon,ctrl+p", "app.command_palette", "palette", "find a command by its name", rank=10
)
THEME = Command("console.theme", "t", "app.choose_theme", "theme", "choose a colour theme, each shown as you go")
BELL = Command("console.bell", "b", "app.toggle_bell", "bell", "ring when a component goes down, or never")
REDRAW = Command(
    "console.redraw", "ctrl+l", "app.write_anew", "redraw", "draw the screen anew, if something has written over it"
)
BACK = Command(
    "console.back", "escape", "back", "back", "undo one thing: freeze, filter, marks, sort, cursor; or leave", rank=9
)
FREEZE = Command("console.freeze", "p", "app.freeze", "freeze", "freeze the display, or go on; collecting never stops")
COPY = Command("console.copy", "y", "copy", "copy", "copy name, state and reason to the clipboard")

OPEN = Command("component.open", "enter", "open", "open", "everything known of this component", rank=2)
PROBE = Command("component.probe", "c", "probe", "check", "check this component now", rank=3, acts=True)
PROBE_ALL = Command("component.probe_all", "C", "probe_all", "check all", "check every component shown, now", acts=True)
FILTER = Command("view.filter", "slash", "filter", "filter", "show what contains a text; !text what does not", rank=7)
PROBLEMS = Command("view.problems", "f", "problems", "problems", "show only what is not healthy, or all again", rank=15)
LOG = Command("component.log", "l", "log", "log", "the tail of its log or heartbeat file", rank=16)
LOG_SEARCH = Command("log.search", "slash", "search", "search", "look for a text, the newest line first", rank=3)
LOG_OLDER = Command("log.older", "n", "find(-1)", "older", "the next older line that contains it", rank=4)
LOG_NEWER = Command("log.newer", "N", "find(1)", "newer", "the next newer line that contains it", rank=5)
MARK = Command("component.mark", "space", "mark", "mark", "mark it, or not; actions apply to what is marked")
SORT_NEXT = Command("view.sort_next", "greater_than_sign", "sort(1)", "sort", "the next order")
SORT_PREVIOUS = Command("view.sort_previous", "less_than_sign", "sort(-1)", "sort back", "the order before")
SORT_REVERSE = Command("view.sort_reverse", "minus", "reverse", "reverse", "turn the order round")
PANELS = Command("view.panels", "1", "view('panels')", "panels", "a panel for each component", rank=13)
TABLE = Command("view.table", "2", "view('table')", "table", "a line for each component", rank=14)
SILENCE = Command(
    "component.silence", "s", "silence", "silence", "no alerts for a while, or end that", rank=4, acts=True
)
HOLD = Command("component.hold", "h", "hold", "hold", "no automatic restart for a while, or end that", acts=True)
ACK = Command(
    "component.ack", "a", "acknowledge", "ack", "tell that you have taken its open incident", rank=6, acts=True
)
RESTART = Command(
    "component.restart", "R", "restart", "restart", "restart or re-arm it, after a question", rank=5, acts=True
)
PAUSE = Command("component.pause", "P", "pause", "pause", "stop its checks, or start them again", acts=True)
INCIDENTS = Command(
    "view.incidents", "3", "incidents", "incidents", "what is open, acknowledged, silenced or held", rank=11
)
SILENCES = Command("view.silences", "S", "silences", "silences", "what is silenced or held, by whom and how long")
EVENTS = Command("view.events", "4", "events", "events", "what happened, newest last", rank=12)
EARLIER = Command(
    "past.earlier", "left_square_bracket", "travel(-1)", "past", "how it was at the change before", rank=7
)
LATER = Command("past.later", "right_square_bracket", "travel(1)", "later", "the change after, and at last the present")
EXPORT = Command("console.export", "x", "app.export", "export", "write the state shown to a file in this folder")

MOVES = (
    ("arrows, j k", "move the cursor"),
    ("pgup, pgdn", "a screenful up or down"),
    ("g home, G end", "to the first, to the last"),
)
OPERATE = (PROBE, SILENCE, HOLD, ACK, RESTART, PAUSE)
VIEWS = (PANELS, TABLE, INCIDENTS, EVENTS, SILENCES)
SORTS = (SORT_NEXT, SORT_PREVIOUS, SORT_REVERSE)
CONSOLE = (FREEZE, EXPORT, THEME, BELL, REDRAW, PALETTE, BACK, QUIT)
ON_COMPONENTS = (OPEN, *OPERATE, LOG)
MAIN = (HELP, OPEN, LOG, *OPERATE, PROBE_ALL, MARK, FILTER, PROBLEMS, *SORTS, *VIEWS, COPY, *CONSOLE)
DETAIL = (HELP, LOG, *OPERATE, EARLIER, LATER, *VIEWS, COPY, *CONSOLE)
INCIDENT_LIST = (HELP, OPEN, LOG, *OPERATE, MARK, EARLIER, LATER, *VIEWS, COPY, *CONSOLE)
PAGE = (*VIEWS, *CONSOLE)
EVENTS_PAGE = (HELP, FILTER, *PAGE)
LOG_PAGE = (HELP, LOG_SEARCH, LOG_OLDER, LOG_NEWER, LOG, *VIEWS, *CONSOLE)
ALL = (*MAIN, LOG_SEARCH, LOG_OLDER, LOG_NEWER, EARLIER, LATER)
ACTING = frozenset(command.action for command in ALL if command.acts)


def available(commands: Iterable[Command], *, read_only: bool, keys: Mapping[str, str]) -> tuple[Command, ...]:
    """`commands` as this console has them: remapped by `keys`, and without those that act if it is read-only."""
    allowed = (command for command in commands if not (read_only and command.acts))
    return tuple(replace(command, keys=keys.get(command.id, command.keys)) for command in allowed)


def complaints(keys: Mapping[str, str]) -> list[str]:
    """One line for each id in `keys` that no command has, with the nearest; and for each key that is taken already."""
    known = {command.id: command for command in ALL}
    told: list[str] = []
    for unknown in sorted(set(keys) - set(known)):
        nearest = get_close_matches(unknown, known, n=1, cutoff=0.5)
        told.append(f"console.keys: no command is called {unknown}{f', perhaps {nearest[0]}' if nearest else ''}")
    for command_id, wanted in keys.items():
        for other in ALL:
            taken = {key.strip() for key in keys.get(other.id, other.keys).split(",")}
            if command_id in known and other.id != command_id and taken & {key.strip() for key in wanted.split(",")}:
                told.append(f"console.keys: {wanted} of {command_id} is the key of {other.id} too")
    return told
