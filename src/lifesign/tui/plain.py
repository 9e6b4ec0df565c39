"""The console without a terminal: one line for each transition. It is also the screen reader's console.

Here for `TERM=dumb`, a pipe, a log. It imports no textual.
"""

import select
import threading
import time
from collections.abc import Callable
from typing import TextIO

from lifesign.api.documents import Component, State
from lifesign.api.failures import ClientError
from lifesign.text import clean
from lifesign.tui.source import StateSource

POLL_EVERY_S = 1.0


class PlainConsole:
    """Tells first what is, then what changes. `say` writes one line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: dict[str, str] | None = None
        self._overall = ""
        self._problem = ""
        self._rejected = ""
        self._seen_at = ""

    def take(self, state: State | None, problem: str) -> None:
        """One poll's answer, or why there was none."""
        if state is None:
            if problem != self._problem:
                since = f" since {self._seen_at}" if self._seen_at else ""
                self._say(f"disconnected{since}: {clean(problem, 200)}; trying again every second")
            self._problem = problem
            return
        if self._problem:
            self._say(f"{clean(state.generated_at, 40)} connected again")
        self._problem, self._seen_at = "", clean(state.generated_at, 40)
        self._tell_changes(state)

    def _tell_changes(self, state: State) -> None:
        first = self._told is None
        before, self._told = self._told or {}, {component.name: component.state for component in state.components}
        for component in state.components:
            was = before.get(component.name)
            if was != component.state:
                self._say(f"{self._seen_at} {transition(component, None if first else was or 'not watched')}")
        for name in before.keys() - self._told.keys():
            self._say(f"{self._seen_at} {clean(name, 60)}: no longer watched")
        rejected = (state.monitor.config.rejected if state.monitor.config else "") or ""
        if rejected != self._rejected:
            self._rejected = rejected
            words = f"was not reloaded: {clean(rejected, 300)}" if rejected else "was reloaded"
            self._say(f"{self._seen_at} the config {words}")
        if state.overall != self._overall:
            self._overall = state.overall
            self._say(f"{self._seen_at} overall: {clean(state.overall, 20)}")


def transition(component: Component, was: str | None) -> str:
    """`mind: down (was healthy): no new work for 612 s; next: restart in 41 s`."""
    before = f" (was {clean(was, 20)})" if was else ""
    diagnosis = clean(component.diagnosis).removeprefix(f"{component.state}: ")
    why = f": {diagnosis}" if diagnosis else ""
    following = f"; next: {clean(component.next)}" if component.next else ""
    return f"{clean(component.name, 60)}: {clean(component.state, 20)}{before}{why}{following}"


def _reader_has_gone(out: TextIO) -> bool:
    """Whether `out` is a pipe that nobody reads any more: told before the next line, which may be hours away."""
    try:
        watched = select.poll()
        watched.register(out.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in watched.poll(0))
    except (OSError, ValueError):  # no descriptor behind it
        return False


def run_plain(source: StateSource, out: TextIO, notes: tuple[str, ...] = (), *, archived: bool = False) -> int:
    """Polls once a second until it is interrupted or nobody reads any more; 0. A file (`archived`) is told once."""
    console = PlainConsole(lambda line: print(_encodable(line, out), file=out, flush=True))
    try:
        for note in notes:
            print(_encodable(clean(note), out), file=out, flush=True)
        while True:
            started_s = time.monotonic()
            try:
                console.take(source.state(), "")
            except ClientError as error:
                console.take(None, error.detail)
            if archived:
                return 0
            threading.Event().wait(max(0.1, POLL_EVERY_S - (time.monotonic() - started_s)))
            if _reader_has_gone(out):
                return 0
    except (KeyboardInterrupt, BrokenPipeError):
        return 0


def _encodable(line: str, out: TextIO) -> str:
    encoding = out.encoding or "utf-8"
    return line.encode(encoding, "replace").decode(encoding, "replace")
