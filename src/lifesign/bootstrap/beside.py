"""What goes on beside the watch: none of it may end it, and a bug in one of it must not end that one for ever (G4)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

ANEW_S = 10.0

logger = logging.getLogger(__name__)

Run = Callable[[], Awaitable[None]]


def begin_beside(runs: Iterable[Run], anew_s: float = ANEW_S) -> list[asyncio.Task[None]]:
    """Begins each in a task of its own. One that dies is told on stderr and begun anew after `anew_s` seconds."""
    return [asyncio.create_task(_unending(run, anew_s), name=run.__qualname__) for run in runs]


async def _unending(run: Run, anew_s: float) -> None:
    while True:
        try:
            await run()
        except Exception:  # the border to what is not the watch
            logger.exception("%s died and begins anew in %g s: please report this", run.__qualname__, anew_s)
            await asyncio.sleep(anew_s)
        else:
            return
