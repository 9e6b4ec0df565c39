"""The dead man's switch goes on, whatever its secret or its other side does."""

import asyncio

from lifesign.alerts.ping import Ping
from lifesign.alerts.sink import SinkError


async def test_a_ping_whose_secret_is_away_says_so_once_and_goes_on() -> None:
    told: list[str] = []
    asked = 0

    def url() -> str:
        nonlocal asked
        asked += 1
        if asked < 4:
            raise SinkError("cannot read the secret file /etc/ping: No such file or directory")
        if asked < 6:
            raise RuntimeError("a bug of ours")
        return "http://127.0.0.1:1/"

    running = asyncio.create_task(Ping(url=url, interval_s=0.001, works=lambda: True, tell=told.append).run())
    async with asyncio.timeout(40):
        while len(told) < 2:  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait({running})
    assert told[0] == "cannot read the secret file /etc/ping: No such file or directory"
    assert told[1].startswith("127.0.0.1 cannot be reached")
