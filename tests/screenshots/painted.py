"""PNG made by a real browser: of the screens' SVG in the fonts of this machine, and of the HTML snapshot."""

import re
import tempfile
from pathlib import Path

from lifesign.tui.page import render_page
from tests.browser import Page
from tests.screenshots.hour import hour

SCALE = 0.75  # of an SVG's own measure: legible, and small
PAGES = tuple((width, scheme) for width in (1280, 390) for scheme in ("light", "dark"))
_VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def measure(svg: str) -> tuple[int, int]:
    """How wide and high the PNG of `svg` is."""
    found = _VIEW_BOX.search(svg)
    assert found is not None, svg[:200]
    return round(float(found[1]) * SCALE), round(float(found[2]) * SCALE)


async def painted(tab: Page, svg: str) -> bytes:
    """The PNG of `svg`, its corners clear."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "screen.svg"
        path.write_text(svg)
        await tab.call("Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0})
        await tab.visit(path.as_uri(), *measure(svg))
        picture = await tab.picture()
        await tab.call("Emulation.setDefaultBackgroundColorOverride")
        return picture


async def page_pictures(tab: Page) -> dict[str, bytes]:
    """By name: the HTML snapshot of the hour's last state, wide and narrow, light and dark."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.html"
        path.write_text(render_page(hour().state))
        for width, scheme in PAGES:
            await tab.open(path, width, dark=scheme == "dark")
            found[f"snapshot-{width}-{scheme}"] = await tab.picture()
    return found
