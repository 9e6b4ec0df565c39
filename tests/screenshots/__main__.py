"""`python -m tests.screenshots` writes every picture, `python -m tests.screenshots svg` those that need no browser."""

import asyncio
import sys

from tests.browser import page
from tests.screenshots.canvas import squeezed
from tests.screenshots.painted import page_pictures, painted
from tests.screenshots.screens import FOLDER, POSES, screen
from tests.screenshots.web import web_picture


def _write(name: str, data: bytes) -> None:
    (FOLDER / name).write_bytes(data)
    sys.stdout.write(f"{name}: {len(data) // 1024} KiB\n")


async def screens() -> None:
    """The SVG of every screen."""
    for name in POSES:
        _write(f"{name}.svg", (await screen(name)).encode())


async def paintings() -> None:
    """The PNG of every SVG, of the HTML snapshot, and of the console in a browser."""
    async with page() as tab:
        found = {name: await painted(tab, (FOLDER / f"{name}.svg").read_text()) for name in POSES}
        found |= await page_pictures(tab)
    async with page() as tab:
        found["web"] = await web_picture(tab)
    async with page() as tab:
        for name, picture in found.items():
            _write(f"{name}.png", await squeezed(tab, picture))


async def _all() -> None:
    await screens()
    if sys.argv[1:] != ["svg"]:
        await paintings()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(_all())
