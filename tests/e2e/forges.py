"""A strict forge that runs on a loop and a thread of its own, while the test waits for a process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from tests.alerts.strict_forge import StrictForge

Forge = TypeVar("Forge", bound=StrictForge)


@contextmanager
def forge_running(made: Forge) -> Iterator[Forge]:
    """At its end nobody may have done what its description does not name."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(made.start(), loop).result(20)
        try:
            yield made
        finally:
            asyncio.run_coroutine_threadsafe(made.stop(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert made.complaints == []
