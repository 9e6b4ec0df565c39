"""The supervisor of the demo's queue worker: starts it anew whenever it has ended, as any respawning loop does."""

import subprocess
import sys
import time
from pathlib import Path

PAUSE_S = 0.3


def main(folder: Path, port: int) -> None:
    """Keeps it running until killed."""
    argv = [sys.executable, "-m", "lifesign.demo.program", "worker", str(folder), str(port)]
    while True:
        subprocess.run(argv, check=False)  # its standard input is the lifeline too: it ends when the demo does
        time.sleep(PAUSE_S)
