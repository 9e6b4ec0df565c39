"""Two dialogs: one that asks before a deed, one that asks for a duration and a reason. Not here: what is done then.

For the first 300 ms a dialog takes no key: what was typed ahead was meant for the screen below. Its words come from
data, so they are drawn as lines like everything else. Whoever is asked for a reason begins there; in a question
enter goes from it to Cancel, never to the deed.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input

from lifesign.text import clean, parse_duration
from lifesign.tui.drawing.glyphs import Glyphs
from lifesign.tui.drawing.spans import Line, cut, safe, wrapped
from lifesign.tui.screens.console import Console
from lifesign.tui.widgets.filter import OneLine
from lifesign.tui.widgets.lines import Lines

DEAF_FOR_S = 0.3
_MOST_CELLS = 70
_MOST_REASON = 300
CANCEL = "cancel"


class Dialog(ModalScreen[tuple[str, ...] | None]):
    """A title, some words, whatever `fields` yields, and buttons. Its result is None where it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    AUTO_FOCUS = ""  # nothing, until it listens
    FIRST_FOCUS: ClassVar[str] = f"#{CANCEL}"

    def __init__(self, title: str, words: Sequence[str], choices: Sequence[tuple[str, str]]) -> None:
        """`choices`: the id and the label of each button beside Cancel."""
        super().__init__()
        self._heading = title
        self._words = tuple(words)
        self._choices = tuple(choices)
        self.listens = False

    def compose(self) -> ComposeResult:
        """A box in the middle."""
        with Vertical(id="dialog"):
            yield Lines(ground="bar", id="dialog-title")
            yield Lines(ground="bar", id="dialog-words")
            yield from self.fields()
            yield Lines(ground="bar", id="dialog-problem")
            with Horizontal(id="dialog-buttons"):
                yield Button("Cancel", id=CANCEL, compact=True, disabled=True)
                for name, label in self._choices:
                    yield Button(label, id=name, compact=True, disabled=True)

    def fields(self) -> ComposeResult:
        """What the operator fills in."""
        yield from ()

    @property
    def _glyphs(self) -> Glyphs:
        return cast("Console", self.app).scene().glyphs

    def on_mount(self) -> None:
        """Draws the words, and begins to listen after a moment."""
        self.set_class(self._glyphs.plain, "-plain")
        self._draw()
        self.set_timer(DEAF_FOR_S, self._listen)

    def on_resize(self) -> None:
        """The words are wrapped anew."""
        self._draw()

    def _listen(self) -> None:
        self.listens = True
        for control in self.query("Button, Input").results(Widget):
            control.disabled = False
        self.query_one(self.FIRST_FOCUS).focus()

    def _draw(self) -> None:
        width = max(min(_MOST_CELLS, self.app.size.width - 4) - 4, 20)
        glyphs = self._glyphs
        self.query_one("#dialog").styles.width = width + 4
        title: Line = cut([(safe(self._heading, glyphs, 200), "strong")], width, glyphs)
        self.query_one("#dialog-title", Lines).show([title])
        rows = [row for words in self._words for row in wrapped(words, width, glyphs)]
        body = self.query_one("#dialog-words", Lines)
        body.styles.height = len(rows) + 2
        body.show([(), *(cut([(row, "text")], width, glyphs) for row in rows)])

    def renew(self) -> None:
        """Something has changed below it."""

    def complain(self, words: str, role: str = "warn") -> None:
        """Says what is missing, or what comes next."""
        self.query_one("#dialog-problem", Lines).show([((safe(words, self._glyphs, 100), role),)])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or what the button stands for."""
        event.stop()
        if event.button.id == CANCEL:
            self.dismiss(None)
        elif self.listens:
            self.choose(event.button.id or "")

    def choose(self, choice: str) -> None:
        """The operator has chosen."""
        self.dismiss((choice,))

    def action_cancel(self) -> None:
        """Nothing is done."""
        if self.listens:
            self.dismiss(None)


class NoticeDialog(Dialog):
    """Asks why, and for how long where that applies. Its result is the choice, the duration as written, the reason."""

    FIRST_FOCUS = "#reason"

    def __init__(
        self,
        title: str,
        words: Sequence[str],
        label: str,
        *,
        duration: str | None = "1h",
        reason: str = "",
        needs_reason: bool = True,
    ) -> None:
        super().__init__(title, words, [("do", label)])
        self._duration = duration
        self._reason = reason
        self._needs_reason = needs_reason

    def fields(self) -> ComposeResult:
        """One line each."""
        if self._duration is not None:
            yield Lines(ground="bar", id="duration-label")
            yield OneLine(self._duration, id="duration", placeholder="10m, 2h, 1d", disabled=True)
            yield Lines(ground="bar", id="reason-label")
        optional = "" if self._needs_reason else " (may stay empty)"
        yield OneLine(
            self._reason, id="reason", placeholder=f"why, for whoever reads it later{optional}", disabled=True
        )

    def _draw(self) -> None:
        super()._draw()
        if self._duration is not None:
            for field, words in (("duration", "for how long (shift+tab goes there)"), ("reason", "why")):
                self.query_one(f"#{field}-label", Lines).show([((words, "muted"),)])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter does it."""
        event.stop()
        self.choose("do")

    def choose(self, choice: str) -> None:
        """Only with a duration that is one, and a reason."""
        duration = self.query_one("#duration", Input).value if self._duration is not None else ""
        reason = clean(self.query_one("#reason", Input).value, _MOST_REASON)
        try:
            if self._duration is not None:
                parse_duration(duration.strip())
        except ValueError as error:
            self.complain(str(error))
            self.query_one("#duration").focus()
            return
        if self._needs_reason and not reason:
            self.complain("a reason is needed: whoever comes next will ask")
            self.query_one("#reason").focus()
            return
        self.dismiss((choice, duration.strip(), reason))


class RestartDialog(Dialog):
    """Asks before a restart. Its result is the choice and the reason, which may stay empty.

    `words` are asked for again while it is open, so that it tells how things stand now.
    """

    FIRST_FOCUS = "#reason"

    def __init__(self, title: str, words: Callable[[], Sequence[str]], choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(title, words(), choices)
        self._words_now = words

    def fields(self) -> ComposeResult:
        """Why."""
        yield OneLine(id="reason", placeholder="why, for the history (may stay empty)", disabled=True)

    def renew(self) -> None:
        """Draws its words where they are others now."""
        words = tuple(self._words_now())
        if words != self._words and self.query("#dialog-words"):
            self._words = words
            self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the reason does nothing yet: it goes on to the buttons, where Cancel stands first."""
        event.stop()
        self.query_one(f"#{CANCEL}").focus()
        deed = self._choices[0][1]
        self.complain(f"the right arrow goes on to {deed}; enter on Cancel does nothing", "muted")

    def choose(self, choice: str) -> None:
        """With the reason, if one was given."""
        self.dismiss((choice, clean(self.query_one("#reason", Input).value, _MOST_REASON)))
