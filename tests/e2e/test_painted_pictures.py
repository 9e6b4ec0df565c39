"""The PNG of `screenshots/` show what the program draws today, in whatever fonts this machine has."""

import struct
from collections.abc import AsyncIterator

import pytest

from tests.browser import PROGRAM, Page, page
from tests.restarts.needs import needs
from tests.screenshots.canvas import apart, squeezed
from tests.screenshots.painted import PAGES, measure, page_pictures, painted
from tests.screenshots.screens import FOLDER, POSES, screen
from tests.screenshots.web import SIZE

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240), needs(PROGRAM, root=False)]

MOST_APART = 5.0  # of 255; another font comes to 3, another screen to 7 and more
LEAST_TONES = 40  # a terminal without a word has fewer than ten


@pytest.fixture
async def tab() -> AsyncIterator[Page]:
    async with page() as opened:
        yield opened


def _size(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


async def test_the_painted_screens_are_those_of_the_console(tab: Page) -> None:
    for name in POSES:
        committed = (FOLDER / f"{name}.png").read_bytes()
        drawn = await screen(name)
        found = await apart(tab, committed, await painted(tab, drawn))
        assert _size(committed) == measure(drawn), f"{name}: python -m tests.screenshots"
        assert found.tones >= LEAST_TONES, name
        assert found.distance <= MOST_APART, f"{name} has changed: python -m tests.screenshots"


async def test_the_painted_pages_are_those_of_the_snapshot(tab: Page) -> None:
    drawn = await page_pictures(tab)
    assert len(drawn) == len(PAGES)
    for name, picture in drawn.items():
        found = await apart(tab, (FOLDER / f"{name}.png").read_bytes(), picture)
        assert found.sizes[0][0] == found.sizes[1][0], name
        assert found.tones >= LEAST_TONES, name
        assert found.distance <= MOST_APART, f"{name} has changed: python -m tests.screenshots"


async def test_the_picture_of_the_browser_is_not_blank(tab: Page) -> None:
    committed = (FOLDER / "web.png").read_bytes()
    found = await apart(tab, committed, committed)
    assert (_size(committed), found.tones >= LEAST_TONES) == (SIZE, True)


async def test_a_picture_in_256_colours_is_the_same_picture_and_another_one_is_not(tab: Page) -> None:
    whole = await painted(tab, await screen("table"))
    small = await squeezed(tab, whole)
    assert len(small) < len(whole) / 2
    assert (await apart(tab, small, whole)).distance < 1
    assert (await apart(tab, small, await painted(tab, await screen("incidents")))).distance > MOST_APART
