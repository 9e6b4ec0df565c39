"""The pictures of the HTML snapshot, from a real browser: `python -m tests.pages` writes them to `screenshots/`.

The demo stack runs for real, its worker is hung, and the page is what `lifesign snapshot` writes once that is told.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from lifesign.demo.stack import DemoStack
from tests.browser import page
from tests.screenshots import FOLDER, _until

SIZES = (1280, 390)


async def pictures(path: Path) -> dict[str, bytes]:
    """By name: the page at `path` in every size, light and dark."""
    found = {}
    async with page() as tab:
        for width in SIZES:
            for scheme in ("light", "dark"):
                await tab.open(path, width, dark=scheme == "dark")
                found[f"snapshot-{width}-{scheme}"] = await tab.picture()
    return found


async def take() -> None:
    """Writes every picture."""
    with DemoStack() as stack, tempfile.TemporaryDirectory() as folder:
        lifesign = [sys.executable, "-m", "lifesign"]
        daemon = stack.spawn("daemon", ["-m", "lifesign", "run", "-c", str(stack.config_path)])
        try:
            await _until(stack, lambda state: state.overall == "healthy")
            [hang] = [scenario for scenario in stack.scenarios() if scenario.title == "the worker hangs"]
            hang.break_it()
            await _until(stack, lambda state: state.overall == "down")
            path = Path(folder) / "snapshot.html"
            words = [*lifesign, "snapshot", "-c", str(stack.config_path), "-o", str(path)]
            await asyncio.to_thread(subprocess.run, words, check=True, timeout=40)
        finally:
            daemon.terminate()
            daemon.wait()
        for name, picture in (await pictures(path)).items():
            (FOLDER / f"{name}.png").write_bytes(picture)


if __name__ == "__main__":
    asyncio.run(take())
