"""`lifesign demo` under a real terminal: the console shows the stack, and nothing outlives it."""

import os
import signal
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.demo.test_stack import processes_of, until


@pytest.mark.parametrize("how", ["q", "SIGTERM", "SIGKILL"])
def test_the_console_shows_the_stack_and_nothing_outlives_it(tmp_path: Path, how: str) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path), "TERM": "xterm-256color"}
    demo = pexpect.spawn(
        sys.executable, ["-m", "lifesign", "demo"], env=env, dimensions=(40, 130), timeout=60, encoding="utf-8"
    )
    try:
        demo.expect("Consciousness loop")
        demo.expect("working")
        if how == "q":
            demo.send("q")
        else:
            demo.kill(signal.Signals[how])
        begun = time.monotonic()
        demo.expect(pexpect.EOF)
        demo.wait()
        assert time.monotonic() - begun < 60
        assert (demo.exitstatus, demo.signalstatus) == ((None, signal.SIGKILL) if how == "SIGKILL" else (0, None))
        assert ("the stack starts" in str(demo.before)) == (how != "SIGKILL")
        assert until(lambda: not processes_of(tmp_path) and not list(tmp_path.iterdir()), 60)
    finally:
        demo.close(force=True)
