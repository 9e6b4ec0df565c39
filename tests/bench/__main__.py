"""`python -m tests.bench [--quick] [--readme] [part…]`: one table of every measure, Monit beside ours in the same run.

All traffic stays on the loopback. Each part takes under two minutes, all of them with `--quick` too.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping

from tests.bench import readme
from tests.bench.alone import core, one_round
from tests.bench.console import console
from tests.bench.cost import file_age, network, process
from tests.bench.documents import documents
from tests.bench.dying import dead_process, hung_neighbours
from tests.bench.history import replayed, started, written, year
from tests.bench.living import attached, beat_files, resident
from tests.bench.monit import PROGRAM
from tests.bench.table import Row, drawn
from tests.bench.telling import beats, closed_port, stale_heartbeat

Part = Callable[[bool], list[Row]]


def _kind(kind: str) -> Callable[[bool], list[Row]]:
    """5,000 targets each second; a thousand where it must be quick."""
    measures = {"file": file_age, "process": process}

    def measured(quick: bool) -> list[Row]:
        count, window_s = (1000, 4.0) if quick else (5000, 15.0)
        return measures[kind](count, window_s) if kind in measures else network(count, kind, window_s)

    return measured


PARTS: Mapping[str, Part] = {
    "core": lambda quick: core(1000, 20 if quick else 100),
    "check": lambda quick: one_round(5 if quick else 21),
    "tcp": _kind("tcp"),
    "http": _kind("http"),
    "file": _kind("file"),
    "process": _kind("process"),
    "port": lambda quick: closed_port(6 if quick else 60),
    "dead": lambda quick: dead_process(8 if quick else 40),
    "stale": lambda quick: stale_heartbeat(20 if quick else 100),
    "beats": lambda quick: beats(100, 8 if quick else 50),
    "beats1000": lambda quick: beat_files(1000, 4 if quick else 15, 5),
    "beats10000": lambda quick: [] if quick else beat_files(10_000, 20, 35),
    "hung10": lambda quick: [] if quick else hung_neighbours(10, 200),
    "hung500": lambda quick: [] if quick else hung_neighbours(500, 200),
    "memory": lambda quick: [
        *resident(100, 55),
        *([] if quick else [*resident(1000, 65), *resident(5000, 100)]),
    ],
    "store": lambda quick: written(5 if quick else 20),
    "replay": lambda quick: replayed(30, 6 if quick else 72),
    "start": lambda quick: started(3 if quick else 9),
    "year": lambda quick: year(2 if quick else 12),
    "documents": lambda quick: documents(1000, 5 if quick else 12),
    "attached": lambda quick: attached(50 if quick else 200),
    "console": lambda quick: console(18 if quick else 36, 5 if quick else 16),
}


def main(arguments: list[str]) -> int:
    """Runs the parts of `arguments`, or all; ends with 2 for one that does not exist, and for an unknown option."""
    parser = argparse.ArgumentParser("python -m tests.bench", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--quick", action="store_true", help="all parts in some minutes, a thousand targets at most")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md too")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, or some of {', '.join(PARTS)}")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as folder:
        _as_installed(folder)
        return _measured(asked.parts or list(PARTS), quick=asked.quick, told=asked.readme)


def _as_installed(folder: str) -> None:
    """With byte code, which pip leaves behind; in a tree that writes none each program would compile itself anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder


def _measured(names: list[str], *, quick: bool, told: bool) -> int:
    if PROGRAM is None:
        _say("Monit is not installed: its column stays empty (apt-get install monit)")
    rows: list[Row] = []
    broken: list[str] = []
    load = os.getloadavg()[0]
    for name in names:
        began_s = time.monotonic()
        try:
            rows += PARTS[name](quick)
        except Exception:  # noqa: BLE001 - a part that breaks must not cost an hour's figures of the others
            broken.append(name)
            traceback.print_exc()
        _say(f"{name}: {time.monotonic() - began_s:.0f} s")
    sys.stdout.write(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n\n{drawn(rows)}\n")
    if told:
        size = "a quick run, a thousand targets instead of five thousand" if quick else "a full run"
        readme.write(rows, os.cpu_count() or 1, f"{size}; the load average was {load:.1f} when it began")
    if broken:
        _say(f"not measured, see above: {', '.join(broken)}")
    return int(bool(broken))


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
