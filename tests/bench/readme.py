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
    "lifesign check": "every run imports click, msgspec and the core anew; Python makes each data class at import",
    "CPU a check": "Monit is C, and keeps neither thresholds by time nor latency nor history for each check",
    "observations a second": "each observation passes stall detection, flapping and the schedule in plain Python",
    "resident": "an interpreter with an HTTP server takes 45 MB before it watches anything",
    "heartbeat files": "each beat is opened, read and strictly parsed; the events alone take a third of it",
    "late by": "a round of Python and the targets of this test share two cores",
    "told": "timings on shared cores vary from run to run",
}


def write(rows: Iterable[Row], cores: int) -> None:
    """Replaces the block in README.md. Raises ValueError where there is none."""
    text, count = _BLOCK.subn(lambda found: f"{found[1]}{block(rows, cores)}\n{found[2]}", README.read_text())
    if count != 1:
        raise ValueError(f"README.md has {count} blocks for the speed")
    README.write_text(text)


def block(rows: Iterable[Row], cores: int) -> str:
    """The machine, the table, and what is missed."""
    shown = [row for row in rows if row.has_goal]
    python = sys.version.split()[0]
    lines = [f"Measured on {cores} shared cores ({platform.machine()}), Python {python}, Linux {_kernel()}.", ""]
    lines.append(brief(shown))
    missed = [row for row in shown if row.is_met() is False]
    lines += ["", "Missed:" if missed else "Every goal is met."]
    lines += [f"- {row.measure}: {_why(row.measure)}." for row in missed]
    return "\n".join(lines)


def _kernel() -> str:
    return ".".join(platform.release().split(".")[:2])


def _why(measure: str) -> str:
    return next((words for part, words in WHY.items() if part in measure), "not understood yet")
