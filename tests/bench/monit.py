"""Monit from Debian, in the foreground, on a configuration of our own: the machine's own Monit is left alone."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAM = shutil.which("monit")


@contextlib.contextmanager
def monit(folder: Path, checks: str, cycle_s: int = 1) -> Iterator[int | None]:
    """The pid of a Monit that watches `checks` every `cycle_s` seconds; None where it is not installed."""
    if PROGRAM is None:
        yield None
        return
    folder.mkdir()
    settings = "".join(f"set {name} {folder / name}\n" for name in ("pidfile", "idfile", "statefile"))
    config = folder / "monitrc"
    config.write_text(f"set daemon {cycle_s}\nset log {folder / 'log'}\n{settings}{checks}")
    config.chmod(0o600)
    child = subprocess.Popen(
        [PROGRAM, "-I", "-c", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(0.5)
        assert child.poll() is None, f"Monit ended at once: {(folder / 'log').read_text()[-500:]}"
        yield child.pid
    finally:
        child.terminate()
        child.wait(timeout=30)
