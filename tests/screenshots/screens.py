"""The console's screens on the hour's last state, as SVG. No font of another host, and no number that changes."""

from pathlib import Path

from tests.screenshots.hour import hour
from tests.tui.posing import Pose, Stage, posed

FOLDER = Path(__file__).parent.parent.parent / "screenshots"
THREE_CHANGES_BACK = ("left_square_bracket",) * 3
POSES = {
    "panels": Pose(("1",), (120, 40)),
    "table": Pose(("2",), (120, 20)),
    "component": Pose(("1", "j", "enter"), (110, 46)),
    "past": Pose(("2", "G", "enter", *THREE_CHANGES_BACK), (110, 26), shows="THE PAST"),
    "restart": Pose(("1", "R"), (110, 30)),
    "incidents": Pose(("3",), (120, 20)),
    "80x24": Pose(("2",), (80, 24)),
    "contrast": Pose(("1",), (120, 28), "contrast"),
}


async def screen(name: str) -> str:
    """The picture of that name."""
    shown = hour()
    stage = Stage(shown.state, shown.history, shown.past, shown.moments, windows=shown.windows)
    async with posed(POSES[name], stage) as desk:
        return desk.app.export_screenshot(title="lifesign")
