"""The operator's actions on some components: which question each asks, and which deed follows from it.

The components are taken as they are shown when the key is pressed; the dialog names them, and the deed is for just
those. Not here: which components they are (`screens.operating`).
"""

from collections.abc import Callable, Mapping, Sequence

from lifesign.api.documents import Component
from lifesign.records import dataclass
from lifesign.text import clean, parse_duration
from lifesign.tui.deeds import EXHAUSTED, Deed, Target
from lifesign.tui.drawing.asking import names_of, restart_words
from lifesign.tui.drawing.scene import Scene
from lifesign.tui.screens.dialog import Dialog, NoticeDialog, RestartDialog

_USUAL = "1h"
_Answer = tuple[str, ...] | None
_Components = Sequence[Component]


@dataclass(frozen=True, slots=True)
class Operations:
    """`act` carries out a deed, `tell` answers, `ask` opens a dialog and hands on its result."""

    act: Callable[[Deed], None]
    tell: Callable[[str, str], None]
    ask: Callable[[Dialog, Callable[[_Answer], None]], object]
    scene: Callable[[], Scene]

    def silence(self, components: _Components, duration: str = "", reason: str = "") -> None:
        """Silences them, or ends their silence without a question where all have one and no `duration` is asked for."""
        if not duration and self._all_end(
            components, [one for one in components if one.silence is not None], "unsilence"
        ):
            return
        if duration and reason:
            self._do(components, "silence", duration, reason)
            return
        words = ["No alerts for a while. The state stays what it is. Of what was told before, the end is told."]
        dialog = NoticeDialog(
            f"silence {names_of(components)}", words, "Silence", duration=duration or _USUAL, reason=reason
        )
        self._ask_why(dialog, components, "silence")

    def hold(self, components: _Components, duration: str = "", reason: str = "") -> None:
        """Holds them, or releases them without a question where all are held and no `duration` is asked for."""
        if not duration and self._all_end(components, [one for one in components if one.hold is not None], "release"):
            return
        if duration and reason:
            self._do(components, "hold", duration, reason)
            return
        words = ["No automatic restart and no alert for a while: a deploy, an investigation."]
        dialog = NoticeDialog(f"hold {names_of(components)}", words, "Hold", duration=duration or _USUAL, reason=reason)
        self._ask_why(dialog, components, "hold")

    def acknowledge(self, components: _Components, reason: str = "") -> None:
        """Tells that somebody has taken the open incidents, and what they may want to add."""
        for component in components:
            if component.incident is None:
                self.tell(f"{component.name} has no open incident", "warning")
        concerned = [one for one in components if one.incident is not None]
        if reason:
            self._do(concerned, "ack", "", reason)
        elif concerned:
            words = ["Whoever looks next sees that you have taken its open incident."]
            title = f"acknowledge {names_of(concerned)}"
            dialog = NoticeDialog(title, words, "Acknowledge", duration=None, needs_reason=False)
            self._ask_why(dialog, concerned, "ack")

    def pause(self, components: _Components, reason: str = "") -> None:
        """Stops their checks after a question, or starts them again without one where all are paused."""
        if self._all_end(components, [one for one in components if one.state == "paused"], "resume"):
            return
        words = ["The checks stop until they are resumed: nobody looks, and nothing is told."]
        dialog = NoticeDialog(
            f"pause {names_of(components)}", words, "Pause", duration=None, reason=reason, needs_reason=False
        )
        self._ask_why(dialog, components, "pause")

    def restart(self, components: _Components, begun: Callable[[str], None]) -> None:
        """Asks before a restart, or a re-arming where automatic restarts were given up.

        `begun` is told the name of a single component whose restart was asked for.
        """
        able = self._with_restart(components)
        if not able:
            return
        spent = [one.name for one in able if one.restart is not None and one.restart.phase == EXHAUSTED]
        choices = [("rearm", "Re-arm"), ("restart", "Restart now")] if spent else [("restart", "Restart")]
        title = f"{'re-arm or restart' if spent else 'restart'} {names_of(able)}"
        targets = {one.name: Target.of(one) for one in able}

        def answered(answer: _Answer) -> None:
            match answer:
                case ("rearm", *_):
                    for name in spent:
                        self.act(Deed(name, "rearm"))
                case ("restart", *_, reason):
                    self._restart(targets, reason, begun)
                case _:
                    self.tell(f"not {'re-armed' if spent else 'restarted'}: {names_of(able)}", "information")

        self.ask(RestartDialog(title, lambda: restart_words(able, self.scene(), targets), choices), answered)

    def _with_restart(self, components: _Components) -> list[Component]:
        """Those that can be restarted; of the others it is told."""
        for component in components:
            if component.restart is None:
                self.tell(f"{component.name} has no restart section in the config", "warning")
        return [one for one in components if one.restart is not None]

    def _restart(self, targets: Mapping[str, Target], reason: str, begun: Callable[[str], None]) -> None:
        for name, target in targets.items():
            self.act(Deed(name, "restart", reason or None, target=target))
        if len(targets) == 1:
            begun(next(iter(targets)))

    def run(self, action: str, component: Component, duration: str, reason: str, begun: Callable[[str], None]) -> bool:
        """Does by its name what a key would do to `component`; whether that is one of ours."""
        match action:
            case "silence":
                self.silence([component], duration, reason)
            case "hold":
                self.hold([component], duration, reason)
            case "acknowledge":
                self.acknowledge([component], f"{duration} {reason}".strip())
            case "pause":
                self.pause([component], f"{duration} {reason}".strip())
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
        def answered(answer: _Answer) -> None:
            if answer is not None:
                _, duration, reason = answer
                self._do(components, action, duration, reason)

        self.ask(dialog, answered)

    def _do(self, components: _Components, action: str, duration: str, reason: str) -> None:
        duration_s = parse_duration(duration) if duration else None
        for component in components:
            self.act(Deed(component.name, action, clean(reason, 300) or None, duration_s))
