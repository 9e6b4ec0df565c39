"""The demo's worker. The stack copies this file into its folder and runs the copy: `python nexus/mind.py FOLDER PORT`.

It finishes a piece of work four times a second and says so in its heartbeat. Its health page runs in a thread of its
own and says "healthy" even while the loop hangs: alive and ready are not working.
"""

import sys
import threading
import time
from pathlib import Path

from lifesign import Heartbeat
from lifesign.demo.program import Control, Mode, end_with_parent, health_server, heartbeat_path

CYCLE_S = 0.25


def work(folder: Path) -> None:
    """Thinks for ever, or does as its mode says."""
    control = Control(folder, "mind")
    heartbeat = Heartbeat("mind", path=heartbeat_path(folder, "mind"))
    cycle = 0
    while True:
        time.sleep(CYCLE_S)
        match control.mode():
            case Mode.HANG:
                continue  # as if it waited for an answer that never comes
            case Mode.STUCK:
                heartbeat.beat(cycle=cycle, message="thinking")  # as a timer that beats and proves nothing
            case _:
                cycle += 1
                heartbeat.beat(cycle=cycle, message="thinking")


def main() -> None:
    """Starts the health page and the loop."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    end_with_parent()
    threading.Thread(target=health_server(port).serve_forever, daemon=True).start()
    work(folder)


if __name__ == "__main__":
    main()
