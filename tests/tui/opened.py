"""A program for the tests: the console on a state document in a file, which is read anew at every poll.

`python -m tests.tui.opened FILE`: the file may be replaced at any time, and may vanish.
"""

import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import msgspec

from lifesign.api.documents import State
from lifesign.text import format_timestamp
from lifesign.tui.run import run_console
from lifesign.tui.source import SnapshotFile


class LiveFile(SnapshotFile):
    """The document in the file, as if it were made at this moment."""

    def state(self) -> State:
        """The document, stamped anew."""
        return msgspec.structs.replace(super().state(), generated_at=format_timestamp(time.time_ns()))


def _interrupt(number: int, frame: object) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run_console(lambda _: LiveFile(Path(sys.argv[1]))))
