"""What the operator has sent the console for, and what came of it. Toasts answer the operator's own actions alone."""

from collections.abc import Callable

from lifesign.tui.deeds import Deed
from lifesign.tui.feed import Acted, Feed, Probed

_MOST_TOLD = 3


class Errands:
    """One console's errands. `tell` shows a line, with "error" where it went wrong; `changed` redraws."""

    def __init__(self, feed: Feed, tell: Callable[[str, str], None], changed: Callable[[], None]) -> None:
        self._feed = feed
        self._tell = tell
        self._changed = changed
        self.in_hand: list[tuple[str, ...]] = []

    def probe(self, names: tuple[str, ...]) -> None:
        """Checks these components now."""
        if not names:
            return
        if self._feed.probe(names):
            self.in_hand.append(names)
            self._changed()
        else:
            self._tell("too much is being checked already", "warning")

    def act(self, deed: Deed) -> None:
        """Does what the operator has confirmed."""
        if not self._feed.act(deed):
            self._tell("too much is asked already: nothing was done", "error")

    def probed(self, message: Probed) -> None:
        """Components were checked."""
        self.in_hand.remove(message.names)
        for problem in message.problems[:_MOST_TOLD]:
            self._tell(f"not checked: {problem}", "error")
        done = len(message.names) - len(message.problems)
        if done:
            self._tell(
                f"checked {message.names[0] if len(message.names) == 1 else f'{done} components'}", "information"
            )

    def acted(self, message: Acted) -> None:
        """An action was done, or refused."""
        if message.problem:
            self._tell(f"{message.deed.action} {message.deed.component}: {message.problem}", "error")
        else:
            self._tell(message.deed.told(), "information")
