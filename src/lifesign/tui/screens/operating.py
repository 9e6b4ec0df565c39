"""The operator's actions on the component of a screen: which question each key asks, and which deed follows from it.

The component is taken as it is shown when the key is pressed; the dialog names it, and the deed is for just that.
"""

from collections.abc import Callable
from functools import partial

from lifesign.api.documents import Component
from lifesign.text import clean, parse_duration
from lifesign.tui.deeds import EXHAUSTED, Deed, Target
from lifesign.tui.screens.dialog import Dialog, NoticeDialog
from lifesign.tui.screens.page import Page

_Answer = tuple[str, ...] | None


class Operating(Page):
    """A page with a component under the operator's hand."""

    def subject(self) -> Component | None:
        """That component."""
        raise NotImplementedError

    def restart_begun(self, component: str) -> None:
        """A restart was asked for: the screen may show it."""

    def action_probe(self) -> None:
        """Checks it now."""
        if (component := self.subject()) is not None:
            self.console.probe((component.name,))

    def action_silence(self) -> None:
        """Silences it, or ends its silence without a question."""
        if (component := self.subject()) is None:
            return
        if component.silence is not None:
            self.console.act(Deed(component.name, "unsilence"))
            return
        words = ["No alerts for a while. The state stays what it is, and a recovery is told."]
        self._ask_why(NoticeDialog(f"silence {component.name}", words, "Silence"), component.name, "silence")

    def action_hold(self) -> None:
        """Holds it, or releases it without a question."""
        if (component := self.subject()) is None:
            return
        if component.hold is not None:
            self.console.act(Deed(component.name, "release"))
            return
        words = ["No automatic restart and no alert for a while: a deploy, an investigation."]
        self._ask_why(NoticeDialog(f"hold {component.name}", words, "Hold"), component.name, "hold")

    def action_acknowledge(self) -> None:
        """Tells that somebody has taken the open incident."""
        if (component := self.subject()) is None:
            return
        if component.incident is None:
            self.console.tell(f"{component.name} has no open incident", "warning")
            return
        self.console.act(Deed(component.name, "ack"))

    def action_pause(self) -> None:
        """Stops its checks after a question, or starts them again without one."""
        if (component := self.subject()) is None:
            return
        if component.state == "paused":
            self.console.act(Deed(component.name, "resume"))
            return
        words = ["Its checks stop until it is resumed: nobody looks, and nothing is told."]
        dialog = NoticeDialog(f"pause {component.name}", words, "Pause", duration=None, needs_reason=False)
        self._ask_why(dialog, component.name, "pause")

    def action_restart(self) -> None:
        """Asks before a restart, or a re-arming where automatic restarts were given up."""
        if (component := self.subject()) is None:
            return
        if component.restart is None:
            self.console.tell(f"{component.name} has no restart section in the config", "warning")
            return
        exhausted = component.restart.phase == EXHAUSTED
        choices = [("rearm", "Re-arm"), ("restart", "Restart now")] if exhausted else [("restart", "Restart")]
        title = f"{'re-arm or restart' if exhausted else 'restart'} {component.name}"
        dialog = Dialog(title, self._restart_words(component, exhausted=exhausted), choices)
        self.app.push_screen(dialog, partial(self._restart, component.name, Target.of(component)))

    def _restart_words(self, component: Component, *, exhausted: bool) -> list[str]:
        restart = component.restart
        assert restart is not None
        scene, target = self.console.scene(), Target.of(component)
        running = f", running for {scene.age(target.started_at)}" if target.started_at else ""
        words = [
            f"{component.state} for {scene.age(component.since)}"
            + (f": {clean(component.diagnosis, 200)}" if component.diagnosis else ""),
            f"by {restart.method}: {target.words()}{running}",
        ]
        if exhausted:
            words.append(
                f"Automatic restarts were given up after {restart.unproductive} in vain. Re-arm allows them again, "
                "and their counts begin anew."
            )
        return words

    def _restart(self, component: str, target: Target, answer: _Answer) -> None:
        match answer:
            case ("rearm",):
                self.console.act(Deed(component, "rearm"))
            case ("restart",):
                self.console.act(Deed(component, "restart", target=target))
                self.restart_begun(component)

    def _ask_why(self, dialog: NoticeDialog, component: str, action: str) -> None:
        def answered(answer: _Answer) -> None:
            if answer is not None:
                _, duration, reason = answer
                duration_s = parse_duration(duration) if duration else None
                self.console.act(Deed(component, action, reason or None, duration_s))

        callback: Callable[[_Answer], None] = answered
        self.app.push_screen(dialog, callback)
