"""Programs that a test starts: none outlives its block, however the test ends."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def started(argv: Sequence[Any], **how: Any) -> Iterator["subprocess.Popen[Any]"]:
    """`subprocess.Popen(argv, **how)`, killed at the end of the block if it still runs.

    Popen's own block waits without an end for a program that a failed test never told to stop.
    """
    with subprocess.Popen(argv, **how) as process:
        try:
            yield process
        finally:
            process.kill()
