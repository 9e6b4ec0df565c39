"""What the console costs on a real terminal of 200x50, with 1,000 components of a real daemon, ages running at 1 Hz.

The work of each was last seen at some moment of the last hour, so that the youngest ages tick by the second, the others
by the minute; the states are older than one minute for the same reason. Beside it the bare Textual app of the same run
(`tests.bench.bare`), in the column that is Monit's elsewhere.
"""

import contextlib
import os
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pexpect

from tests.bench import bare
from tests.bench.measuring import cost_of, resident_mb
from tests.bench.table import Row
from tests.e2e.running import LIFESIGN, daemon, wait_until

COMPONENTS = 1000
SIZE = (50, 200)
_QUIET_S = 0.15
_SPREAD_S = 3600.0
_COARSE_AFTER_S = 65.0  # from then on the age of what is healthy counts in minutes
_BARE = [sys.executable, "-m", "tests.bench.bare"]


class Screen:
    """A program on a pseudo-terminal, of which only the amount and the moment of what it writes count."""

    def __init__(self, argv: Sequence[str]) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLORTERM"}}
        environment |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self.began_s = time.monotonic()
        self._child = pexpect.spawn(argv[0], list(argv[1:]), dimensions=SIZE, env=environment)
        self.pid = int(self._child.pid or 0)
        self.count = 0

    def read(self, wait_s: float) -> bytes:
        """What comes within `wait_s`, empty where nothing does."""
        if not select.select([self._child.child_fd], [], [], wait_s)[0]:
            return b""
        chunk = os.read(self._child.child_fd, 1 << 20)
        self.count += len(chunk)
        return chunk

    def until(self, words: bytes) -> float:
        """Seconds from the start until `words` have come."""
        seen = b""
        while words not in seen:
            seen += self.read(1.0)
            assert time.monotonic() - self.began_s < 30, seen[-2000:]
        return time.monotonic() - self.began_s

    def settle(self) -> int:
        """Reads until it is quiet; how many bytes that were."""
        before = self.count
        while self.read(_QUIET_S):
            pass
        return self.count - before

    def press(self, key: bytes) -> tuple[float, int]:
        """Seconds until the first byte of the answer, and how many bytes it has in all."""
        self.settle()
        before, began_s = self.count, time.monotonic()
        os.write(self._child.child_fd, key)
        self.read(5.0)
        took_s = time.monotonic() - began_s
        self.settle()
        return took_s, self.count - before

    def window(self, window_s: float) -> tuple[float, float, float]:
        """Percent of a core, bytes a second and resident MB over `window_s` seconds without a key."""
        import threading

        done = threading.Event()

        def drain() -> None:
            while not done.is_set():
                self.read(0.2)

        thread = threading.Thread(target=drain)
        thread.start()
        try:
            cost = cost_of(self.pid, window_s, lambda: self.count)
        finally:
            done.set()
            thread.join()
        return 100 * cost.cpu_s / cost.seconds, cost.counted / cost.seconds, resident_mb(self.pid)

    def close(self) -> None:
        """Ends it."""
        self._child.close(force=True)


@contextlib.contextmanager
def screen(argv: Sequence[str]) -> Iterator[Screen]:
    """A program for a while."""
    one = Screen(argv)
    try:
        yield one
    finally:
        one.close()


class Found:
    """All measures of one program."""

    def __init__(
        self, argv: Sequence[str], words: bytes, samples: int, window_s: float, not_before_s: float = 0.0
    ) -> None:
        paints = []
        for _ in range(1 + max(3, samples // 6)):
            with screen(argv) as one:
                paints.append(one.until(words))
        self.first_paint_ms = 1000 * statistics.median(paints[1:])  # the first may have written the byte code
        time.sleep(max(0.0, not_before_s - time.monotonic()))
        with screen(argv) as one:
            one.until(words)
            one.window(3.0)
            self.cpu_percent, self.bytes_a_second, self.resident_mb = one.window(window_s)
            keys = [one.press(b"j") for _ in range(samples)]
            pages = [one.press(b"\x1b[6~") for _ in range(max(5, samples // 3))]
        self.key_ms = 1000 * statistics.median(took_s for took_s, _ in keys)
        self.page_bytes = statistics.median(count for _, count in pages)


def console(samples: int, window_s: float) -> list[Row]:
    """The budgets of the console."""
    with tempfile.TemporaryDirectory() as name, _thousand(Path(name)) as config:
        coarse_s = time.monotonic() + _COARSE_AFTER_S
        plain = Found(_BARE, bare.FIRST_WORDS.encode(), samples, window_s)
        ours = Found([*LIFESIGN, "console", "-c", str(config)], "● healthy".encode(), samples, window_s, coarse_s)
    title = f"console (beside it: a bare Textual app), {COMPONENTS:,} components"
    return [
        Row(f"{title}: CPU", ours.cpu_percent, "% of a core", plain.cpu_percent, most=1.5),
        Row("console: to the terminal, a second", ours.bytes_a_second, "B", plain.bytes_a_second, most=2000),
        Row("console: resident", ours.resident_mb, "MB", plain.resident_mb, most=60),
        Row("console: key to repaint, median", ours.key_ms, "ms", plain.key_ms, most=50),
        Row("console: first paint of real state, median", ours.first_paint_ms, "ms", plain.first_paint_ms, 1.6),
        Row("console: a page down", ours.page_bytes, "B", plain.page_bytes, most=20_000),
    ]


@contextlib.contextmanager
def _thousand(folder: Path) -> Iterator[Path]:
    """A daemon on heartbeats that were written once and stay good: nothing changes but the ages."""
    beats = folder / "beats"
    beats.mkdir()
    names = [f"component-{number:04}" for number in range(COMPONENTS)]
    for at, name in enumerate(names):
        worked_s = time.time() - _SPREAD_S * (at * 7919 % COMPONENTS) / COMPONENTS
        (beats / f"{name}.json").write_text(f'{{"timestamp": {worked_s}, "cycle": 7}}')
    config = "".join(
        f'[components.{name}.checks.heartbeat]\ntype = "heartbeat"\npath = "{beats}/{name}.json"\nstale_after = "2h"\n'
        f'stuck_after = "2h"\n[components.{name}.checks.second]\ntype = "heartbeat"\npath = "{beats}/{name}.json"\n'
        'stale_after = "2h"\nstuck_after = "2h"\n'
        for name in names
    )
    with daemon(folder, f'[defaults]\ngrace = "1ms"\n{config}') as running:
        wait_until(lambda: running.status()[1]["overall"] == "healthy", "all are healthy", 60)
        yield running.config
