"""The supervisor of the demo's queue worker: starts it anew whenever it has ended, as any respawning loop does.

It ends after its worker, whose end it waits for: a worker without a parent would be a zombie where nobody reaps.
"""

import select
import signal
import subprocess
import sys
from pathlib import Path

PAUSE_S = 0.3


def main(folder: Path, port: int) -> None:
    """Keeps it running until the lifeline, which is the standard input of both, has ended."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # a handler, for what is ignored would be ignored by the worker too
    argv = [sys.executable, "-m", "lifesign.demo.program", "worker", str(folder), str(port)]
    while True:
        subprocess.run(argv, check=False)
        if select.select([0], [], [], PAUSE_S)[0]:
            return
