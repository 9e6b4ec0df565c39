"""The pictures of README.md are what the console draws today, byte for byte.

`python -m tests.screenshots svg` writes them anew (`python -m tests.screenshots` also their PNG, by Chromium): look at
what changed before you commit it.
"""

import re
from pathlib import Path

import pytest

from tests.screenshots.painted import PAGES
from tests.screenshots.screens import FOLDER, POSES, screen

README = Path(__file__).parent.parent.parent / "README.md"
MOST_BYTES = 200_000


@pytest.mark.parametrize("name", POSES)
async def test_the_picture_is_what_the_console_draws(name: str) -> None:
    drawn = await screen(name)
    assert drawn == (FOLDER / f"{name}.svg").read_text(), "the screen has changed: python -m tests.screenshots svg"


def test_every_picture_is_made_by_the_command_and_small_and_asks_nobody_for_a_font() -> None:
    pages = [f"snapshot-{width}-{scheme}.png" for width, scheme in PAGES]
    made = {*(f"{name}.{kind}" for name in POSES for kind in ("svg", "png")), *pages, "web.png"}
    assert {path.name for path in FOLDER.iterdir()} == made
    assert [path.name for path in FOLDER.iterdir() if path.stat().st_size > MOST_BYTES] == []
    assert [path.name for path in FOLDER.glob("*.svg") if "@font-face" in path.read_text()] == []


def test_every_picture_that_the_readme_shows_is_there() -> None:
    shown = re.findall(r"screenshots/[\w.-]+", README.read_text())
    assert shown
    assert [path for path in shown if not (README.parent / path).is_file()] == []
