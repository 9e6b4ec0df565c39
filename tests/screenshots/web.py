"""`lifesign web` in a real browser, over the demo's stack, once its worker hangs and that is told."""

import asyncio
from collections.abc import Callable

from lifesign.api.client import Client
from lifesign.api.documents import State
from lifesign.api.failures import ClientError
from lifesign.demo.stack import DemoStack
from tests.browser import Page
from tests.e2e.served import served

SIZE = (1080, 740)
_PATIENCE_S = 60


async def web_picture(tab: Page) -> bytes:
    """The page, a component down on it."""
    with DemoStack() as stack:
        daemon = stack.spawn("daemon", ["-m", "lifesign", "run", "-c", str(stack.config_path)])
        try:
            await _until(stack, lambda state: state.overall == "healthy")
            with served(stack.config_path) as web:
                await tab.visit(web.url, *SIZE)
                await _shown(tab, "healthy")
                await asyncio.sleep(12)  # some history
                next(one for one in stack.scenarios() if one.title == "the worker hangs").break_it()
                await _shown(tab, "not working")
                await asyncio.sleep(5)
                return await tab.picture(whole=False)
        finally:
            daemon.terminate()
            daemon.wait()


async def _shown(tab: Page, words: str) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            if words in await tab.terminal():
                return
            await asyncio.sleep(0.2)


async def _until(stack: DemoStack, holds: Callable[[State], bool]) -> None:
    client = Client.of_state_dir(stack.state_dir)
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            try:
                if holds(await asyncio.to_thread(client.state)):
                    return
            except ClientError:
                pass
            await asyncio.sleep(0.1)
