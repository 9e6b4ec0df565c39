"""`python -m tests.comparison [--readme] [words of a fault…]`: the table; `--readme` writes it into README.md.

Needs Debian's monit, supervisor and faketime. All traffic stays on the loopback, all files in a temporary folder.
"""

import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.comparison.cases import CASES, Case
from tests.comparison.run import Seen, run
from tests.comparison.table import drawn, placed
from tests.readme import README

AT_ONCE = 4  # most of a case is waiting


def main(arguments: list[str]) -> int:
    """Exit code 1 where a program is missing."""
    words = [word for word in arguments if word != "--readme"]
    if missing := [name for name in ("monit", "supervisord", "faketime") if shutil.which(name) is None]:
        _say(f"not installed: {', '.join(missing)} (apt-get install monit supervisor faketime)")
        return 1
    cases = [case for case in CASES if not words or any(word in case.title for word in words)]
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        pairs = pool.map(lambda pair: _run(pair[1], Path(name) / str(pair[0])), enumerate(cases))
        results = {case.title: seen for case, seen in zip(cases, pairs, strict=True)}
    table = drawn(results)
    sys.stdout.write(f"{table}\n")
    if "--readme" in arguments:
        README.write_text(placed(README.read_text(), table))
    _say(f"{len(cases)} faults in {time.monotonic() - began_s:.0f} s")
    return 0


def _run(case: Case, folder: Path) -> dict[str, Seen]:
    seen = run(case, folder)
    false = {program: one.false_alarms[:2] for program, one in seen.items() if one.false_alarms}
    _say(f"{case.title}: { ({program: one.after_s for program, one in seen.items()}) } {false or ''}")
    return seen


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
