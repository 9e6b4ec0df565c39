"""Every view at 80x24 and 160x50 as it was last agreed on, and the main view in every theme, clock and host frozen.

`pytest tests/tui/test_pictures.py --snapshot-update` writes the pictures anew: look at them before you commit them.
Where one differs, pytest writes `snapshot_report.html`, which lays both over each other.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from pytest_textual_snapshot import SVGImageExtension
from textual.app import App
from textual.pilot import Pilot

from lifesign.api.documents import EventDocument, Notice, Process, State
from lifesign.tui.themes import load_themes, shipped_folder
from tests.tui.desk import sat_down
from tests.tui.documents import STATES, at, component, down_mind, state
from tests.tui.posing import Pose, Stage, sitter, strike
from tests.tui.test_time_travel import MIND_TAKEN, WENT_DOWN, WORKER_OPEN, turn

FOLDER = Path(__file__).parent / "__snapshots__" / "test_pictures"
SVGImageExtension.file_extension = "svg"  # it gives that under a name that syrupy has ceased to ask for
NOTICE = Notice(until=at(2520), author="bob (root)", reason="vendor outage", since=at(-60))
VIEWS = {
    "panels": ("1",),
    "table": ("2",),
    "component": ("2", "j", "enter"),
    "past": ("2", "j", "enter", "left_square_bracket"),
    "incidents": ("3",),
    "past-incidents": ("3", "left_square_bracket"),
    "silences": ("S",),
    "events": ("4",),
    "themes": ("2", "t"),
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


def _pose(name: str) -> Pose:
    view, _, size = name.rpartition("-")
    if view not in VIEWS:
        return Pose(("2",), SIZES[0], name.removeprefix("theme-"))
    width, height = (int(part) for part in size.split("x"))
    shows = {"events": "silence.added", "past": "THE PAST", "past-incidents": "THE PAST"}.get(view, "")
    return Pose(VIEWS[view], (width, height), shows=shows)


def _all() -> tuple[str, ...]:
    return (*NAMES, *(f"theme-{theme}" for theme in THEMES))


class Snap(Protocol):
    """The fixture `snap_compare` of pytest-textual-snapshot, as it is used here."""

    def __call__(
        self, app: App[int], *, terminal_size: tuple[int, int], run_before: Callable[[Pilot[int]], Awaitable[None]]
    ) -> bool:
        """Whether `app`, once `run_before` has driven it, looks as it was agreed on."""
        ...


@pytest.mark.parametrize("name", _all())
def test_the_screen_is_as_it_was_agreed_on(name: str, snap_compare: Snap) -> None:
    pose = _pose(name)
    turns = [turn(-900, None, WORKER_OPEN, MIND_TAKEN)]
    stage = Stage(document(), history(), moments=[WENT_DOWN], turns=turns)
    app, source = sitter(pose, stage)

    async def sit(pilot: Pilot[int]) -> None:
        await strike(await sat_down(app, pilot, source), pose, stage)

    assert snap_compare(app, terminal_size=pose.size, run_before=sit)


def test_every_picture_is_of_a_view_that_there_is() -> None:
    agreed_on = {path.stem.partition("[")[2].rstrip("]") for path in FOLDER.iterdir()}
    assert agreed_on == set(_all())


def test_no_picture_asks_for_a_font_of_another_host() -> None:
    assert [path.name for path in FOLDER.iterdir() if "@font-face" in path.read_text()] == []
