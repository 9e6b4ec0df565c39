"""`lifesign web` over real sockets: who gets in, and that the browser's console shows the components."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.running import daemon, free_port, wait_until

CONFIG = '[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The URL that `lifesign web` printed, a daemon behind it."""
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        output = tmp_path / "web.out"
        with output.open("wb") as sink:
            argv = [sys.executable, "-u", "-m", "lifesign", "web", "-c", str(running.config)]
            served = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: "token=" in output.read_text(), f"a URL: {output.read_text()}")
            found = re.search(r"http://\S+", output.read_text())
            assert found is not None
            address = found[0].removeprefix("http://").partition("/")[0].split(":")
            wait_until(lambda: _listens(address[0], int(address[1])), "it listens a moment after it has told its URL")
            yield found[0]
        finally:
            served.terminate()
            assert served.wait(timeout=10) == 0


async def test_the_url_lets_one_browser_in_and_nobody_else(url: str) -> None:
    base = url.partition("/?")[0]
    async with aiohttp.ClientSession() as stranger, aiohttp.ClientSession(cookies={}) as browser:
        jar = aiohttp.CookieJar(unsafe=True)  # it takes cookies of an address
        browser._cookie_jar = jar
        for where in (f"{base}/", f"{base}/?token=guess", f"{base}/static/css/xterm.css"):
            assert (await stranger.get(where)).status == 403
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            assert (await browser.get(url, headers=header)).status == 403
        assert (await browser.get(url)).status == 200
        assert (await stranger.get(url)).status == 403
        assert (await browser.get(f"{base}/")).status == 200
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stranger.ws_connect(f"{base}/ws")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await browser.ws_connect(f"{base}/ws", origin="http://evil.example")
        shown = b""
        async with asyncio.timeout(40), browser.ws_connect(f"{base}/ws?width=100&height=30") as socket:
            while b"gateway" not in shown:
                message = await socket.receive()
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                shown += message.data if isinstance(message.data, bytes) else message.data.encode()
