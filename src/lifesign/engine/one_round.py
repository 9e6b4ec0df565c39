"""One round of every check, then nothing: for `lifesign check`.

What has its answer without waiting is asked at once; an event loop, which is the heaviest import of a one-shot, is
begun for the others alone.
"""

from lifesign.core.commands import LookNow
from lifesign.core.effects import Look
from lifesign.core.monitor import Monitor
from lifesign.engine.clock import read_clocks
from lifesign.engine.looking import Looks


def look_once(monitor: Monitor, looks: Looks) -> None:
    """Looks at everything once. Not within an event loop."""
    try:
        waiting = [look for look in _asked_for(monitor) if not _has_answered(look, monitor, looks)]
        if waiting:
            import asyncio

            from lifesign.engine.engine import Engine

            asyncio.run(Engine(monitor, looks, record=lambda _: None).await_looks(waiting))
    finally:
        looks.close()


def _asked_for(monitor: Monitor) -> list[Look]:
    return [effect for effect in monitor.command(LookNow(), read_clocks()) if isinstance(effect, Look)]


def _has_answered(look: Look, monitor: Monitor, looks: Looks) -> bool:
    found = looks.look_at_once(look.check, read_clocks().wall_ns)
    if found is None:
        return False
    monitor.observe(look.check, found, read_clocks(), look.run)
    return True
