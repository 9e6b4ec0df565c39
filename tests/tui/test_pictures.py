"""Every view at 80x24 and 160x50 as it was last agreed on, and the main view in every theme, clock and host frozen.

`python -m tests.tui.test_pictures` writes the pictures anew: look at what changed before you commit it.
"""

import asyncio
import sys

import msgspec
import pytest

from lifesign.api.documents import EventDocument, Notice, Process, State
from lifesign.tui.themes import load_themes, shipped_folder
from tests.tui.documents import STATES, at, component, down_mind, state
from tests.tui.pictures import FOLDER, picture
from tests.tui.posing import Pose, posed
from tests.tui.test_time_travel import MIND_TAKEN, WENT_DOWN, WORKER_OPEN, turn

NOTICE = Notice(until=at(2520), author="bob (root)", reason="vendor outage", since=at(-60))
VIEWS = {
    "panels": ("1",),
    "table": ("2",),
    "component": ("2", "j", "enter"),
    "past": ("2", "j", "enter", "left_square_bracket"),
    "incidents": ("3",),
    "past-incidents": ("3", "left_square_bracket"),
    "events": ("4",),
    "help": ("question_mark",),
    "restart": ("2", "j", "R"),
    "silence": ("2", "j", "s"),
    "filter": ("2", "slash", "f", "e"),
}
SIZES = ((80, 24), (160, 50))
THEMES = tuple(theme.name for theme in load_themes(shipped_folder()).themes)
NAMES = tuple(f"{view}-{width}x{height}" for view in VIEWS for width, height in SIZES)


def document() -> State:
    """One component in each state, with all that may stand beside it."""
    mind = msgspec.structs.replace(down_mind(), process=Process(pid=3117, started_at=at(-11_100)))
    feed = component(
        "feed", "degraded", title="Market feed", diagnosis="2 of 3 failures", silence=NOTICE, flapping=True
    )
    return state([mind, feed, *(component(f"c-{word}", word) for word in STATES)], overall="down")


def history() -> list[EventDocument]:
    """Two events of it."""
    down = "alive and ready, but not working: no new work for 612 s (limit 300 s)"
    return [
        EventDocument(ts=at(-312), level="ERROR", event="component.down", component="mind", message=down),
        EventDocument(ts=at(-60), level="INFO", event="silence.added", component="feed", message="vendor outage"),
    ]


async def drawn(name: str) -> str:
    """The picture of that name: a view and a size, or a theme."""
    turns = [turn(-900, None, WORKER_OPEN, MIND_TAKEN)]
    async with posed(_pose(name), document(), history(), moments=[WENT_DOWN], turns=turns) as desk:
        return picture(desk)


def _pose(name: str) -> Pose:
    view, _, size = name.rpartition("-")
    if view not in VIEWS:
        return Pose(("2",), SIZES[0], name.removeprefix("theme-"))
    width, height = (int(part) for part in size.split("x"))
    shows = {"events": "silence.added", "past": "THE PAST", "past-incidents": "THE PAST"}.get(view, "")
    return Pose(VIEWS[view], (width, height), shows=shows)


def _all() -> tuple[str, ...]:
    return (*NAMES, *(f"theme-{theme}" for theme in THEMES))


@pytest.mark.parametrize("name", _all())
async def test_the_screen_is_as_it_was_agreed_on(name: str) -> None:
    assert await drawn(name) == (FOLDER / f"{name}.txt").read_text()


def test_every_picture_is_of_a_view_that_there_is() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(_all())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in _all():
        (FOLDER / f"{each}.txt").write_text(asyncio.run(drawn(each)))
        sys.stdout.write(f"{each}\n")
