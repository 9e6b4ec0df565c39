"""The `ping` sink: somebody else is told again and again that we work, and notices when that ends.

A dead man's switch as Healthchecks and its kin keep it. It is no alert: it knows no incidents.
"""

import asyncio
from collections.abc import Callable

from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import Web, refuse


class Ping:
    """Asks for `url` every `interval_s` seconds while `works` says so. `tell` hears of a trouble when it is new."""

    def __init__(
        self, *, url: Callable[[], str], interval_s: float, works: Callable[[], bool], tell: Callable[[str], None]
    ) -> None:
        self._url = url
        self._interval_s = interval_s
        self._works = works
        self._tell = tell
        self._trouble = ""

    async def run(self) -> None:
        """Pings until cancelled."""
        web: Web | None = None
        try:
            while True:
                if self._works():
                    url = self._url()
                    web = web or Web(url)
                    await self._ping(web, url)
                await asyncio.sleep(self._interval_s)
        finally:
            if web is not None:
                await web.close()

    async def _ping(self, web: Web, url: str) -> None:
        trouble = await _trouble(web, url)
        if trouble and trouble != self._trouble:
            self._tell(trouble)
        self._trouble = trouble


async def ping_once(url: str) -> str:
    """One ping now; what is wrong with it, "" where nothing is."""
    web = Web(url)
    try:
        return await _trouble(web, url)
    finally:
        await web.close()


async def _trouble(web: Web, url: str) -> str:
    try:
        refuse(await web.send("GET", url), web.where)
    except SinkError as error:
        return str(error)
    return ""
