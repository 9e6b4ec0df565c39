"""Incidents and alerts: what is open, acknowledged, silenced or held, with author, reason and countdown."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from lifesign.api.documents import Component
from lifesign.api.past_incidents import IncidentsThen
from lifesign.tui.commands import INCIDENT_LIST, Command
from lifesign.tui.drawing.past_incidents import past_incident_lines
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.feed import Looking
from lifesign.tui.order import Arrangement, concerned
from lifesign.tui.screens.travelling import Travelling
from lifesign.tui.widgets.lines import Lines, Pageful
from lifesign.tui.widgets.listing import Cursor, marked_note
from lifesign.tui.widgets.lists import IncidentList


class IncidentsScreen(Travelling[IncidentsThen]):
    """A list, not a pile of toasts: open and untaken first. And what it was, where the past is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in INCIDENT_LIST]
    COMMAND_SET: ClassVar[tuple[Command, ...]] = INCIDENT_LIST

    def __init__(self, *, quiet_only: bool = False) -> None:
        super().__init__()
        self._quiet_only = quiet_only
        self._cursor = Cursor()
        self._arrangement = Arrangement()

    def body(self) -> ComposeResult:
        """One list, what stands there when it is empty, and the page of the past."""
        yield Lines(id="nothing")
        yield IncidentList(self._cursor, id="body")
        yield Pageful(id="past")

    def on_mount(self) -> None:
        """It begins in the present."""
        super().on_mount()
        self.query_one("#past").display = False

    def draw(self, scene: Scene) -> None:
        """Those that are concerned; the order waits while the cursor rests on one. Or those of then."""
        if self._turn_to_past(scene):
            return
        components = scene.snapshot.state.components if scene.snapshot.state else []
        rests = self._cursor.rests(scene.now_s)
        self._arrangement = concerned(components, self._arrangement.names, frozen=rests, quiet_only=self._quiet_only)
        nothing = self.query_one("#nothing", Lines)
        nothing.display = not self._arrangement.components
        open_too = "" if self._quiet_only else "no incident is open, and "
        nothing.show([((f" {open_too}nothing is silenced or held", "muted"),)])
        self.query_one("#body", IncidentList).show(scene, self._arrangement)

    def _turn_to_past(self, scene: Scene) -> bool:
        """Shows the page of the past where it is one, else the list."""
        moment, page = self.travel.moment, self.query_one("#past", Pageful)
        width = self.size.width - page.scrollbar_size_vertical  # known before the page is laid out
        if page.display is not (moment is not None):
            page.display = moment is not None
            self.query_one("#body").display = self.query_one("#nothing").display = moment is None
            (page if page.display else self.query_one("#body")).focus()
            self.call_after_refresh(self.refresh_scene)
        if moment is not None:
            page.show(past_incident_lines(moment, scene, width, self.ways(scene)))
        return moment is not None

    def looking(self) -> Looking[IncidentsThen]:
        """What was open."""
        return lambda source, step: source.past_incidents(step).moment

    def summary(self) -> tuple[str, list[str]]:
        """How many of each."""
        where, looking = super().summary()
        if where or looking:
            return where, looking
        shown = self._arrangement.components
        counts = (
            ("open", sum(one.incident is not None for one in shown)),
            ("silenced", sum(one.silence is not None for one in shown)),
            ("held", sum(one.hold is not None for one in shown)),
        )
        notes = ["the order is held while you read"] if self._arrangement.would_change else []
        if self._quiet_only:
            notes.append("only what is silenced or held; 3 shows the incidents too")
        notes += marked_note(self._cursor)
        return ", ".join(f"{count} {what}" for what, count in counts), notes

    def subjects(self) -> Sequence[Component]:
        """The marked, else the component under the cursor. Nothing can be done to the past."""
        if self.is_past():
            return ()
        return self.query_one("#body", IncidentList).chosen

    def action_mark(self) -> None:
        """Marks the component under the cursor, or takes its mark away."""
        if self.is_past():
            return
        self.query_one("#body", IncidentList).mark()
        self.refresh_scene()

    def restart_begun(self, component: str) -> None:
        """Shows it as it goes."""
        self.console.open(component)

    def on_listing_moved(self) -> None:
        """Nothing shall move under the cursor for a while."""
        self._cursor.moved_s = self.console.scene().now_s

    def on_listing_opened(self) -> None:
        """A double click opens."""
        self.action_open()

    def action_open(self) -> None:
        """Everything known of it."""
        if self.is_past():
            return
        if (current := self.query_one("#body", IncidentList).current) is not None:
            self.console.open(current.name)

    async def action_incidents(self) -> None:
        """All of them."""
        self._show_quiet_only(on=False)

    async def action_silences(self) -> None:
        """Only what is silenced or held."""
        self._show_quiet_only(on=True)

    def action_back(self) -> None:
        """Goes back to now, takes the marks away, or leaves."""
        if self._cursor.marked and self.travel.moment is None:
            self._cursor.marked.clear()
            self.refresh_scene()
        else:
            super().action_back()

    def _show_quiet_only(self, *, on: bool) -> None:
        self.travel.leave()
        self._quiet_only = on
        self._arrangement = Arrangement()
        self.refresh_scene()
