"""`lifesign web` in a real browser: it shows the truth, only looks, asks nobody else, and ends with its tab."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from aiohttp import web as http

from tests.browser import PROGRAM, Page, page
from tests.e2e.running import Daemon, daemon
from tests.e2e.served import Served, served
from tests.ports import free_port
from tests.restarts.needs import needs

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240), needs(PROGRAM, root=False)]

CONFIG = """
[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
interval = "200ms"
failure_threshold = 2
grace = "0s"

[components.gateway.restart]
method = "command"
argv = ["false"]
"""
ACTING_KEYS = "RscCPah"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon whose one component is down."""
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        running.wait_for_event("component.down", "gateway")
        yield running


def _connect(web: Served) -> str:
    """A script that opens the console's socket from wherever it runs: `open` or `refused`."""
    return f"""new Promise(done => {{
      const socket = new WebSocket("{web.base.replace("http:", "ws:")}/ws");
      socket.onopen = () => done("open");
      socket.onerror = () => done("refused");
    }})"""


async def until(holds: Callable[[str], bool], tab: Page) -> str:
    """What the terminal shows once that holds."""
    deadline_s = time.monotonic() + 40
    while not holds(shown := await tab.terminal()):
        assert time.monotonic() < deadline_s, f"the page shows:\n{shown}\nthe browser says: {tab.complaints}"
        await asyncio.sleep(0.1)
    return shown


async def gone(consoles: Callable[[], Sequence[object]]) -> None:
    """Waits until no console runs."""
    deadline_s = time.monotonic() + 40
    while left := consoles():
        assert time.monotonic() < deadline_s, left
        await asyncio.sleep(0.1)


async def ended(tab: Page) -> None:
    """Waits until the page says that its console has ended."""
    deadline_s = time.monotonic() + 40
    while not await tab.value("document.querySelector('.ended').checkVisibility()"):
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.1)


async def test_a_components_state_is_read_off_the_page_which_asks_nobody_else(watched: Daemon) -> None:
    async with page() as tab:
        with served(watched.config) as web:
            await tab.visit(web.url, 1100, 640)
            shown = await until(lambda text: "connection refused" in text, tab)
            assert "✖ down     gateway" in shown
            await tab.press("2")  # the terminal has the focus, nobody has clicked
            await until(lambda text: "STATE" in text.upper() and "gateway" in text, tab)
            picture = await tab.picture(whole=False)
            assert (picture[:4], len(picture) > 10_000) == (b"\x89PNG", True)
            assert [url for url in tab.asked_for if not url.startswith((f"{web.base}/", "data:"))] == []
            assert f"{web.base}/static/fonts/RobotoMono-VariableFont_wght.ttf" in tab.asked_for
            assert tab.complaints == []
        await ended(tab)  # the server has ended at once, its page open


async def test_in_a_browser_no_key_acts_unless_that_was_asked_for(watched: Daemon) -> None:
    with served(watched.config) as web:
        async with page() as tab:
            await tab.visit(web.url, 1100, 640)
            await until(lambda text: "connection refused" in text, tab)
            for key in (*ACTING_KEYS, "2"):
                await tab.press(key)
            shown = await until(lambda text: "STATE" in text.upper(), tab)
            assert "Cancel" not in shown
    assert not [event for event in watched.events() if event["event"] in {"operator.action", "silence.added"}]
    with served(watched.config, "--act") as web:
        async with page() as tab:
            await tab.visit(web.url, 1100, 640)
            await until(lambda text: "connection refused" in text, tab)
            await tab.press("c")
            await tab.press("s")
            await until(lambda text: "Cancel" in text, tab)
    watched.wait_for_event("operator.action", "gateway")


async def test_an_exported_state_goes_to_the_browser_and_not_to_a_file_beside_the_server(watched: Daemon) -> None:
    downloads = watched.config.parent / "downloads"
    with served(watched.config) as web:
        async with page() as tab:
            await tab.visit(web.url, 1100, 640)
            await tab.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
            await until(lambda text: "connection refused" in text, tab)
            await tab.press("x")
            deadline_s = time.monotonic() + 40
            while not (found := list(downloads.glob("*.json"))):
                assert time.monotonic() < deadline_s, await tab.terminal()
                await asyncio.sleep(0.1)
    [component] = json.loads(found[0].read_text())["components"]
    assert (component["name"], component["state"]) == ("gateway", "down")
    assert list(watched.config.parent.glob("*.json")) == []


async def test_a_page_of_another_server_on_this_machine_gets_nothing_with_the_browsers_own_cookie(
    watched: Daemon,
) -> None:
    async def page_of_a_stranger(request: http.Request) -> http.Response:
        return http.Response(text="<!doctype html><title>stranger</title>", content_type="text/html")

    stranger = http.Application()
    stranger.router.add_get("/", page_of_a_stranger)
    runner = http.AppRunner(stranger)
    await runner.setup()
    port = free_port()
    await http.TCPSite(runner, "127.0.0.1", port).start()
    try:
        with served(watched.config) as web:
            async with page() as tab:
                await tab.visit(web.url, 1100, 640)
                await until(lambda text: "gateway" in text, tab)
                assert await tab.value(_connect(web)) == "open"
                await tab.visit(f"http://127.0.0.1:{port}/", 1100, 640)
                await gone(web.consoles)
                assert await tab.value(_connect(web)) == "refused"
                read = f"fetch('{web.base}/', {{credentials: 'include'}}).then(() => 'read', () => 'refused')"
                assert await tab.value(read) == "refused"
                assert web.consoles() == []
    finally:
        await runner.cleanup()


async def test_a_console_that_answers_nobody_ends_with_its_tab_too(watched: Daemon) -> None:
    with served(watched.config) as web:
        async with page() as tab:
            await tab.visit(web.url, 1100, 640)
            await until(lambda text: "connection refused" in text, tab)
            [console] = web.consoles()
            console.suspend()
            await tab.close()
            await gone(web.consoles)


async def test_the_console_ends_with_its_tab_and_a_page_loaded_again_has_a_new_one(tmp_path: Path) -> None:
    config = tmp_path / "lifesign.toml"
    config.write_text(f'[monitor]\nstate_dir = "state"\n{CONFIG.format(port=free_port())}')
    config.chmod(0o600)
    with served(config) as web:  # no daemon: the console has an engine of its own, and only one can hold the folder
        async with page() as tab:
            await tab.visit(web.url, 1100, 640)
            await until(lambda text: "gateway" in text, tab)
            before = {process.pid for process in web.consoles()}
            await tab.visit(f"{web.base}/", 1100, 640)
            await until(lambda text: "gateway" in text, tab)
            await gone(lambda: [process for process in web.consoles() if process.pid in before])
            await tab.press("q")
            await ended(tab)
            await tab.visit(f"{web.base}/", 1100, 640)
            await until(lambda text: "gateway" in text, tab)
            await tab.close()
            await gone(web.consoles)
