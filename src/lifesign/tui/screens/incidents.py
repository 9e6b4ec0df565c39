"""Incidents and alerts: what is open, acknowledged, silenced or held, with author, reason and countdown."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from lifesign.api.documents import Component
from lifesign.tui.commands import INCIDENT_LIST, Command
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.order import Arrangement, concerned
from lifesign.tui.screens.component import ComponentScreen
from lifesign.tui.screens.operating import Operating
from lifesign.tui.widgets.lines import Lines
from lifesign.tui.widgets.listing import Cursor, IncidentList


class IncidentsScreen(Operating):
    """A list, not a pile of toasts: open and untaken first."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in INCIDENT_LIST]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = INCIDENT_LIST

    def __init__(self) -> None:
        super().__init__()
        self._cursor = Cursor()
        self._arrangement = Arrangement()

    def body(self) -> ComposeResult:
        """One list, and what stands there when it is empty."""
        yield Lines(id="nothing")
        yield IncidentList(self._cursor, id="body")

    def draw(self, scene: Scene) -> None:
        """Those that are concerned; the order waits while the cursor rests on one."""
        components = scene.snapshot.state.components if scene.snapshot.state else []
        rests = self._cursor.rests(scene.now_s)
        self._arrangement = concerned(components, self._arrangement.names, frozen=rests)
        nothing = self.query_one("#nothing", Lines)
        nothing.display = not self._arrangement.components
        nothing.show([((" no incident is open, and nothing is silenced or held", "muted"),)])
        self.query_one("#body", IncidentList).show(scene, self._arrangement)

    def summary(self) -> tuple[str, list[str]]:
        """How many of each."""
        shown = self._arrangement.components
        counts = (
            ("open", sum(one.incident is not None for one in shown)),
            ("silenced", sum(one.silence is not None for one in shown)),
            ("held", sum(one.hold is not None for one in shown)),
        )
        notes = ["the order is held while you read"] if self._arrangement.would_change else []
        return ", ".join(f"{count} {what}" for what, count in counts), notes

    def subject(self) -> Component | None:
        """The component under the cursor."""
        return self.query_one("#body", IncidentList).current

    def restart_begun(self, component: str) -> None:
        """Shows it as it goes."""
        self.app.push_screen(ComponentScreen(component))

    def on_listing_moved(self) -> None:
        """Nothing shall move under the cursor for a while."""
        self._cursor.moved_s = self.console.scene().now_s

    def on_listing_opened(self) -> None:
        """A double click opens."""
        self.action_open()

    def action_open(self) -> None:
        """Everything known of it."""
        if (current := self.subject()) is not None:
            self.app.push_screen(ComponentScreen(current.name))

    async def action_incidents(self) -> None:
        """Here already."""
