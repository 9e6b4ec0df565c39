"""One round of every check, then nothing: for `lifesign check`.

What has its answer without waiting is asked at once; an event loop, which is the heaviest import of a one-shot, is
begun for the others alone.
"""

import signal
from collections.abc import Coroutine
from typing import Any

from lifesign.core.commands import LookNow
from lifesign.core.effects import Look
from lifesign.core.monitor import Monitor
from lifesign.engine.clock import read_clocks
from lifesign.engine.looking import Looks


def look_once(monitor: Monitor, looks: Looks) -> None:
    """Looks at everything once. Not within an event loop.

    SIGTERM ends it as it would any process, but for the children that look for us: they are ended first.
    """
    try:
        waiting = [look for look in _asked_for(monitor) if not _has_answered(look, monitor, looks)]
        if waiting:
            import asyncio

            from lifesign.engine.engine import Engine

            try:
                asyncio.run(_until_sigterm(Engine(monitor, looks, record=lambda _: None).await_looks(waiting)))
            except asyncio.CancelledError:
                raise SystemExit(128 + signal.SIGTERM) from None
    finally:
        looks.close()


async def _until_sigterm(looking: Coroutine[Any, Any, None]) -> None:
    import asyncio

    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await looking


def _asked_for(monitor: Monitor) -> list[Look]:
    return [effect for effect in monitor.command(LookNow(), read_clocks()) if isinstance(effect, Look)]


def _has_answered(look: Look, monitor: Monitor, looks: Looks) -> bool:
    found = looks.look_at_once(look.check, read_clocks().wall_ns)
    if found is None:
        return False
    monitor.observe(look.check, found, read_clocks(), look.run)
    return True
