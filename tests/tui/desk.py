"""An operator's desk: the console on a source of the test's own, with keys to press and a screen to read."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from rich.segment import Segment
from textual.app import App
from textual.pilot import Pilot

from lifesign.api.documents import State
from lifesign.tui.app import ConsoleApp
from lifesign.tui.options import Options
from lifesign.tui.themes import load_themes, shipped_folder
from tests.tui.documents import HandSource


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s


class Desk:
    """The console as the operator has it before them."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[int], source: HandSource) -> None:
        self.app = app
        self.source = source
        self._pilot = pilot

    async def press(self, *keys: str) -> None:
        """Presses keys, and waits until the screen has followed."""
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def tell(self, document: State | None = None, *, problem: str = "") -> None:
        """The daemon's next answer, or why there is none; returns once the console has it."""
        self.source.document = document or self.source.document
        self.source.problem = problem
        self.app._feed.poll_soon()
        await self.until(lambda: self._has(problem), "the console did not take the answer")

    def _has(self, problem: str) -> bool:
        snapshot = self.app.snapshot
        return bool(snapshot.problem) if problem else not snapshot.problem and snapshot.state is self.source.document

    async def until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Waits until `holds()`."""
        deadline_s = time.monotonic() + 40
        while not holds():
            assert time.monotonic() < deadline_s, f"{otherwise}; the screen says:\n{self.text}"
            await self._pilot.pause(0.02)
        await self._pilot.pause()

    async def until_shown(self, text: str) -> None:
        """Waits until `text` stands on the screen."""
        await self.until(lambda: text in self.text, f"{text!r} is not shown")

    async def tick(self) -> None:
        """The tick of one second, now."""
        self.app._tick()
        await self._pilot.pause()

    async def resize(self, width: int, height: int) -> None:
        """Another size of the terminal."""
        await self._pilot.resize_terminal(width, height)
        await self._pilot.pause()

    @property
    def rows(self) -> list[list[Segment]]:
        """The screen's rows as they go to the terminal, after Textual's filters."""
        app: App[int] = self.app
        return [list(strip) for strip in app.screen._compositor.render_strips()]

    @property
    def lines(self) -> list[str]:
        """The screen's rows as text."""
        return ["".join(segment.text for segment in row) for row in self.rows]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    @property
    def toasts(self) -> list[str]:
        """What the console has told of the operator's own actions."""
        return [answer.words for answer in self.app._answers.kept]

    def line(self, containing: str) -> str:
        """The first row that contains a text."""
        found = [line for line in self.lines if containing in line]
        assert found, f"{containing!r} is not shown:\n{self.text}"
        return found[0]

    def colors(self, containing: str) -> set[str]:
        """The foreground colours of the row that contains a text."""
        row = next(row for row, line in zip(self.rows, self.lines, strict=True) if containing in line)
        return {s.style.color.name for s in row if s.style and s.style.color and s.text.strip()}


def installed(
    document: State,
    clock: Callable[[], float] | None = None,
    kind: type[ConsoleApp] = ConsoleApp,
    **options: object,
) -> tuple[ConsoleApp, HandSource]:
    """The console on `document`, not yet running. Where no clock is given, time stands still for it."""
    source = HandSource(document)
    chosen = Options(**{"themes": load_themes(shipped_folder()), **options})  # type: ignore[arg-type]
    return kind(lambda _: source, chosen, clock or HandClock()), source


async def sat_down(app: ConsoleApp, pilot: Pilot[int], source: HandSource) -> Desk:
    """The desk, once the running console shows the source's first document."""
    desk, document = Desk(app, pilot, source), source.document
    await desk.until(lambda: app.snapshot.state is document, "the console did not read the first document")
    return desk


@asynccontextmanager
async def seated(
    document: State,
    size: tuple[int, int] = (100, 30),
    clock: Callable[[], float] | None = None,
    **options: Any,
) -> AsyncIterator[Desk]:
    """The console, opened on `document` and showing it."""
    app, source = installed(document, clock, **options)
    async with app.run_test(size=size) as pilot:
        yield await sat_down(app, pilot, source)
