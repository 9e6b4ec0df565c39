"""`lifesign web`, running as a user starts it. Nothing here knows how it works inside."""

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.e2e.running import LIFESIGN, wait_until


@dataclass
class Served:
    """One `lifesign web`. `url` opens it once, `base` is where it is."""

    url: str
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def base(self) -> str:
        return self.url.partition("/?")[0]

    def consoles(self) -> list[psutil.Process]:
        """The consoles that it runs at this moment, and whatever they have started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextlib.contextmanager
def served(config: Path, *options: str) -> Iterator[Served]:
    """Serves the console of `config`; ends it by SIGTERM, and then nothing that it started is left."""
    output = config.with_name("web.out")
    with output.open("wb") as sink:
        argv = [*LIFESIGN, "web", "-c", str(config), *options]
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, cwd=config.parent
        )
    try:
        wait_until(lambda: b"ctrl-c" in output.read_bytes(), "a URL")
        found = re.search(r"http://\S+", output.read_text())
        assert found is not None
        yield Served(found[0], process, output)
    finally:
        left = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
        _, alive = psutil.wait_procs(left, timeout=60)
    assert (code, alive) == (0, []), output.read_text()
