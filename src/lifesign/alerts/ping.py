"""The `ping` sink: somebody else is told again and again that we work, and notices when that ends.

A dead man's switch as Healthchecks and its kin keep it. It is no alert: it knows no incidents.
"""

import asyncio
import logging
from collections.abc import Callable

from lifesign.alerts.sink import SinkError
from lifesign.alerts.web import Web, refuse

logger = logging.getLogger(__name__)


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
        """Pings until cancelled, whatever goes wrong."""
        web: Web | None = None
        try:
            while True:
                if self._works():
                    try:
                        url = self._url()
                        web = web or Web(url)
                        self._hear(await _trouble(web, url))
                    except SinkError as error:  # the file of its secret is missing, or being replaced
                        self._hear(str(error))
                    except Exception:  # a bug of ours must not end the alerts beside it (G4)
                        logger.exception("a ping died")
                await asyncio.sleep(self._interval_s)
        finally:
            if web is not None:
                await web.close()

    def _hear(self, trouble: str) -> None:
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
