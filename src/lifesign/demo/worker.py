"""The demo's queue worker, which lifesign may restart: it finishes a piece of work four times a second.

Broken, it hangs: once, so that a fresh process works again, or for good, so that a fresh one hangs at once. Who
starts it anew after each end is its keeper (`keeper`).
"""

import time
from pathlib import Path

from lifesign import Heartbeat
from lifesign.demo.program import Control, Mode, heartbeat_path

CYCLE_S = 0.25


def main(folder: Path, port: int) -> None:
    """Works until killed."""
    del port
    control = Control(folder, "worker")
    if control.mode() is Mode.HANG_ONCE:
        control.set(Mode.WORK)
    heartbeat = Heartbeat("worker", path=heartbeat_path(folder, "worker"))
    while True:
        time.sleep(CYCLE_S)
        if control.mode() is Mode.WORK:
            heartbeat.beat(message="working")
