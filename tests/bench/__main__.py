"""`python -m tests.bench [--quick] [part…]`: one table of every measure, Monit beside ours in the same run.

All traffic stays on the loopback. Each part takes under two minutes, all of them with `--quick` too.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping

from tests.bench.alone import core, one_round
from tests.bench.cost import file_age, network, process
from tests.bench.monit import PROGRAM
from tests.bench.table import Row, drawn
from tests.bench.telling import beats, closed_port, stale_heartbeat

Part = Callable[[bool], list[Row]]

PARTS: Mapping[str, Part] = {
    "core": lambda quick: core(1000, 20 if quick else 100),
    "check": lambda quick: one_round(5 if quick else 15),
    "tcp": lambda quick: network(1000, "tcp", 4 if quick else 15),
    "http": lambda quick: network(1000, "http", 4 if quick else 15),
    "file": lambda quick: file_age(1000, 4 if quick else 15),
    "process": lambda quick: process(1000, 4 if quick else 15),
    "port": lambda quick: closed_port(6 if quick else 30),
    "stale": lambda quick: stale_heartbeat(20 if quick else 100),
    "beats": lambda quick: beats(100, 10 if quick else 50),
    "tcp5000": lambda quick: [] if quick else network(5000, "tcp", 15),
}


def main(arguments: list[str]) -> int:
    """Runs the parts of `arguments`, or all; 2 for one that does not exist."""
    quick = "--quick" in arguments
    names = [name for name in arguments if name != "--quick"] or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        _say(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
        return 2
    if PROGRAM is None:
        _say("Monit is not installed: its column stays empty (apt-get install monit)")
    rows: list[Row] = []
    for name in names:
        began_s = time.monotonic()
        rows += PARTS[name](quick)
        _say(f"{name}: {time.monotonic() - began_s:.0f} s")
    sys.stdout.write(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n\n{drawn(rows)}\n")
    return 0


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
