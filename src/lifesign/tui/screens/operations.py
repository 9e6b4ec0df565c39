"""The operator's actions on some components: which question each asks, and which deed follows from it.

The components are taken as they are shown when the key is pressed; the dialog names them, and the deed is for just
those. Not here: which components they are (`screens.operating`).
"""

from collections.abc import Callable, Sequence

from lifesign.api.documents import Component
from lifesign.records import dataclass
from lifesign.text import clean, parse_duration
from lifesign.tui.deeds import EXHAUSTED, Deed, Target
from lifesign.tui.drawing.asking import names_of, restart_words
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.screens.dialog import Dialog, NoticeDialog, RestartDialog

_Answer = tuple[str, ...] | None
_Components = Sequence[Component]


@dataclass(frozen=True, slots=True)
class Operations:
    """`act` carries out a deed, `tell` answers, `ask` opens a dialog and hands on its result."""

    act: Callable[[Deed], None]
    tell: Callable[[str, str], None]
    ask: Callable[[Dialog, Callable[[_Answer], None]], object]
    scene: Callable[[], Scene]

    def silence(self, components: _Components, duration: str = "1h", reason: str = "") -> None:
        """Silences them, or ends their silence without a question where all have one."""
        if self._all_end(components, [one for one in components if one.silence is not None], "unsilence"):
            return
        words = ["No alerts for a while. The state stays what it is. Of what was told before, the end is told."]
        dialog = NoticeDialog(f"silence {names_of(components)}", words, "Silence", duration=duration, reason=reason)
        self._ask_why(dialog, components, "silence")

    def hold(self, components: _Components, duration: str = "1h", reason: str = "") -> None:
        """Holds them, or releases them without a question where all are held."""
        if self._all_end(components, [one for one in components if one.hold is not None], "release"):
            return
        words = ["No automatic restart and no alert for a while: a deploy, an investigation."]
        dialog = NoticeDialog(f"hold {names_of(components)}", words, "Hold", duration=duration, reason=reason)
        self._ask_why(dialog, components, "hold")

    def acknowledge(self, components: _Components) -> None:
        """Tells that somebody has taken the open incidents."""
        for component in components:
            if component.incident is None:
                self.tell(f"{component.name} has no open incident", "warning")
            else:
                self.act(Deed(component.name, "ack"))

    def pause(self, components: _Components) -> None:
        """Stops their checks after a question, or starts them again without one where all are paused."""
        if self._all_end(components, [one for one in components if one.state == "paused"], "resume"):
            return
        words = ["The checks stop until they are resumed: nobody looks, and nothing is told."]
        dialog = NoticeDialog(f"pause {names_of(components)}", words, "Pause", duration=None, needs_reason=False)
        self._ask_why(dialog, components, "pause")

    def restart(self, components: _Components, begun: Callable[[str], None]) -> None:
        """Asks before a restart, or a re-arming where automatic restarts were given up.

        `begun` is told the name of a single component whose restart was asked for.
        """
        for component in components:
            if component.restart is None:
                self.tell(f"{component.name} has no restart section in the config", "warning")
        able = [one for one in components if one.restart is not None]
        if not able:
            return
        spent = [one.name for one in able if one.restart is not None and one.restart.phase == EXHAUSTED]
        choices = [("rearm", "Re-arm"), ("restart", "Restart now")] if spent else [("restart", "Restart")]
        title = f"{'re-arm or restart' if spent else 'restart'} {names_of(able)}"
        targets = [(one.name, Target.of(one)) for one in able]

        def answered(answer: _Answer) -> None:
            match answer:
                case ("rearm", *_):
                    for name in spent:
                        self.act(Deed(name, "rearm"))
                case ("restart", *_, reason):
                    for name, target in targets:
                        self.act(Deed(name, "restart", reason or None, target=target))
                    if len(targets) == 1:
                        begun(targets[0][0])

        self.ask(RestartDialog(title, restart_words(able, self.scene()), choices), answered)

    def run(self, action: str, component: Component, duration: str, reason: str, begun: Callable[[str], None]) -> bool:
        """Does by its name what a key would do to `component`; whether that is one of ours."""
        match action:
            case "silence":
                self.silence([component], duration or "1h", reason)
            case "hold":
                self.hold([component], duration or "1h", reason)
            case "acknowledge":
                self.acknowledge([component])
            case "pause":
                self.pause([component])
            case "restart":
                self.restart([component], begun)
            case _:
                return False
        return True

    def _all_end(self, components: _Components, laid: _Components, action: str) -> bool:
        """Whether all of them have it, so that the key ends it; and ends it."""
        if not components or len(laid) < len(components):
            return not components
        for component in components:
            self.act(Deed(component.name, action))
        return True

    def _ask_why(self, dialog: NoticeDialog, components: _Components, action: str) -> None:
        names = [component.name for component in components]

        def answered(answer: _Answer) -> None:
            if answer is not None:
                _, duration, reason = answer
                duration_s = parse_duration(duration) if duration else None
                for name in names:
                    self.act(Deed(name, action, clean(reason, 300) or None, duration_s))

        self.ask(dialog, answered)
