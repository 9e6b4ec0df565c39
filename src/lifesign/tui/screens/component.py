"""One component in full, as it is now or as it stood at one of its past changes."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from lifesign.api.documents import Component
from lifesign.api.past import PastState
from lifesign.api.report_documents import Report, Window
from lifesign.tui.commands import DETAIL, Command
from lifesign.tui.drawing.detail import detail_lines
from lifesign.tui.drawing.past import past_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.drawing.spans import cut, safe
from lifesign.tui.drawing.uptime import uptime_words
from lifesign.tui.feed import Looking, UptimeRead
from lifesign.tui.screens.travelling import Travelling
from lifesign.tui.widgets.lines import Pageful

UPTIME_EVERY_S = 300.0


class ComponentScreen(Travelling[PastState]):
    """Everything the state document holds of one component, kept up to date; and the past, where it is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in DETAIL]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = DETAIL

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component
        self._uptime_due_s = 0.0
        self.uptime: tuple[Window, ...] | None = None

    def body(self) -> ComposeResult:
        """One page."""
        yield Pageful(id="body")

    def draw(self, scene: Scene) -> None:
        """The component as it is now or was then, or that it is gone."""
        page = self.query_one("#body", Pageful)
        component = scene.snapshot.component(self._component)
        if component is None:
            words = f" {safe(self._component, scene.glyphs, 60)} is no longer watched"
            page.show([cut([(words, "warn")], page.line_cells, scene.glyphs)])
        elif self.travel.moment is not None:
            page.show(past_lines(component, self.travel.moment, scene, page.line_cells, self.ways(scene)))
        else:
            self._read_uptime(scene)
            uptime = "asking" if self.uptime is None else uptime_words(self.uptime)
            uptime = "" if scene.snapshot.archived else uptime
            page.show(detail_lines(component, scene, page.line_cells, uptime), gone=not scene.live)

    def _read_uptime(self, scene: Scene) -> None:
        """Asks for it now and then: it is made of all that happened, which takes its time."""
        if scene.now_s < self._uptime_due_s or not scene.live or scene.snapshot.archived:
            return

        def done(report: Report | None, problem: str) -> None:
            found = report.components if report is not None and not problem else []
            self.post_message(UptimeRead(tuple(window for one in found for window in one.windows)))

        asked = self.console.ask_aside(lambda source: source.report(self._component), done)
        self._uptime_due_s = scene.now_s + (UPTIME_EVERY_S if asked else 1.0)

    def on_uptime_read(self, message: UptimeRead) -> None:
        """It has come, or nobody can tell."""
        self.uptime = message.windows
        self.refresh_scene()

    def looking(self) -> Looking[PastState]:
        """How this component stood."""
        return lambda source, step: source.past(self._component, step).moment

    def subjects(self) -> Sequence[Component]:
        """The component as it is now. Nothing can be done to the past."""
        if self.is_past():
            return ()
        component = self.console.scene().snapshot.component(self._component)
        return () if component is None else (component,)
