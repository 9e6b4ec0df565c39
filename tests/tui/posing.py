"""The console, brought to a fixed state by keys, with its clock and host frozen: what pictures are taken of."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lifesign.api.documents import EventDocument, State
from lifesign.api.past import PastState
from lifesign.api.past_incidents import IncidentsThen
from lifesign.api.report_documents import Window
from lifesign.tui import app as app_module
from lifesign.tui.app import ConsoleApp
from tests.tui.desk import Desk, HandClock, installed, sat_down
from tests.tui.documents import HandSource

_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pose:
    """`keys` are pressed one after the other in a terminal of `size`. `shows`: what is waited for then."""

    keys: tuple[str, ...]
    size: tuple[int, int]
    theme: str = "night"
    shows: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """What there is to see. `past`: the documents that the console has seen before, oldest first; `moments`: what the
    daemon remembers of the component that is opened, and `turns`: of the incidents, likewise. `windows`: by component,
    its uptime.
    """

    document: State
    history: Iterable[EventDocument] = ()
    past: Iterable[State] = ()
    moments: Iterable[PastState] = ()
    turns: Iterable[IncidentsThen] = ()
    windows: Mapping[str, list[Window]] = field(default_factory=dict)


class Sitter(ConsoleApp):
    """The console, whose pictures ask nobody for a font."""

    CSS_PATH = str(Path(app_module.__file__).with_name("console.tcss"))

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """As SVG."""
        return _WEB_FONT.sub("", super().export_screenshot(title=title, simplify=simplify))


def sitter(pose: Pose, stage: Stage) -> tuple[Sitter, HandSource]:
    """The console on that stage, in the theme of the pose, not yet running."""
    app, source = installed(stage.document, HandClock(), Sitter, theme=pose.theme, author="alice")
    assert isinstance(app, Sitter)
    source.history, source.moments = list(stage.history), list(stage.moments)
    source.turns, source.windows_of = list(stage.turns), dict(stage.windows)
    return app, source


async def strike(desk: Desk, pose: Pose, stage: Stage) -> None:
    """Brings the running console to that pose, and everything on it to rest."""
    for before in stage.past:
        desk.app._memory.take(before)
    for key in pose.keys:
        await desk.press(key)
    await desk.until_shown(pose.shows)
    await desk.until(lambda: getattr(desk.app.screen, "listens", True), "no dialog listens")
    await desk.until(lambda: getattr(desk.app.screen, "uptime", ()) is not None, "no uptime was read")
    await desk.tick()
    focused = desk.app.focused
    if focused is not None and hasattr(focused, "cursor_blink"):
        focused.cursor_blink = False
        await desk.tick()


@asynccontextmanager
async def posed(pose: Pose, stage: Stage) -> AsyncIterator[Desk]:
    """The console in that pose."""
    app, source = sitter(pose, stage)
    async with app.run_test(size=pose.size) as pilot:
        desk = await sat_down(app, pilot, source)
        await strike(desk, pose, stage)
        yield desk
