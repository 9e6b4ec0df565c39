"""`lifesign web` over real sockets: who gets in, and that the browser's console shows the components."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.running import daemon
from tests.e2e.served import Served, served
from tests.ports import free_port

CONFIG = '[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    """`lifesign web`, a daemon behind it."""
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running, served(running.config) as serving:
        yield serving


async def test_the_url_lets_one_browser_in_and_nobody_else(web: Served) -> None:
    jar = aiohttp.CookieJar(unsafe=True)  # it takes cookies of an address
    async with aiohttp.ClientSession() as stranger, aiohttp.ClientSession(cookie_jar=jar) as browser:
        for where in (f"{web.base}/", f"{web.base}/?token=guess", f"{web.base}/static/css/xterm.css"):
            assert (await stranger.get(where)).status == 403
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            assert (await browser.get(web.url, headers=header)).status == 403
        assert (await browser.get(web.url)).status == 200
        assert (await stranger.get(web.url)).status == 403
        answer = await browser.get(f"{web.base}/")
        assert (answer.status, "http" in await answer.text()) == (200, False)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stranger.ws_connect(f"{web.base}/ws")
        for origin in ("http://evil.example", "http://127.0.0.1:1", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await browser.ws_connect(f"{web.base}/ws", origin=origin)
        assert web.consoles() == []
        shown = b""
        async with asyncio.timeout(40), browser.ws_connect(f"{web.base}/ws?width=100&height=30") as socket:
            while b"gateway" not in shown:
                message = await socket.receive()
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                shown += message.data if isinstance(message.data, bytes) else message.data.encode()
