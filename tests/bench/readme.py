"""The part of README.md that a run of all measures writes: the table, and a sentence for each goal that is missed."""

import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.bench.table import Row, brief

README = Path(__file__).parent.parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- measured: speed -->\n).*?(<!-- end -->)", re.DOTALL)

# Why a goal may be missed, by a part of the measure's name. Said where it is, and nowhere else.
WHY = {
    "lifesign check": "every run imports msgspec, SQLite and the core anew, a hundred and fifty modules of them",
    "late by": "the process that counts the connections shares the two cores, and its own lateness is in the figure",
    "tcp": "half of it is the kernel's for connecting and closing; schedule, thresholds and history are Python",
    "CPU a check": "Monit is C, and keeps no history; here each look passes schedule, thresholds and history in Python",
    "observations a second": "each observation passes stall detection, flapping and the schedule in plain Python",
    "first paint": "beside Textual the console imports its screens and a client, and a state is made for it",
    "beside it: a bare Textual app": "every third second a state of a megabyte is read, decoded and compared",
    "console: resident": "the last state of a thousand components, and what was seen of each of their checks",
    "resident": "an interpreter with an HTTP server, and the objects of every check",
    "heartbeat files": "each beat is three events of the kernel and a file that is opened, read and judged in Python",
    "told": "it hangs on how busy the machine was: half the interval is waiting for the next look, the rest is ours",
    "asked once a second": "what has changed is looked at, put into words and written anew in Python; all ages are",
    "loop lag": "the console and the clients of this test share two cores with the daemon",
}


def write(rows: Iterable[Row], cores: int, how: str) -> None:
    """Replaces the block in README.md. Raises ValueError where there is none."""
    text, count = _BLOCK.subn(lambda found: f"{found[1]}{block(rows, cores, how)}\n{found[2]}", README.read_text())
    if count != 1:
        raise ValueError(f"README.md has {count} blocks for the speed")
    README.write_text(text)


def block(rows: Iterable[Row], cores: int, how: str) -> str:
    """The machine, the table, and what is missed. `how`: of the run, in words."""
    shown = [row for row in rows if row.has_goal]
    python = sys.version.split()[0]
    lines = [f"Measured on {cores} shared cores ({platform.machine()}), Python {python}, Linux {_kernel()}; {how}.", ""]
    lines.append(brief(shown))
    missed: dict[str, list[str]] = {}
    for row in shown:
        if row.is_met() is False:
            missed.setdefault(_why(row.measure), []).append(row.measure)
    lines += ["", "Missed, and why:" if missed else "Every goal is met."]
    lines += [f"- {'; '.join(measures)}: {why}." for why, measures in missed.items()]
    return "\n".join(lines)


def _kernel() -> str:
    return ".".join(platform.release().split(".")[:2])


def _why(measure: str) -> str:
    return next((words for part, words in WHY.items() if part in measure), "not understood yet")
