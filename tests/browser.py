"""A headless Chromium that is driven over its own protocol (DevTools), with nothing between it and the test.

It resolves no name and reaches nobody but this machine; what a page asks for all the same is written down.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = "chromium"
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-lcd-text",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)
_READY = re.compile(rb"DevTools listening on (ws://\S+)")
_PATIENCE_S = 60.0
_DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
_TERMINAL = """function () {
  for (const one of this) {
    try {
      if (!one.loadAddon || !one.buffer.active) continue;
      const lines = one.buffer.active;
      return Array.from({length: one.rows}, (_, row) => lines.getLine(row).translateToString(true)).join("\\n");
    } catch { continue; }
  }
  return "";
}"""


class Page:
    """One tab. `asked_for`: the address of every request that it made. `complaints`: the browser's about the page."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._connection = connection
        self._session = session
        self._numbers = itertools.count(1)
        self.asked_for: list[str] = []
        self.complaints: list[str] = []
        self._loaded = False

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command, and its answer. Raises AssertionError where it is refused."""
        number = next(self._numbers)
        await self._connection.send_json(
            {"id": number, "sessionId": self._session, "method": method, "params": parameters}
        )
        while (message := await self._next()).get("id") != number:
            pass
        assert "error" not in message, (method, message["error"])
        result = message["result"]
        assert isinstance(result, dict)
        return result

    async def _next(self) -> dict[str, Any]:
        async with asyncio.timeout(_PATIENCE_S):
            message: dict[str, Any] = json.loads(await self._connection.receive_str())
        if message.get("method") == "Network.requestWillBeSent":
            self.asked_for.append(message["params"]["request"]["url"])
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.complaints.append(message["params"]["entry"]["text"])
        self._loaded = self._loaded or message.get("method") == "Page.loadEventFired"
        return message

    async def open(self, path: Path, width: int, *, dark: bool) -> None:
        """Shows the file `path` in a window of that width."""
        await self.visit(path.as_uri(), width, dark=dark)

    async def visit(self, url: str, width: int, height: int = 900, *, dark: bool = True) -> None:
        """Shows what is at `url` in a window of that size, in pixels."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self._loaded = False
        await self.call("Page.navigate", url=url)
        while not self._loaded:
            await self._next()

    async def press(self, key: str) -> None:
        """One letter, typed as on a keyboard into whatever has the focus."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def close(self) -> None:
        """As the user closes it."""
        await self.call("Page.close")

    async def value(self, expression: str) -> Any:
        """What JavaScript makes of `expression`."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def terminal(self) -> str:
        """What stands in the page's terminal, out of the terminal's own memory; empty where there is none yet.

        It draws on a canvas and no script can name it: it is found among all objects of the page, as a debugger does.
        """
        ancestor = await self.call("Runtime.evaluate", expression="Object.prototype")
        found = await self.call("Runtime.queryObjects", prototypeObjectId=ancestor["result"]["objectId"])
        everything = found["objects"]["objectId"]
        read = await self.call(
            "Runtime.callFunctionOn", objectId=everything, functionDeclaration=_TERMINAL, returnByValue=True
        )
        await self.call("Runtime.releaseObject", objectId=everything)
        return str(read["result"].get("value", ""))

    async def picture(self, *, whole: bool = True) -> bytes:
        """The `whole` page as PNG, or what the window shows of it."""
        await self.value(_DRAWN)
        found = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])


@contextlib.asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """A tab of a Chromium of its own."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        drain: asyncio.Task[bytes] | None = None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while (found := _READY.search(line := await process.stderr.readline())) is None:
                    assert line, "Chromium ended before it listened"
            drain = asyncio.create_task(process.stderr.read())
            async with (
                aiohttp.ClientSession() as client,
                client.ws_connect(found[1].decode(), max_msg_size=0) as connection,
            ):
                yield Page(connection, await _attach(connection))
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if drain is not None:
                drain.cancel()


async def _attach(connection: aiohttp.ClientWebSocketResponse) -> str:
    """The session of a new tab."""
    await connection.send_json({"id": 1, "method": "Target.createTarget", "params": {"url": "about:blank"}})
    target = (await _answer(connection, 1))["targetId"]
    attach = {"targetId": target, "flatten": True}
    await connection.send_json({"id": 2, "method": "Target.attachToTarget", "params": attach})
    return str((await _answer(connection, 2))["sessionId"])


async def _answer(connection: aiohttp.ClientWebSocketResponse, number: int) -> dict[str, Any]:
    async with asyncio.timeout(_PATIENCE_S):
        while (message := json.loads(await connection.receive_str())).get("id") != number:
            pass
    result = message["result"]
    assert isinstance(result, dict)
    return result
