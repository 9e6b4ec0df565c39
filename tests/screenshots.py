"""The pictures of README.md, from the running program: `python -m tests.screenshots` writes `screenshots/`.

The demo stack runs for real, its worker is hung, and the console over its daemon is exported once the breaking is told.
"""

import asyncio
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from lifesign.api.address import socket_path
from lifesign.api.client import Client
from lifesign.api.documents import State
from lifesign.api.failures import ClientError
from lifesign.demo.stack import DemoStack
from lifesign.tui.app import ConsoleApp
from lifesign.tui.options import Options
from lifesign.tui.themes import load_themes, shipped_folder

FOLDER = Path(__file__).parent.parent / "screenshots"
WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture asks no other host for anything


async def _until(stack: DemoStack, holds: Callable[[State], bool]) -> None:
    client = Client.of_state_dir(stack.state_dir)
    async with asyncio.timeout(40):
        while True:
            try:
                if holds(await asyncio.to_thread(client.state)):
                    return
            except ClientError:
                pass
            await asyncio.sleep(0.1)


async def _picture(stack: DemoStack, size: tuple[int, int], *keys: str) -> str:
    options = Options(themes=load_themes(shipped_folder()))
    target = f"unix:{socket_path(stack.state_dir)}"
    app = ConsoleApp(lambda timeout_s: Client.connect(target, timeout_s), options)
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(10):
            while not app.snapshot.state:
                await pilot.pause(0.05)
        await pilot.press(*keys)
        await pilot.pause(1.2)
        return WEB_FONT.sub("", app.export_screenshot(title="lifesign"))


async def take() -> None:
    """Writes every picture."""
    with DemoStack() as stack:
        daemon = stack.spawn("daemon", ["-m", "lifesign", "run", "-c", str(stack.config_path)])
        try:
            await _until(stack, lambda state: state.overall == "healthy")
            [hang] = [scenario for scenario in stack.scenarios() if scenario.title == "the worker hangs"]
            hang.break_it()
            await _until(stack, lambda state: state.overall == "down")
            await asyncio.sleep(3)
            pictures = {
                "console": await _picture(stack, (110, 34), "1"),
                "table": await _picture(stack, (110, 20), "2"),
                "component": await _picture(stack, (110, 40), "1", "enter"),
                "80x24": await _picture(stack, (80, 24), "2"),
            }
        finally:
            daemon.terminate()
            daemon.wait()
    for name, picture in pictures.items():
        (FOLDER / f"{name}.svg").write_text(picture)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(take())
    print(subprocess.run(["ls", "-l", str(FOLDER)], capture_output=True, text=True, check=True).stdout)  # noqa: T201
