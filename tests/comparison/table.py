"""The table of the comparison, and its place in README.md."""

import re
import statistics
from collections.abc import Mapping

from tests.comparison.cases import CASES, Case
from tests.comparison.run import Seen
from tests.comparison.watchers import Lifesign, Monit, Supervisor

PROGRAMS = tuple(watcher.program for watcher in (Lifesign, Monit, Supervisor))
_BLOCK = re.compile(r"(<!-- measured: comparison -->\n).*?(<!-- end -->)", flags=re.DOTALL)

Results = Mapping[str, Mapping[str, Seen]]


def drawn(results: Results) -> str:
    """Markdown: one row a case, and the sums."""
    rows = ["| fault | " + " | ".join(PROGRAMS) + " |", "|---|" + "---|" * len(PROGRAMS)]
    for case in CASES:
        if case.title in results:
            cells = (cell(case, results[case.title][program]) for program in PROGRAMS)
            title = case.title if case.must_tell else f"*{case.title}*"
            rows.append(f"| {title} | {' | '.join(cells)} |")
    sums = (
        total([(case, results[case.title][program]) for case in CASES if case.title in results]) for program in PROGRAMS
    )
    rows.append(f"| **false alarms; missed or not seen; seconds to tell, median** | {' | '.join(sums)} |")
    return "\n".join(rows)


def cell(case: Case, seen: Seen) -> str:
    """What one program made of one case, in words."""
    words = "quiet"
    if case.must_tell:
        words = "cannot see" if seen.is_blind else "missed" if seen.after_s is None else f"{seen.after_s:.1f} s"
    if not seen.false_alarms:
        return words
    return f"{'' if words == 'quiet' else words + ', '}**false alarm**"


def total(seen: list[tuple[Case, Seen]]) -> str:
    """Cases with a false alarm; failures not told; the median of seconds."""
    false = sum(bool(one.false_alarms) for _, one in seen)
    unseen = sum(case.must_tell and one.after_s is None for case, one in seen)
    told_s = [one.after_s for _, one in seen if one.after_s is not None]
    return f"**{false}; {unseen}; {statistics.median(told_s):.1f} s**" if told_s else f"**{false}; {unseen}; –**"


def placed(text: str, table: str) -> str:
    """`text` with the table in its block."""
    changed, count = _BLOCK.subn(lambda found: f"{found[1]}{table}\n{found[2]}", text)
    assert count == 1, "README.md has no block for the comparison"
    return changed


def titles(text: str) -> list[str]:
    """The faults of the table that stands in `text`."""
    found = _BLOCK.search(text)
    assert found is not None, "README.md has no block for the comparison"
    return [line.split(" | ")[0].strip("| *") for line in found[0].splitlines()[3:-2]]
