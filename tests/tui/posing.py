"""The console, brought to a fixed state by keys, with its clock and host frozen: what pictures are taken of."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lifesign.api.documents import EventDocument, State
from lifesign.api.past import PastState
from lifesign.api.past_incidents import IncidentsThen
from lifesign.api.reporting import Window
from tests.tui.desk import Desk, HandClock, seated


@dataclass(frozen=True, slots=True)
class Pose:
    """`keys` are pressed one after the other in a terminal of `size`. `shows`: what is waited for then."""

    keys: tuple[str, ...]
    size: tuple[int, int]
    theme: str = "night"
    shows: str = ""


@asynccontextmanager
async def posed(
    pose: Pose,
    document: State,
    history: Iterable[EventDocument],
    past: Iterable[State] = (),
    moments: Iterable[PastState] = (),
    turns: Iterable[IncidentsThen] = (),
    windows: Mapping[str, list[Window]] | None = None,
) -> AsyncIterator[Desk]:
    """The console on `document`, as `pose` says. `past`: what it has seen before, oldest first; `moments`:
    what the daemon remembers of the component that is opened, and `turns`: of the incidents, likewise.
    `windows`: by component, its uptime.
    """
    async with seated(document, pose.size, HandClock(), theme=pose.theme, author="alice") as desk:
        desk.source.history, desk.source.moments = list(history), list(moments)
        desk.source.turns, desk.source.windows_of = list(turns), dict(windows or {})
        for before in past:
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
        yield desk
