"""A page whose keys act on the components under the operator's hand: the marked ones, else the one under the cursor."""

from collections.abc import Sequence

from lifesign.api.documents import Component
from lifesign.text import clean
from lifesign.tui.drawing.scene import diagnosis_of
from lifesign.tui.screens.page import Page


class Operating(Page):
    """A page with components under the operator's hand."""

    def subjects(self) -> Sequence[Component]:
        """Those components."""
        raise NotImplementedError

    def restart_begun(self, component: str) -> None:
        """A restart was asked for: the screen may show it."""

    def action_probe(self) -> None:
        """Checks them now."""
        self.console.probe(tuple(one.name for one in self.subjects()))

    def action_silence(self) -> None:
        """Silences them, or ends their silence."""
        self.console.operations.silence(self.subjects())

    def action_hold(self) -> None:
        """Holds them, or releases them."""
        self.console.operations.hold(self.subjects())

    def action_acknowledge(self) -> None:
        """Tells that somebody has taken the open incidents."""
        self.console.operations.acknowledge(self.subjects())

    def action_pause(self) -> None:
        """Stops their checks, or starts them again."""
        self.console.operations.pause(self.subjects())

    def action_restart(self) -> None:
        """Asks before a restart, or a re-arming."""
        self.console.operations.restart(self.subjects(), self.restart_begun)

    def action_log(self) -> None:
        """Shows the tail of what the first of them writes."""
        for component in self.subjects()[:1]:
            self.console.open_log(component)

    def action_copy(self) -> None:
        """Copies what stands there, one line each."""
        chosen = self.subjects()
        if not chosen:
            return
        lines = [_line(component) for component in chosen]
        self.app.copy_to_clipboard("\n".join(lines))
        self.console.tell(f"copied: {lines[0] if len(lines) == 1 else f'{len(lines)} lines'}")


def _line(component: Component) -> str:
    """`mind: down since 2026-11-21T11:54:48.000Z: no new work for 612 s; restart in 41 s`."""
    why = diagnosis_of(component)
    words = f"{component.name}: {component.state} since {component.since}{f': {why}' if why else ''}"
    return clean(f"{words}{f'; {component.next}' if component.next else ''}", 1000)
