"""One browser's console: a process of its own that ends with the browser's connection, and the connection with it."""

import asyncio
import contextlib

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

PATIENCE_S = 5.0


class Session(AppService):
    """Starts `command` by `start(width, height)` in cells. `stop` is idempotent."""

    def __init__(self, command: str, browser: web.WebSocketResponse, downloads: DownloadManager) -> None:
        async def close() -> None:
            await browser.close()

        super().__init__(
            command,
            write_bytes=browser.send_bytes,
            write_str=browser.send_str,
            close=close,
            download_manager=downloads,
        )

    async def run(self) -> None:
        """Until the process ends: then the browser hears of it, also where it ends before it has drawn anything."""
        await super().run()
        await self.remote_close()

    async def stop(self) -> None:
        """Asks the process to end, and kills it where it does not within 5 s."""
        process, task = self._process, self._task
        if process is None:
            return
        await self._download_manager.cancel_app_downloads(self.app_service_id)
        if process.returncode is None:
            await self.send_meta({"type": "quit"})
        try:
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if task is not None:  # it may yet write down why the process has failed
            await asyncio.wait({task}, timeout=PATIENCE_S)
            task.cancel()
